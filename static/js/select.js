import { say } from "./words.js"

// Rows of a table that are chosen to be changed together: the bar appears with the first of them.
const table = () => document.querySelector("#threat-table")
const boxes = () => [...table().querySelectorAll('input[name="ids"]')]

function count() {
  const bar = table()?.querySelector("[data-bulk]")
  const told = document.querySelector("#chosen")
  if (told && !bar) told.textContent = ""
  if (!bar) return
  const chosen = boxes().filter((box) => box.checked).length
  bar.hidden = chosen === 0
  bar.querySelector("[data-chosen]").textContent = String(chosen)
  told.textContent = chosen ? say("%(number)s chosen", { number: chosen }) : ""
  const all = table().querySelector("[data-choose-all]")
  all.checked = chosen > 0 && chosen === boxes().length
  all.indeterminate = chosen > 0 && chosen < boxes().length
}

let last = null
document.addEventListener("click", (event) => {
  const box = event.target.closest('#threat-table input[name="ids"]')
  if (!box) return
  const all = boxes()
  if (event.shiftKey && last && all.includes(last)) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b)
    for (const one of all.slice(from, to + 1)) one.checked = box.checked
  }
  last = box
  count()
})
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-choose-all]")) for (const box of boxes()) box.checked = event.target.checked
  if (event.target.closest("#threat-table")) count()
})
document.addEventListener("htmx:load", count)
count()
