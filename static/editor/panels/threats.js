// The threats of the selection, and the badges of all elements. They are the API's; the socket does not carry them.
import { ask, askAll } from "../api.js"
import { badgeMark } from "../draw/badges.js"
import { el, toDom } from "../draw/markup.js"
import { $, h, keepingFocus } from "../dom.js"
import { say, sayMany } from "../words.js"
import { differs, replaced } from "../replaced.js"
import { Drafts } from "./drafts.js"
import { afterwards, choice, line } from "./fields.js"

const RANK = ["critical", "high", "medium", "low", "informational", "unknown"]
// Others change threats too; this is how long that may stay unseen.
const LOOK_AGAIN = 30_000
// So often a text is written again when the threat has changed between reading and writing it.
const TRIES = 4

export class Threats {
  /** @type {any} */ editor
  /** @type {any} */ root
  /** @type {any} */ threats
  /** @type {any} */ path
  /** @type {any} */ wanted
  /** @type {any} */ failed
  /** @type {any} */ loaded
  /** @type {any} */ stale
  /** New threats, by the element that they are to be at. */
  drafts = new Drafts()
  /** Threats of which all is shown. */
  opened = new Set()
  /** Texts of threats that are not saved yet, by threat and field. */
  texts = new Map()
  saving = Promise.resolve()

  constructor(editor, root) {
    Object.assign(this, { editor, root, threats: [] })
    const { model_id: model, diagram_id: diagram } = editor.settings
    this.path = `/threat_models/${model}/threats`
    this.wanted = `${this.path}?diagram_id=${diagram}`
    editor.on("selection", () => this.draw())
    editor.on("threats", () => this.load())
    setInterval(() => document.visibilityState === "visible" && this.load(), LOOK_AGAIN)
    this.load()
  }

  /** The badges at once; the list not under the fingers of who is typing, unless `now`. */
  async load(now = false) {
    try {
      const found = await askAll(this.wanted)
      const same = JSON.stringify(found) === JSON.stringify(this.threats)
      this.failed = false
      if (same && this.loaded && !this.stale) return
      this.threats = found
      this.loaded = true
    } catch {
      this.failed = true
    }
    this.#tell(now)
  }

