// What the rules say about the diagram: suggested threats, what to put right, and which category was considered where.
import { ask } from "../api.js"
import { $, h, keepingFocus } from "../dom.js"
import { say, sayMany } from "../words.js"
import { Drafts } from "./drafts.js"
import { elsewhere, level, shapeOf } from "./threats.js"

// The server knows of a change a moment after it was made here.
const SETTLED = 1_500
const SOON = 100
// More than so many at once would bury the panel; all are shown when somebody asks for them.
const SHOWN = 30
// What the server takes in one request.
const MOST_AT_ONCE = 200

/** Keeps suggestions and coverage; they are asked for when the panel of threats is looked at, and again after changes. */
export class Advice {
  /** @type {any} */ editor
  /** @type {any} */ parts
  /** @type {any} */ timer
  /** @type {() => Promise<any>} */ onThreats
  found = { suggestions: [], hygiene: [] }
  /** @type {any} */ coverage = null
  failed = false
  loaded = false
  /** What is written about suggestions and categories, by what it is about. */
  drafts = new Drafts()
  turn = 0

  constructor(editor, { onThreats }) {
    this.editor = editor
    this.onThreats = onThreats
    this.parts = [new Suggestions(this, $("#suggestions")), new Coverage(this, $("#coverage"))]
    editor.on("selection", () => this.draw())
    editor.on("panel", () => this.looked() && this.load())
    editor.on("cells", () => this.changed())
    editor.on("threats", () => this.changed(SOON))
  }

  /** Asks what the rules suggest and goes to the first of it. */
  async suggest() {
    await this.load()
    const [suggestions] = this.parts
    suggestions.arrive()
    this.editor.tell(sayMany("%(count)s suggestion", "%(count)s suggestions", this.found.suggestions.filter((one) => this.concerns(one.cell_id)).length))
  }

  looked() {
    return !$("#panel-threats").hidden && document.visibilityState === "visible"
  }

  /** Something was changed: asks again once it has settled, if somebody looks. */
  changed(pause = SETTLED) {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.looked() && !this.editor.past && this.load(), pause)
  }

  async load() {
    const { suggestions, coverage } = this.editor.settings
    const turn = (this.turn += 1)
    try {
      const [found, matrix] = await Promise.all([ask("GET", suggestions), ask("GET", coverage)])
      // An answer that a later question has overtaken is old news.
      if (turn !== this.turn) return
      this.found = found
      this.coverage = matrix
      this.failed = false
      this.loaded = true
    } catch {
      this.failed = true
    }
    this.draw()
  }

  draw() {
    if (this.loaded || this.failed) for (const part of this.parts) part.draw()
  }

  /** What is written here and neither added nor noted yet. */
  written() {
    const known = this.parts.flatMap((part) => part.keys())
    return this.drafts.titles((it) => known.includes(it))
  }

  /** Elements of the selection, or all. */
  concerns(id) {
    return !this.editor.selection.size || this.editor.selection.has(id)
  }

  accept(wanted) {
    const told = () => sayMany("%(count)s threat was added", "%(count)s threats were added", wanted.length)
    return this.#decide(() => this.#each(wanted, (suggestions) => ask("POST", `${this.editor.settings.suggestions}/accept`, { suggestions })), told)
  }

  dismiss(wanted, reason) {
    const act = () => this.#each(wanted, (suggestions) => ask("POST", `${this.editor.settings.suggestions}/dismiss`, { suggestions, reason }))
    return this.#decide(act, () => say("Noted, with your reason"))
  }

  /** Takes back that a category does not apply to an element. */
  withdraw(cellId, category) {
    const path = `${this.editor.settings.suggestions}/decisions`
    const act = async () => {
      const decided = await ask("GET", path)
      const found = decided.find((one) => one.cell_id === cellId && one.category === category && !one.rule_id)
      if (found) await ask("DELETE", `${path}/${found.id}`)
    }
    return this.#decide(act, () => say("Open again"))
  }

  async #each(wanted, send) {
    for (let from = 0; from < wanted.length; from += MOST_AT_ONCE) await send(wanted.slice(from, from + MOST_AT_ONCE))
  }

  async #decide(act, told) {
    try {
      await act()
      this.editor.tell(told())
    } catch (error) {
      this.editor.notice(error.message, "warning")
      // What went through before it failed is there.
      this.load()
      return false
    }
    await Promise.all([this.load(), this.onThreats()])
    return true
  }
}

const named = ({ rule_id, cell_id }) => ({ rule_id, cell_id })
const key = (one) => `${one.rule_id} ${one.cell_id}`

