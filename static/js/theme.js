// Sets light or dark before the first paint; "auto" follows the system, also when that changes.
const wanted = document.documentElement.dataset.theme
const dark = window.matchMedia("(prefers-color-scheme: dark)")
const apply = () => {
  const theme = wanted === "auto" ? (dark.matches ? "dark" : "light") : wanted
  document.documentElement.setAttribute("data-bs-theme", theme)
}
apply()
dark.addEventListener("change", apply)
// Paper is white whatever the screen is.
addEventListener("beforeprint", () => document.documentElement.setAttribute("data-bs-theme", "light"))
addEventListener("afterprint", apply)
