// Small comforts; every page works without them.
document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRFToken"] = document.querySelector('meta[name="csrf-token"]').content
})

// A menu closes on Escape and on a click beside it.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(/** @type {Node} */ (event.target))) menu.open = false
  }
})
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false
    menu.querySelector("summary").focus()
  }
})

// After a refused form the list of errors is read first.
document.querySelector("[data-autofocus]")?.focus()

// What was typed and not saved is not lost by a slip.
let typed = false
document.addEventListener("input", (event) => {
  if (event.target.closest("form[data-guard]")) typed = true
})
document.addEventListener("submit", () => {
  typed = false
})
window.addEventListener("beforeunload", (event) => {
  if (typed) event.preventDefault()
})

// Pictures follow the theme; paper is light.
const paint = (root, isDark = document.documentElement.getAttribute("data-bs-theme") === "dark") => {
  for (const picture of root.querySelectorAll("img[data-dark]")) {
    picture.dataset.light ??= picture.getAttribute("src")
    const wanted = isDark ? picture.dataset.dark : picture.dataset.light
    if (picture.getAttribute("src") !== wanted) picture.src = wanted
  }
}
paint(document)
document.addEventListener("htmx:load", (event) => paint(event.detail.elt.parentElement ?? document))
new MutationObserver(() => paint(document)).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] })

// Pictures of what is drawn elsewhere are looked at again when one comes back, and now and then.
const LOOK_AGAIN = 15_000
const tagOf = async (url, cache) => (await fetch(url, { cache, mode: "same-origin" })).headers.get("ETag")
async function refresh(picture) {
  const known = await tagOf(picture.src, "only-if-cached").catch(() => null)
  const present = await tagOf(picture.src, "no-cache").catch(() => known)
  if (present === known) return
  for (const name of ["light", "dark"]) {
    const address = new URL(picture.dataset[name], location.href)
    address.searchParams.set("tag", present)
    picture.dataset[name] = address.href
  }
  paint(picture.parentElement)
}
function refreshAll() {
  if (document.hidden) return
  for (const picture of document.querySelectorAll("img[data-live]")) if (picture.complete) refresh(picture)
}
document.addEventListener("visibilitychange", refreshAll)
if (document.querySelector("img[data-live]")) setInterval(refreshAll, LOOK_AGAIN)

// A file that is dropped anywhere on the drop zone is chosen.
for (const zone of document.querySelectorAll("[data-drop]")) {
  const input = zone.querySelector("input[type=file]")
  zone.addEventListener("dragover", (event) => {
    event.preventDefault()
    zone.classList.add("drop-over")
  })
  zone.addEventListener("dragleave", () => zone.classList.remove("drop-over"))
  zone.addEventListener("drop", (event) => {
    event.preventDefault()
    zone.classList.remove("drop-over")
    input.files = event.dataTransfer.files
  })
}

// Times are told in the zone that the reader has chosen, or else in the browser's own.
const zone = document.documentElement.dataset.timeZone
/** @type {Intl.DateTimeFormatOptions} */
const timeFormat = { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" }
const local = new Intl.DateTimeFormat(document.documentElement.lang, zone ? { ...timeFormat, timeZone: zone } : timeFormat)
const tellTimes = (root) => {
  for (const time of root.querySelectorAll("time[data-local]")) time.textContent = local.format(new Date(time.dateTime))
  for (const time of root.querySelectorAll("time[data-ago]")) time.title = local.format(new Date(time.dateTime))
}
tellTimes(document)
document.addEventListener("htmx:load", (event) => tellTimes(event.detail.elt))