  #tell(now) {
    const badges = new Map()
    for (const threat of this.threats) {
      if (!threat.cell_id || !this.#open(threat)) continue
      const known = badges.get(threat.cell_id)
      const severity = level(threat.severity)
      const worse = !known || RANK.indexOf(severity) < RANK.indexOf(known.severity)
      badges.set(threat.cell_id, { count: (known?.count ?? 0) + 1, severity: worse ? severity : known.severity })
    }
    const words = new Map(this.editor.settings.severities)
    for (const badge of badges.values()) {
      badge.title = say("%(threats)s, worst: %(severity)s", {
        threats: sayMany("%(count)s open threat", "%(count)s open threats", badge.count), severity: words.get(badge.severity) ?? say("unknown"),
      })
    }
    this.editor.setBadges(badges)
    this.stale = !now && this.root.contains(document.activeElement) && document.activeElement.matches("input, textarea, select")
    if (!this.stale) return this.draw()
    this.root.addEventListener("focusout", () => afterwards(() => this.stale && this.#tell(false)), { once: true })
  }

  #open(threat) {
    return !threat.mitigated && !this.editor.settings.closed_statuses.includes((threat.status ?? "").toLowerCase())
  }

  draw() {
    const { editor } = this
    this.stale = false
    const chosen = editor.selection
    const shown = chosen.size ? this.threats.filter((one) => chosen.has(one.cell_id)) : this.threats
    const title = chosen.size === 1 ? editor.name([...chosen][0]) : chosen.size ? say("Selection") : say("Whole diagram")
    const open = this.root.querySelector(".legend")?.open ?? false
    keepingFocus(this.root, () => this.root.replaceChildren(
      h("h2", {}, title, " ", h("span", { class: "count" }, sayMany("%(count)s threat", "%(count)s threats", shown.length))),
      ...(this.failed ? [h("p", { class: "quiet", role: "status" }, say("The threats could not be loaded. They will be tried again."))] : []),
      h("ul", { class: "threats" }, shown.map((threat) => this.#item(threat))),
      ...(chosen.size === 1 && editor.mayEdit ? [this.#form([...chosen][0])] : []),
      ...(shown.length || !chosen.size ? [] : [h("p", { class: "quiet" }, say("No threats here yet."))]),
      this.#legend(open),
    ))
  }

  /** What the shapes and colours of the badges mean. */
  #legend(open) {
    const { theme } = this.editor.scene
    const words = new Map(this.editor.settings.severities)
    return h("details", { class: "legend", open }, h("summary", {}, say("Badges")),
      h("p", { class: "quiet" }, say("The number of open threats of an element; shape and colour tell the worst of them.")),
      h("ul", {}, RANK.map((severity) => {
        const mark = badgeMark({ x: 14, y: 14 }, { count: 1, severity }, theme)
        return h("li", {}, toDom(el("svg", { viewBox: "-2 0 32 32", "aria-hidden": "true" }, mark)), words.get(severity) ?? say("unknown"))
      })))
  }

  #item(threat) {
    const { settings, mayEdit } = this.editor
    const severity = level(threat.severity)
    const element = threat.cell_id && this.editor.cell(threat.cell_id)
    const change = (name) => async (event) => this.#save(threat, { [name]: event.target.value || null })
    const select = (name, label, choices) =>
      h("select", { class: "form-select", "aria-label": `${label}: ${threat.name}`, disabled: !mayEdit, onchange: change(name) },
        offered(choices, threat[name], name === "severity").map(([value, words]) => h("option", { value, selected: same(value, threat[name]) }, words)))
    return h("li", { class: this.#open(threat) ? "" : "settled" },
      h("a", { href: `/threat-models/${settings.model_id}/threats/${threat.id}`, target: "_blank", rel: "noopener" }, threat.name, elsewhere()),
      threat.threat_type ? h("span", { class: "quiet" }, threat.threat_type) : null,
      element && !this.editor.selection.has(threat.cell_id)
        ? h("button", { type: "button", class: "link", onclick: () => this.editor.emit("reveal", { id: threat.cell_id }) }, this.editor.name(threat.cell_id)) : null,
      h("div", { class: "pair" },
        shapeOf(severity, this.editor.scene.theme),
        select("severity", say("Severity"), settings.severities), select("status", say("Status"), settings.statuses)),
      this.#more(threat))
  }

  /** What is written about a threat; made when it is opened. */
  #more(threat) {
    const readonly = !this.editor.mayEdit
    const named = (title) => ({ readonly, "aria-label": `${title}: ${threat.name}` })
    const text = (name, title, maxlength) => {
      const key = `${threat.id} ${name}`
      const typed = (event) => this.texts.set(key, event.target.value)
      return line(title, threat[name], (value, before) => this.#write(threat.id, name, value, before), { ...named(title), multi: true, maxlength, draft: this.texts.get(key) ?? null, oninput: typed })
    }
    const fill = () => body.firstChild || body.append(
      text("description", say("Description"), 2000), text("mitigation", say("Mitigation"), 32_768),
      choice(say("Priority"), threat.priority ?? "", [["", "–"], ...this.editor.settings.priorities], (value) => this.#save(threat, { priority: value || null }), named(say("Priority"))))
    const toggled = () => {
      if (made.open) fill()
      this.opened[made.open ? "add" : "delete"](threat.id)
    }
    const body = h("div", {})
    const made = h("details", { open: this.opened.has(threat.id), ontoggle: toggled }, h("summary", { "aria-label": `${say("Text and priority")}: ${threat.name}` }, say("Text and priority")), body)
    if (made.open) fill()
    return made
  }

  #write(id, name, text, before) {
    return this.#inTurn(() => this.#store(id, name, text, before))
  }

  /** What is saved here goes one after the other, or it would be in its own way. */
  #inTurn(act) {
    return (this.saving = this.saving.then(act))
  }

  async #store(id, name, text, before) {
    const key = `${id} ${name}`
    try {
      const theirs = await this.#put(`${this.path}/${id}`, name, text)
      if (this.texts.get(key) === text) this.texts.delete(key)
      this.editor.tell(say("Saved"))
      const { name: of } = this.threats.find((one) => one.id === id) ?? {}
      if (differs(theirs, before, text)) replaced(this.editor, [of, titles()[name]].filter(Boolean).join(", "), theirs, () => this.#write(id, name, theirs, text))
    } catch (error) {
      this.editor.notice(error.message, "warning")
    }
    await this.load()
  }

  /** Writes over whatever is there, and answers what that was. */
  async #put(path, name, text, tries = TRIES) {
    const { data, etag } = await ask("GET", path, undefined, { tagged: true })
    const theirs = data[name] ?? ""
    try {
      if (theirs !== text) await ask("PATCH", path, { [name]: text || null }, { etag })
    } catch (error) {
      if (error.status !== 412 || tries <= 1) throw error
      return this.#put(path, name, text, tries - 1)
    }
    return theirs
  }

  #form(id) {
    const { settings } = this.editor
    const name = h("input", { class: "form-control", required: true, maxlength: 256, "aria-label": say("Name of the new threat"), placeholder: say("What can go wrong?") })
    const kind = h("select", { class: "form-select", "aria-label": say("Category") }, [["", say("no category")], ...settings.threat_types].map(([value, words]) => h("option", { value }, words)))
    const severity = h("select", { class: "form-select", "aria-label": say("Severity") }, settings.severities.map(([value, words]) => h("option", { value, selected: value === "medium" }, words)))
    const submit = async (event) => {
      event.preventDefault()
      const body = { name: name.value.trim(), severity: severity.value, diagram_id: settings.diagram_id, cell_id: id }
      if (kind.value) body.threat_type = kind.value
      const sent = this.drafts.held.get(id)
      const add = async () => {
        await ask("POST", this.path, body)
        this.drafts.clear(id, sent)
      }
      if (body.name) await this.#try(add, () => say("Threat added"))
      $(".new-threat input", this.root)?.focus()
    }
    const form = h("form", { class: "new-threat", onsubmit: submit }, h("h3", {}, say("New threat")), name, h("div", { class: "pair" }, kind, severity),
      h("button", { type: "submit", class: "btn btn-primary btn-sm" }, say("Add threat")))
    return this.drafts.kept(form, id, `${say("New threat")}: ${this.editor.name(id)}`)
  }

  /** What is written here and not added yet. */
  written() {
    const unsaved = this.threats.flatMap((one) => Object.keys(titles())
      .filter((name) => (this.texts.get(`${one.id} ${name}`) ?? one[name] ?? "") !== (one[name] ?? "")).map((name) => `${one.name}, ${titles()[name]}`))
    return [...this.drafts.titles((id) => this.editor.cell(id)), ...unsaved]
  }

  #save(threat, changes) {
    return this.#inTurn(() => this.#try(() => ask("PATCH", `${this.path}/${threat.id}`, changes), () => say("Saved")))
  }

  async #try(act, told) {
    try {
      await act()
      this.editor.tell(told())
    } catch (error) {
      this.editor.notice(error.message, "warning")
    }
    await this.load(true)
    this.draw()
  }
}

const titles = () => ({ description: say("Description"), mitigation: say("Mitigation") })

/** The shape and colour of a severity, without a number. */
export const shapeOf = (severity, theme) =>
  toDom(el("svg", { class: "shape", viewBox: "-2 0 32 32", "aria-hidden": "true" }, badgeMark({ x: 14, y: 14 }, { count: "", severity }, theme)))

/** For the links that leave the session open. */
export const elsewhere = () => h("span", { class: "visually-hidden" }, ` ${say("(opens in a new tab)")}`)

export const level = (severity) => (RANK.includes((severity ?? "").toLowerCase()) ? severity.toLowerCase() : "unknown")
const same = (value, known) => value.toLowerCase() === (known ?? "").toLowerCase()

function offered(choices, value, insist) {
  const known = choices.some(([one]) => same(one, value))
  return [...(insist && value ? [] : [["", "–"]]), ...choices, ...(known || !value ? [] : [[value, value]])]
}
