// What was done to the diagram, by whom and when; the canvas shows it as it was, beside another moment, and brings it back.
import { ask } from "../api.js"
import { h } from "../dom.js"
import { Scene } from "../draw/scene.js"
import { State } from "../state.js"
import { say, sayMany } from "../words.js"
import { compared } from "./compare.js"
import { did, kindAndName } from "./did.js"
import { field } from "./fields.js"
import { titleOf } from "./names.js"

const SHOWN = 50
// Of differences so many are listed; the canvas marks them all.
const LISTED = 100
// While others draw, the list is asked for now and then, not for each of their strokes.
const PAUSE = 1500
// A slider that is being pulled asks for no moment that it only passes.
const REST = 120
const REMEMBERED = 30

export class History {
  /** @type {any} */ editor
  /** @type {any} */ root
  /** @type {any} */ rows
  /** @type {any} */ at
  /** @type {any} */ other
  /** @type {any} */ least
  /** @type {any} */ path
  /** @type {any} */ page
  /** @type {any} */ time
  /** @type {any} */ timer
  /** @type {any} */ resting
  /** @type {any} */ failed
  /** @type {any} */ moments
  /** @type {any} */ parts

  /** `at` and `other` are numbers of operations; null is now. */
  constructor(editor, root) {
    Object.assign(this, { editor, root, rows: [], at: null, other: null, least: null, moments: new Map() })
    const { model_id: model, diagram_id: diagram } = editor.settings
    this.path = `/threat_models/${model}/diagrams/${diagram}`
    this.page = `/threat-models/${model}/diagrams/${diagram}`
    const { lang, dataset } = document.documentElement
    this.time = new Intl.DateTimeFormat(lang, { dateStyle: "short", timeStyle: "medium", hourCycle: "h23", timeZone: dataset.timeZone })
    this.#build()
    editor.on("heard", () => this.#later())
    editor.on("panel", ({ name }) => name === "history" && this.load())
    editor.on("past", () => this.#back())
  }

  #build() {
    const slider = (label, moved) => h("input", { type: "range", class: "form-range", "aria-label": label, oninput: (event) => moved(Number(event.target.value)) })
    const button = (title, run) => h("button", { type: "button", class: "btn btn-quiet btn-sm", onclick: run }, title)
    /** @type {any} */
    const parts = (this.parts = {
      at: slider(say("Moment"), (number) => this.look(this.#orNow(number), this.other)),
      other: slider(say("Compared with"), (number) => this.look(this.at, this.#orNow(number))),
      told: h("p", { class: "told", role: "status" }),
      differences: h("ul", { class: "differences" }),
      restore: button(say("Restore this"), () => this.restore(this.at)),
      list: h("ol", { class: "operations" }),
      more: button(say("Show earlier changes"), () => this.load(true)),
      problem: h("p", { class: "quiet", role: "status", hidden: true }, say("The history could not be loaded.")),
    })
    parts.compare = h("div", { class: "compare" }, field(say("Compared with"), parts.other), parts.differences,
      h("div", { class: "buttons" }, parts.restore, button(say("Back to now"), () => this.editor.lookBack(null))))
    parts.slider = h("div", { class: "moment" }, field(say("Moment"), parts.at), parts.told, parts.compare)
    this.root.replaceChildren(h("h2", {}, say("History")), parts.problem, parts.slider, parts.list, parts.more,
      h("p", {}, h("a", { class: "roomy", href: `${this.page}/timeline` }, say("The timeline as a page"))))
  }

  get #vector() {
    return this.editor.reconciler.vector
  }

  #orNow(number) {
    return number >= this.#vector ? null : number
  }

  #later() {
    if (this.root.hidden || this.timer) return
    this.timer = setTimeout(() => {
      this.timer = null
      this.load()
    }, PAUSE)
  }

  /** The last operations again, or with `earlier` those before the ones that are listed. */
  async load(earlier = false) {
    try {
      this.least ??= await this.#first()
      const page = earlier ? Math.floor(this.rows.length / SHOWN) + 1 : 1
      const found = await ask("GET", `${this.path}/operations?limit=${SHOWN}&page=${page}`)
      const known = new Map([...this.rows, ...found].map((row) => [row.sequence_number, row]))
      this.rows = [...known.values()].sort((one, other) => other.sequence_number - one.sequence_number)
      // With more than a page of news in between, what lies before them is asked for again.
      if (!earlier) this.rows = this.rows.slice(0, gapless(this.rows))
      this.failed = false
    } catch {
      this.failed = true
    }
    this.draw()
  }

  /** The earliest moment that the log still reaches. */
  async #first() {
    const [row] = await ask("GET", `${this.path}/operations?limit=1&sort=sequence_number`)
    return row ? row.sequence_number - 1 : this.#vector
  }

  draw() {
    const { parts, least } = this
    const max = this.#vector
    parts.problem.hidden = !this.failed
    parts.slider.hidden = least === null || least >= max
    for (const [slider, number] of [[parts.at, this.at], [parts.other, this.other]]) {
      Object.assign(slider, { min: String(least ?? 0), max: String(max), value: String(number ?? max) })
      slider.setAttribute("aria-valuetext", this.#named(number))
    }
    parts.compare.hidden = !this.editor.past
    parts.restore.hidden = !this.editor.allowed || this.at === null
    parts.told.textContent = this.at === null && !this.editor.past ? say("The slider shows the diagram as it was.") : this.#named(this.at)
    parts.other.nextElementSibling?.remove()
    parts.other.after(h("p", { class: "hint" }, this.#named(this.other)))
    this.#list()
    parts.more.hidden = !this.rows.length || this.rows.at(-1).sequence_number <= (least ?? 0) + 1
  }

  #list() {
    const focused = this.root.contains(document.activeElement) ? document.activeElement.dataset.number : null
    this.parts.list.replaceChildren(...this.rows.map((row) => this.#item(row)))
    if (focused) this.parts.list.querySelector(`[data-number="${focused}"]`)?.focus()
  }

  #item(row) {
    const number = row.sequence_number
    const now = this.at === number ? "true" : null
    return h("li", {},
      h("button", { type: "button", class: "link", "data-number": number, "aria-current": now, onclick: () => this.look(this.#orNow(number), this.other) }, did(this.editor, row)),
      h("span", { class: "quiet" }, this.#byWhom(row)))
  }

  #byWhom(row) {
    const own = row.user_internal_uuid === this.editor.settings.user_id
    return `${own ? say("you") : this.editor.names(row.user_internal_uuid)} · ${this.time.format(new Date(row.timestamp))}`
  }

  #named(number) {
    if (number === null) return say("now")
    const row = this.rows.find((one) => one.sequence_number === number)
    const place = say("after change %(number)s of %(last)s", { number, last: this.#vector })
    return row ? `${place}, ${this.#byWhom(row)}` : place
  }

  /** Shows the diagram as it was after operation `at`, with what is different after `other`; null is now. */
  look(at, other) {
    Object.assign(this, { at, other })
    if (at === null && other === null) return this.editor.lookBack(null)
    this.draw()
    clearTimeout(this.resting)
    this.resting = setTimeout(() => this.#show(at, other), REST)
  }

  async #show(at, other) {
    try {
      const [shown, beside] = [await this.#cells(at), await this.#cells(other)]
      // Somebody has gone on meanwhile.
      if (at !== this.at || other !== this.other) return
      const order = (number) => number ?? this.#vector
      const [earlier, later] = order(at) <= order(other) ? [shown, beside] : [beside, shown]
      const differences = compared(earlier, later)
      const ghosts = new Scene(this.editor.scene.theme)
      ghosts.put(beside)
      const marks = new Map(differences.map(({ id, what }) => [id, what]))
      this.editor.lookBack({ state: new State(shown.values()), number: order(at), marks, ghosts })
      this.#tell(differences)
    } catch (error) {
      this.editor.notice(error.message, "warning")
    }
  }

  /** The cells of a moment by id. */
  async #cells(number) {
    if (number === null) return this.editor.reconciler.state.cells
    if (!this.moments.has(number)) {
      const cells = await ask("GET", `${this.path}/cells?at=${number}`)
      if (this.moments.size >= REMEMBERED) this.moments.delete(this.moments.keys().next().value)
      this.moments.set(number, new Map(cells.map((cell) => [cell.id, cell])))
    }
    return this.moments.get(number)
  }

  #tell(differences) {
    const { parts } = this
    const words = { added: say("added"), changed: say("changed"), removed: say("removed") }
    const count = sayMany("%(count)s element is different", "%(count)s elements are different", differences.length)
    parts.differences.replaceChildren(h("li", { class: "quiet" }, count), ...differences.slice(0, LISTED).map(({ id, what, cell, fields }) => h("li", { class: `was-${what}` },
      this.editor.cell(id) ? h("button", { type: "button", class: "link", onclick: () => this.editor.emit("reveal", { id }) }, kindAndName(cell)) : kindAndName(cell),
      h("span", { class: "quiet" }, ` ${words[what]}${fields.length ? `: ${fields.map(titleOf).join(", ")}` : ""}`))))
    this.draw()
    this.editor.tell(`${this.#named(this.at)}. ${count}`)
  }

  #back() {
    if (this.editor.past) return
    clearTimeout(this.resting)
    Object.assign(this, { at: null, other: null })
    this.draw()
  }

  async restore(number) {
    try {
      await ask("POST", `${this.path}/operations/${number}/revert`)
      // One operation, whose name only the server knows.
      this.editor.undoing.made([])
      this.editor.lookBack(null)
      this.editor.notice(say("The diagram is again what it was. This can be undone like any change."))
    } catch (error) {
      this.editor.notice(error.message, "warning")
    }
    await this.load()
  }
}

/** How many of the rows, latest first, follow each other without a gap. */
export function gapless(rows) {
  const end = rows.findIndex((row, index) => index > 0 && row.sequence_number !== rows[index - 1].sequence_number - 1)
  return end < 0 ? rows.length : end
}