/** A line for the reason why something does not apply. `act(reason)` answers whether it was noted. */
function reasonForm(label, act, cancel) {
  const input = h("input", { class: "form-control", required: true, maxlength: 2000, "aria-label": label, placeholder: say("Why does it not apply?") })
  const submit = async (event) => {
    event.preventDefault()
    if (input.value.trim()) await act(input.value.trim())
  }
  const form = h("form", { class: "reason", onsubmit: submit }, input,
    h("div", { class: "links" }, h("button", { type: "submit", class: "btn btn-primary btn-sm" }, say("Not applicable")),
      h("button", { type: "button", class: "btn btn-quiet btn-sm", onclick: cancel }, say("Cancel"))))
  form.addEventListener("keydown", (event) => event.key === "Escape" && (event.stopPropagation(), cancel()))
  return form
}

class Suggestions {
  /** @type {any} */ advice
  /** @type {any} */ root
  /** What is ticked, what is open, and what is being written about, by key. */
  chosen = new Set()
  opened = new Set()
  /** @type {{key: string, kind: string} | null} */ writing = null
  most = SHOWN

  constructor(advice, root) {
    Object.assign(this, { advice, root })
    root.replaceChildren(h("h2", {}, say("Suggested threats")),
      h("button", { type: "button", class: "btn btn-quiet btn-sm", onclick: () => advice.load() }, say("Suggest threats")))
  }

