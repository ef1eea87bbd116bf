import { say } from "./words.js"

// Boxes of several tables that belong to one form: each table has one for all of it, the form tells how many are chosen.
const form = document.querySelector("#decide")
const boxes = () => [...document.querySelectorAll('input[form="decide"][type="checkbox"]')]
const inTable = (table) => boxes().filter((box) => table.contains(box))

function count() {
  const chosen = boxes().filter((box) => box.checked).length
  form.querySelector("[data-chosen]").textContent = chosen ? say("%(number)s chosen", { number: chosen }) : ""
  for (const all of document.querySelectorAll("[data-choose-all]")) {
    const here = inTable(all.closest("table"))
    const some = here.filter((box) => box.checked).length
    all.checked = some > 0 && some === here.length
    all.indeterminate = some > 0 && some < here.length
  }
}

if (form) {
  for (const all of document.querySelectorAll("[data-choose-all]")) all.hidden = false
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-choose-all]")) for (const box of inTable(event.target.closest("table"))) box.checked = event.target.checked
    count()
  })
  count()
}
