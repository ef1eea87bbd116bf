// The helpers of a threat's page: they write into its fields, which save themselves.
const field = (name) => document.querySelector(`[data-autosave] [name="${name}"]`)

function put(name, value) {
  const control = field(name)
  if (!control || control.value === value) return
  control.value = value
  control.dispatchEvent(new Event("change", { bubbles: true }))
}

// -- CVSS: one of each row makes a vector

const calculator = document.querySelector("[data-cvss]")

function parse(vector) {
  const [head, ...rest] = vector.trim().split("/")
  return { version: head.replace("CVSS:", ""), metrics: new Map(rest.map((part) => part.split(":"))) }
}

function turnTo(version) {
  for (const tab of calculator.querySelectorAll("[data-version]")) {
    tab.setAttribute("aria-pressed", String(tab.dataset.version === version))
  }
  for (const one of calculator.querySelectorAll("[data-metrics]")) one.hidden = one.dataset.metrics !== version
}

/** Marks what the vector in the field says. */
function readVector() {
  const { version, metrics } = parse(field(calculator.dataset.cvss).value)
  const table = calculator.querySelector(`[data-metrics="${version}"]`)
  if (!table) return
  turnTo(version)
  for (const radio of table.querySelectorAll("[data-metric]")) {
    radio.checked = metrics.get(radio.dataset.metric) === radio.value
  }
}

/** Writes the vector once all rows are answered; what else the old one says is kept. */
function writeVector(table) {
  const rows = [...table.querySelectorAll(".metric")].map((row) => row.querySelector(":checked"))
  const missing = rows.filter((chosen) => !chosen).length
  calculator.querySelector("[data-hint]").hidden = missing === 0
  if (missing > 0) return
  const version = table.dataset.metrics
  const chosen = new Map(rows.map((radio) => [radio.dataset.metric, radio.value]))
  const old = parse(field(calculator.dataset.cvss).value)
  const more = old.version === version ? [...old.metrics].filter(([key]) => !chosen.has(key)) : []
  put(calculator.dataset.cvss, [`CVSS:${version}`, ...[...chosen, ...more].map(([key, value]) => `${key}:${value}`)].join("/"))
}

if (calculator) {
  readVector()
  calculator.addEventListener("click", (event) => {
    const tab = event.target.closest("[data-version]")
    if (tab) turnTo(tab.dataset.version)
  })
  calculator.addEventListener("change", (event) => writeVector(event.target.closest("[data-metrics]")))
  document.addEventListener("autosaved", ({ detail }) => {
    calculator.querySelector("[data-score]").textContent = detail.values.score
    if (detail.field === calculator.dataset.cvss) readVector()
  })
}

// -- CWE: a click adds the weakness

document.addEventListener("click", (event) => {
  const found = event.target.closest("[data-add]")
  if (found) {
    const name = found.closest("[data-cwe]").dataset.cwe
    const ids = field(name).value.split(",").map((one) => one.trim()).filter(Boolean)
    if (!ids.includes(found.dataset.add)) put(name, [...ids, found.dataset.add].join(", "))
  }
  const risk = event.target.closest("[data-take-risk]")
  if (risk) put("risk_level", risk.dataset.takeRisk)
})