  draw() {
    // Never under the fingers of somebody who is writing.
    if (this.writing && this.root.contains(document.activeElement) && document.activeElement.matches("input:not([type=checkbox]), textarea, select")) return
    const place = this.#items().findIndex((item) => item.contains(document.activeElement))
    // What was decided leaves the list; who goes through it by keyboard is at the one that follows.
    if (!keepingFocus(this.root, () => this.#render())) this.arrive(Math.max(place, 0))
  }

  /** What drafts can be about. */
  keys() {
    return ["*", ...this.advice.found.suggestions.map(key)].flatMap((one) => [`${one} edit`, `${one} reason`])
  }

  #items() {
    return [...this.root.querySelectorAll(".suggested > li")]
  }

  #render() {
    const { advice } = this
    const shown = advice.found.suggestions.filter((one) => advice.concerns(one.cell_id))
    const known = new Set(shown.map(key))
    for (const one of this.chosen) if (!known.has(one)) this.chosen.delete(one)
    const hygiene = advice.found.hygiene.filter((one) => advice.concerns(one.cell_id))
    this.root.replaceChildren(
      h("h2", {}, say("Suggested threats"), " ", h("span", { class: "count" }, String(shown.length))),
      ...(advice.failed ? [h("p", { class: "quiet", role: "status" }, say("The suggestions could not be loaded.")), this.#again()] : []),
      ...(shown.length ? [this.#bulk(shown)] : [h("p", { class: "quiet" }, say("Nothing is open here: the rules of the framework find nothing that was not dealt with."))]),
      h("ul", { class: "threats suggested" }, shown.slice(0, this.most).map((one) => this.#item(one))),
      ...(shown.length > this.most ? [this.#more(shown.length)] : []),
      ...(hygiene.length ? [this.#hygiene(hygiene)] : []),
    )
  }

  #more(count) {
    const all = () => {
      this.most = Infinity
      this.advice.draw()
    }
    return h("p", {}, h("button", { type: "button", class: "btn btn-quiet btn-sm", onclick: all }, say("Show all %(count)s", { count })),
      " ", h("span", { class: "quiet" }, say("or select an element to see its own.")))
  }

  #again() {
    return h("button", { type: "button", class: "btn btn-quiet btn-sm", onclick: () => this.advice.load() }, say("Try again"))
  }

  #bulk(shown) {
    if (!this.advice.editor.mayEdit) return null
    const picked = shown.filter((one) => this.chosen.has(key(one)))
    const all = h("input", { type: "checkbox", class: "form-check-input", id: "suggest-all", onchange: () => this.#pick(shown, all.checked) })
    all.checked = picked.length === shown.length
    all.indeterminate = picked.length > 0 && !all.checked
    if (this.writing?.key === "*") {
      return this.#reason(say("Reason for all that are chosen"), picked)
    }
    return h("div", { class: "bulk-suggested" }, all, h("label", { for: "suggest-all" }, say("All")),
      h("button", { type: "button", class: "btn btn-primary btn-sm", disabled: !picked.length, onclick: () => this.#done(this.advice.accept(picked.map(named))) }, say("Add chosen")),
      h("button", { type: "button", class: "btn btn-quiet btn-sm", disabled: !picked.length, onclick: () => this.#write({ key: "*", kind: "reason" }) }, say("Chosen: not applicable")))
  }

  #item(one) {
    const { editor } = this.advice
    const id = key(one)
    const severity = one.severity.toLowerCase()
    const words = new Map(editor.settings.severities)
    const box = h("input", { type: "checkbox", class: "form-check-input", "aria-label": one.name, onchange: () => this.#pick([one], box.checked) })
    box.checked = this.chosen.has(id)
    const more = h("details", { open: this.opened.has(id), ontoggle: () => (more.open ? this.opened.add(id) : this.opened.delete(id)) }, h("summary", {}, one.name),
      h("p", {}, one.description), h("p", {}, h("strong", {}, say("Mitigation")), " ", one.mitigation),
      h("p", { class: "quiet" }, [...one.cwe_ids, ...one.capec_ids].join(" · "), " ",
        one.reference ? h("a", { href: one.reference, target: "_blank", rel: "noopener noreferrer" }, say("Read more"), elsewhere()) : null))
    return h("li", {}, h("div", { class: "suggestion-head" }, editor.mayEdit ? box : null, more),
      h("span", { class: "quiet rated" }, shapeOf(level(one.severity), editor.scene.theme), `${words.get(severity) ?? severity} · ${one.category}`),
      editor.selection.has(one.cell_id) ? null
        : h("button", { type: "button", class: "link", onclick: () => editor.emit("reveal", { id: one.cell_id }) }, one.cell_name),
      editor.mayEdit ? this.#actions(one) : null)
  }

  #actions(one) {
    const id = key(one)
    if (this.writing?.key === id && this.writing.kind === "reason") {
      return this.#reason(`${say("Reason")}: ${one.name}`, [one])
    }
    if (this.writing?.key === id) return this.#form(one)
    const act = (title, run) => h("button", { type: "button", class: "link", "aria-label": `${title}: ${one.name}`, onclick: run }, title)
    return h("div", { class: "links" }, act(say("Add"), () => this.#done(this.advice.accept([named(one)]))),
      act(say("Edit first"), () => this.#write({ key: id, kind: "edit" })), act(say("Not applicable"), () => this.#write({ key: id, kind: "reason" })))
  }

  #reason(title, many) {
    const note = (reason) => this.#done(this.advice.dismiss(many.map(named), reason), this.#draft())
    return this.advice.drafts.kept(reasonForm(title, note, () => this.#cancel()), this.#draft(), title)
  }

  /** The suggestion as it is to become a threat. */
  #form(one) {
    const { severities } = this.advice.editor.settings
    const name = h("input", { class: "form-control", required: true, maxlength: 200, value: one.name, "aria-label": say("Name") })
    const severity = h("select", { class: "form-select", "aria-label": say("Severity") }, severities.map(([value, words]) => h("option", { value, selected: value === one.severity }, words)))
    const description = h("textarea", { class: "form-control", rows: 4, maxlength: 2000, "aria-label": say("Description"), value: one.description })
    const mitigation = h("textarea", { class: "form-control", rows: 4, maxlength: 32768, "aria-label": say("Mitigation"), value: one.mitigation })
    const submit = (event) => {
      event.preventDefault()
      const changed = { name: name.value.trim(), severity: severity.value, description: description.value, mitigation: mitigation.value }
      this.#done(this.advice.accept([{ ...named(one), ...changed }]), this.#draft())
    }
    const form = h("form", { class: "new-threat", onsubmit: submit }, name, severity, description, mitigation,
      h("div", { class: "links" }, h("button", { type: "submit", class: "btn btn-primary btn-sm" }, say("Add threat")),
        h("button", { type: "button", class: "btn btn-quiet btn-sm", onclick: () => this.#cancel() }, say("Cancel"))))
    return this.advice.drafts.kept(form, this.#draft(), one.name)
  }

  #hygiene(findings) {
    return h("details", { class: "legend" }, h("summary", {}, say("To put right in the diagram"), " ", h("span", { class: "count" }, String(findings.length))),
      h("ul", { class: "findings" }, findings.map((one) => h("li", {},
        h("button", { type: "button", class: "link", onclick: () => this.advice.editor.emit("reveal", { id: one.cell_id }) }, one.cell_name), ` ${one.message}`))))
  }

  #pick(many, on) {
    for (const one of many) {
      if (on) this.chosen.add(key(one))
      else this.chosen.delete(key(one))
    }
    this.advice.draw()
  }

  #write(what) {
    this.writing = what
    this.root.querySelector(":focus")?.blur()
    this.draw()
    if (what) $("form input", this.root)?.focus()
  }

  /** Under which key the form that is open keeps what is typed. */
  #draft() {
    return this.writing ? `${this.writing.key} ${this.writing.kind}` : ""
  }

  #cancel() {
    this.advice.drafts.clear(this.#draft())
    this.#write(null)
  }

  /** `draft` is what was open for it; what else is being written stays open. */
  async #done(noted, draft = "") {
    if (!(await noted)) return
    this.advice.drafts.clear(draft)
    if (this.#draft() === draft) this.writing = null
    this.draw()
  }

  /** At the suggestion in that place, or at the heading where nothing is left. */
  arrive(place = 0) {
    const items = this.#items()
    const item = items[Math.min(place, items.length - 1)]
    const to = item?.querySelector(".links button") ?? item?.querySelector("summary") ?? $("h2", this.root)
    to.tabIndex = to.tagName === "H2" ? -1 : 0
    to.focus()
  }
}

const MARKS = { threat: "●", considered: "✓", not_applicable: "–", open: "○" }
const STATES = () => ({ threat: say("open threat"), considered: say("considered"), not_applicable: say("not applicable"), open: say("open") })

class Coverage {
  /** @type {any} */ advice
  /** @type {any} */ root
  open = false
  /** @type {string | null} */ writing = null

  constructor(advice, root) {
    Object.assign(this, { advice, root })
  }

  /** What drafts can be about. */
  keys() {
    return (this.advice.coverage?.rows ?? []).flatMap((row) => row.entries.map((entry) => `${row.cell_id} ${entry.category}`))
  }

  draw() {
    const { coverage } = this.advice
    if (!coverage || (this.writing && this.root.contains(document.activeElement) && document.activeElement.matches("input"))) return
    const rows = coverage.rows.filter((row) => this.advice.concerns(row.cell_id))
    const single = this.advice.editor.selection.size === 1 ? rows[0] : null
    const made = h("details", { class: "legend", open: this.open, ontoggle: () => (this.open = made.open) },
      h("summary", {}, say("Coverage"), " ", h("span", { class: "count" }, `${coverage.percentage} %`)),
      h("p", { class: "quiet" }, Object.entries(STATES()).map(([state, words]) => `${MARKS[state]} ${words}`).join(" · ")),
      single ? this.#element(single) : this.#matrix(coverage, rows))
    keepingFocus(this.root, () => this.root.replaceChildren(made))
  }

  #matrix({ categories }, rows) {
    if (!rows.length) return h("p", { class: "quiet" }, say("The framework asks nothing about what is shown."))
    const used = categories.filter((category) => rows.some((row) => row.entries.some((one) => one.category === category)))
    return h("div", { class: "matrix", tabindex: "0", role: "region", "aria-label": say("Elements and categories") }, h("table", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, say("Element")), used.map((one) => h("th", { scope: "col", title: one }, h("span", {}, one))))),
      h("tbody", {}, rows.map((row) => h("tr", {},
        h("th", { scope: "row" }, h("button", { type: "button", class: "link", onclick: () => this.advice.editor.emit("reveal", { id: row.cell_id }) }, row.name)),
        used.map((category) => this.#mark(row.entries.find((one) => one.category === category))))))))
  }

  #mark(entry) {
    if (!entry) return h("td", {})
    const words = STATES()[entry.state]
    return h("td", { title: entry.reason || words, class: `state-${entry.state}` }, h("span", { "aria-hidden": "true" }, MARKS[entry.state]), h("span", { class: "visually-hidden" }, words))
  }

  /** One element's categories in words, each open one to be set aside with a reason. */
  #element(row) {
    return h("ul", { class: "threats" }, row.entries.map((entry) => h("li", {},
      h("span", {}, `${MARKS[entry.state]} ${entry.category}: `, STATES()[entry.state], entry.threats ? ` (${entry.threats})` : ""),
      entry.reason ? h("span", { class: "quiet" }, entry.reason) : null,
      this.#take(row, entry),
      entry.state !== "open" || !this.advice.editor.mayEdit ? null
        : this.writing === `${row.cell_id} ${entry.category}` ? this.#reason(row, entry)
          : h("button", { type: "button", class: "link", "aria-label": `${say("Not applicable")}: ${entry.category}`, onclick: () => this.#write(`${row.cell_id} ${entry.category}`) }, say("Not applicable")))))
  }

  /** What was set aside is taken back. */
  #take(row, entry) {
    if (entry.state !== "not_applicable" || !this.advice.editor.mayEdit) return null
    const title = say("Open again")
    return h("button", { type: "button", class: "link", "aria-label": `${title}: ${entry.category}`, onclick: () => this.advice.withdraw(row.cell_id, entry.category) }, title)
  }

  #reason(row, entry) {
    const [draft, title] = [`${row.cell_id} ${entry.category}`, `${say("Reason")}: ${entry.category}`]
    const close = () => {
      this.advice.drafts.clear(draft)
      this.#write(null)
    }
    const note = async (reason) => {
      if (await this.advice.dismiss([{ cell_id: row.cell_id, category: entry.category }], reason)) close()
    }
    return this.advice.drafts.kept(reasonForm(title, note, close), draft, title)
  }

  #write(what) {
    this.writing = what
    this.root.querySelector(":focus")?.blur()
    this.draw()
    if (what) $("form input", this.root)?.focus()
  }
}
