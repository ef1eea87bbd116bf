// The properties of what is selected; of nothing selected, what the diagram holds.
import { askAll } from "../api.js"
import { THEMES } from "../draw/look.js"
import { boxOf, pointsOf } from "../draw/geometry.js"
import { h, keepingFocus } from "../dom.js"
import { KINDS, say, sayMany } from "../words.js"
import { LEAST, changeSteps, flowSteps, isLocked, movable, moveSteps, resizeSteps, rounded } from "../commands/steps.js"
import { kindAndName } from "./did.js"
import { Drafts } from "./drafts.js"
import { afterwards, check, choice, colour, line } from "./fields.js"
import { Metadata } from "./metadata.js"
import { flags, words } from "./names.js"
import { differs, replacedProperty } from "../replaced.js"

// Shown by fields of their own.
const OWN = new Set(["label", "description", "out_of_scope_reason", "locked", "line"])

export class Properties {
  /** @type {any} */ editor
  /** @type {any} */ root
  /** @type {any} */ run
  /** @type {any} */ shown
  /** @type {any} */ assets
  /** @type {any} */ metadata
  /** Further properties, by element. */
  drafts = new Drafts()

  constructor(editor, root, { run }) {
    Object.assign(this, { editor, root, run, metadata: new Metadata(editor) })
    editor.on("selection", () => this.draw())
    editor.on("cells", ({ ids, whole }) => {
      if (whole || !this.shown?.length || this.shown.some((id) => ids.has(id))) this.refresh()
    })
    this.draw()
  }

  /** Anew, but not under the fingers of who is typing. */
  refresh() {
    const busy = this.root.contains(document.activeElement) && document.activeElement.matches("input:not([type=checkbox]), textarea")
    if (!busy) return this.draw()
    this.root.addEventListener("focusout", () => afterwards(() => this.draw()), { once: true })
  }

  draw() {
    const cells = this.editor.selected()
    const place = this.root.scrollTop
    this.shown = cells.map((cell) => cell.id)
    const opened = new Set([...this.root.querySelectorAll("details[open]")].map((one) => one.dataset.part))
    keepingFocus(this.root, () => {
      this.root.replaceChildren(...(cells.length === 0 ? this.#summary() : cells.length === 1 ? this.#one(cells[0]) : this.#many(cells)))
      for (const one of this.root.querySelectorAll("details")) if (opened.has(one.dataset.part)) one.open = true
    })
    this.root.scrollTop = place
  }

  /** Changes the cells by what `wanted` makes of each. */
  #change(cells, wanted) {
    const now = cells.map((cell) => this.editor.cell(cell.id)).filter(Boolean)
    const what = now.length === 1 ? kindAndName(now[0]) : sayMany("%(count)s element", "%(count)s elements", now.length)
    return this.editor.change(now.flatMap((cell) => changeSteps(cell, wanted(cell))), { tell: say("%(what)s changed", { what }) })
  }

  #property(cells, name, value) {
    return this.#change(cells, (cell) => {
      const { [name]: _, ...rest } = cell.properties
      return { ...cell, properties: value === "" || value === null || value === undefined ? rest : { ...rest, [name]: value } }
    })
  }

  /** A text of one element, over what its field has shown. */
  #text({ id }, name, text, before) {
    const cell = this.editor.cell(id)
    const theirs = cell?.properties[name]
    if (this.#property([{ id }], name, text) && differs(theirs, before, text)) replacedProperty(this.editor, id, name, theirs)
  }

  #summary() {
    const counts = new Map()
    for (const cell of this.editor.state.cells.values()) counts.set(cell.type, (counts.get(cell.type) ?? 0) + 1)
    const kinds = Object.entries(KINDS()).filter(([kind]) => counts.has(kind))
    return [
      h("h2", {}, say("Diagram")),
      h("p", { class: "quiet" }, say("Select an element to see and change its properties.")),
      h("dl", { class: "facts" }, kinds.flatMap(([kind, name]) => [h("dt", {}, name), h("dd", {}, String(counts.get(kind)))])),
      counts.size || !this.editor.mayEdit ? null : h("p", { class: "quiet" }, say("Start by choosing a shape at the left and drawing it. ? lists the keys.")),
    ].filter(Boolean)
  }

  #one(cell) {
    const readonly = !this.editor.mayEdit
    const own = [cell]
    const { properties: p } = cell
    const kind = KINDS()[cell.type] ?? cell.type
    return [
      h("h2", {}, kind),
      line(say("Name"), p.label, (value, before) => this.#text(cell, "label", value.trimEnd(), before), { readonly, multi: true, rows: 1, maxlength: 2000 }),
      line(say("Description"), p.description, (value, before) => this.#text(cell, "description", value, before), { readonly, multi: true, maxlength: 2000 }),
      ...this.#ends(cell),
      ...this.#scope(own, readonly),
      this.#details(cell, readonly),
      this.#assets(cell, readonly),
      this.#place(cell, readonly || isLocked(cell)),
      this.#style(own, readonly),
      this.metadata.part(cell, readonly),
    ].filter(Boolean)
  }

  #many(cells) {
    const readonly = !this.editor.mayEdit
    const button = (id, title) => h("button", { type: "button", class: "btn btn-quiet btn-sm", disabled: readonly, onclick: () => this.run(id) }, title)
    return [
      h("h2", {}, sayMany("%(count)s element selected", "%(count)s elements selected", cells.length)),
      h("div", { class: "buttons", role: "group", "aria-label": say("Align") },
        button("align.left", say("Left")), button("align.center", say("Centre")), button("align.right", say("Right")),
        button("align.top", say("Top")), button("align.middle", say("Middle")), button("align.bottom", say("Bottom")),
        cells.length > 2 ? [button("distribute.x", say("Space across")), button("distribute.y", say("Space down"))] : null),
      ...this.#scope(cells, readonly),
      this.#style(cells, readonly),
    ]
  }

  #ends(cell) {
    if (cell.type !== "data_flow") return []
    const readonly = !this.editor.mayEdit
    return [
      ...[["source", say("From"), say("Side where it begins")], ["target", say("To"), say("Side where it ends")]]
        .flatMap(([end, title, side]) => [this.#end(cell, end, title, readonly || isLocked(cell)), this.#side(cell, end, side, readonly || isLocked(cell))]),
      check(say("Both ways"), cell.bidirectional === true, (on) => this.#change([cell], (one) => {
        const { bidirectional: _, ...rest } = one
        return on ? { ...rest, bidirectional: true } : rest
      }), { readonly }),
      this.#bends(cell, readonly || isLocked(cell)),
    ].filter(Boolean)
  }

  /** What a flow begins or ends on; another shape can be chosen. */
  #end(cell, end, title, readonly) {
    const now = cell[end]?.cell ?? ""
    const shapes = [...this.editor.scene.areas.keys()].filter((id) => !["text", "trust_boundary"].includes(this.editor.cell(id)?.type) || id === now)
    const named = shapes.map((id) => [id, this.editor.name(id)]).sort(([, one], [, other]) => one.localeCompare(other))
    const change = (id) => this.#route(cell, { [end]: id ? { cell: id } : this.#anchor(cell, end) }, id ? say("Reconnected") : say("Detached"))
    return choice(title, now, [["", say("not connected")], ...named], change, { readonly })
  }

  /** Where an end is drawn now. */
  #anchor(cell, end) {
    const points = this.editor.scene.routes.get(cell.id)
    const { x, y } = points?.at(end === "source" ? 0 : -1) ?? { x: 0, y: 0 }
    return { x: rounded(x), y: rounded(y) }
  }

  #side(cell, end, title, readonly) {
    const at = cell[end]?.cell
    if (!at) return null
    const sides = [["", say("as it comes")], ["top", say("top")], ["right", say("right")], ["bottom", say("bottom")], ["left", say("left")]]
    const change = (port) => this.#route(cell, { [end]: port ? { cell: at, port } : { cell: at } }, say("Reconnected"))
    return choice(title, cell[end].port ?? "", sides, change, { readonly })
  }

  #route(cell, change, tell) {
    const now = this.editor.cell(cell.id)
    if (now) this.editor.change(flowSteps(now, change), { tell })
  }

  /** The vertices of a flow, for those who do not drag. */
  #bends(cell, readonly) {
    const points = pointsOf(cell.vertices)
    const title = (index, name) => say("Bend %(number)s: %(what)s", { number: index + 1, what: name })
    const move = (index, name) => (text) => {
      if (text === "" || !Number.isFinite(Number(text))) return
      this.#route(cell, { vertices: points.with(index, { ...points[index], [name]: Number(text) }) }, say("Bent"))
    }
    const number = (index, name, words) => line(title(index, words), String(points[index][name]), move(index, name), { readonly, type: "number", step: "any" })
    const remove = (index) => h("button", { type: "button", class: "tiny", disabled: readonly, "aria-label": title(index, say("remove")), onclick: () => this.#route(cell, { vertices: points.toSpliced(index, 1) }, say("Bend removed")) }, "×")
    return h("details", { "data-part": "bends" }, h("summary", {}, say("Bends"), " ", h("span", { class: "count" }, String(points.length))),
      points.map((_, index) => h("div", { class: "pair" }, number(index, "x", say("Left")), number(index, "y", say("Top")), remove(index))),
      readonly ? null : h("button", { type: "button", class: "btn btn-quiet btn-sm", onclick: () => this.run("flow.bend") }, say("Bend the flow")))
  }

  /** Where a shape lies and how large it is, for those who do not drag. */
  #place(cell, readonly) {
    const area = boxOf(cell)
    if (!area) return null
    const { editor } = this
    const change = (name) => (text) => {
      const value = Number(text)
      const now = boxOf(editor.cell(cell.id) ?? {})
      if (!now || text === "" || !Number.isFinite(value)) return
      const wanted = { ...now, [name]: name in LEAST ? Math.max(value, LEAST[name]) : value }
      const sized = name in LEAST
      editor.change(sized ? resizeSteps(editor, cell.id, wanted) : moveSteps(editor, movable(editor, [cell.id]), wanted.x - now.x, wanted.y - now.y), { tell: sized ? say("Resized") : say("Moved") })
    }
    const number = (name, title) => line(title, String(Math.round(area[name] * 100) / 100), change(name), { readonly, type: "number", step: "any" })
    return h("details", { "data-part": "place" }, h("summary", {}, say("Place and size")),
      h("div", { class: "pair" }, number("x", say("Left")), number("y", say("Top"))), h("div", { class: "pair" }, number("width", say("Width")), number("height", say("Height"))))
  }

  #scope(cells, readonly) {
    const outside = cells.filter((cell) => cell.out_of_scope === true)
    const value = outside.length === cells.length ? true : outside.length ? null : false
    const change = (on) => {
      this.#change(cells, (cell) => {
        const { out_of_scope: _, ...rest } = cell
        return on ? { ...rest, out_of_scope: true } : rest
      })
      if (on) requestAnimationFrame(() => this.root.querySelector("[data-reason]")?.focus())
    }
    const reason = cells.length === 1 ? (cells[0].properties.out_of_scope_reason ?? "") : ""
    return [
      check(say("Out of scope"), value, change, { readonly }),
      value ? line(say("Reason"), reason, (text, before) => this.#text(cells[0], "out_of_scope_reason", text, before), { readonly, multi: true, rows: 2, "data-reason": true, hint: say("Why nobody looks at this here.") }) : null,
    ].filter(Boolean)
  }

  #details(cell, readonly) {
    const own = [cell]
    const [known, texts] = [flags()[cell.type] ?? [], words()[cell.type] ?? []]
    const named = new Set([...known, ...texts].map(([name]) => name))
    const free = Object.entries(cell.properties).filter(([name]) => !OWN.has(name) && !named.has(name))
    if (cell.type === "text") return null
    return h("details", { "data-part": "details", open: true }, h("summary", {}, say("Details")),
      ...texts.map(([name, title]) => line(title, cell.properties[name], (value, before) => this.#text(cell, name, value, before), { readonly, maxlength: 200 })),
      ...known.map(([name, title]) => check(title, cell.properties[name] === true, (on) => this.#property(own, name, on || null), { readonly })),
      ...free.map(([name, value]) => this.#free(cell, name, value, readonly)),
      readonly ? null : this.#another(cell))
  }

  /** Any other key. What is no plain value is shown, and kept as it is. */
  #free(cell, name, value, readonly) {
    if (typeof value === "boolean") return check(name, value, (on) => this.#property([cell], name, on), { readonly })
    if (typeof value === "string" || typeof value === "number") {
      const change = (text, before) => this.#text(cell, name, typeof value === "number" && text !== "" && Number.isFinite(Number(text)) ? Number(text) : text, before)
      return line(name, String(value), change, { readonly, maxlength: 2000, "data-property": name })
    }
    return line(name, JSON.stringify(value), () => {}, { readonly: true })
  }

  /** A name and a value; nothing is stored before there is a value. */
  #another(cell) {
    const input = (title, maxlength, placeholder) => h("input", { class: "form-control", required: true, "aria-label": title, placeholder, maxlength })
    const name = input(say("Name of a further property"), 60, say("further property"))
    const value = input(say("Value of a further property"), 2000, say("value"))
    const add = (event) => {
      event.preventDefault()
      const [key, text] = [name.value.trim(), value.value.trim()]
      const now = this.editor.cell(cell.id)
      if (!key || !text || !now) return
      if (OWN.has(key) || Object.hasOwn(now.properties, key)) return this.editor.notice(say("There is a property of this name already."), "warning")
      if (!this.#property([cell], key, text)) return
      this.drafts.clear(cell.id)
      this.root.querySelector(":focus")?.blur()
      this.draw()
      this.root.querySelector(`[data-property="${CSS.escape(key)}"]`)?.focus()
    }
    const form = h("form", { class: "another", onsubmit: add }, name, value, h("button", { type: "submit", class: "btn btn-quiet btn-sm" }, say("Add")))
    return this.drafts.kept(form, cell.id, `${say("further property")}: ${this.editor.name(cell.id)}`)
  }

  /** What is written here and not added yet. */
  written() {
    return this.drafts.titles((id) => this.editor.cell(id))
  }

  /** Which assets of the threat model the element holds, or carries. */
  #assets(cell, readonly) {
    if (cell.type === "text" || cell.type === "trust_boundary") return null
    if (this.assets === undefined) this.#loadAssets()
    const held = cell.data_asset_ids ?? []
    const list = this.assets ?? []
    if (!list.length && !held.length) return null
    const change = (id, on) => this.#change([cell], (one) => {
      const { data_asset_ids: old = [], ...rest } = one
      const wanted = on ? [...old.filter((other) => other !== id), id] : old.filter((other) => other !== id)
      return wanted.length ? { ...rest, data_asset_ids: wanted } : rest
    })
    return h("details", { "data-part": "assets", open: held.length > 0 }, h("summary", {}, say("Assets"), " ", h("span", { class: "count" }, String(held.length))),
      ...list.map((asset) => check(asset.name, held.includes(asset.id), (on) => change(asset.id, on), { readonly })))
  }

  async #loadAssets() {
    this.assets = null
    try {
      this.assets = await askAll(`/threat_models/${this.editor.settings.model_id}/assets?fields=id,name&sort=name`)
    } catch {
      this.assets = undefined
      return
    }
    this.refresh()
  }

  #style(cells, readonly) {
    const theme = THEMES.light
    const [first] = cells
    const style = first.style ?? {}
    const change = (name, value) => this.#change(cells, (cell) => {
      const { style: old = {}, ...rest } = cell
      const { [name]: _, ...others } = old
      const wanted = value === null || value === "" ? others : { ...others, [name]: value }
      return Object.keys(wanted).length ? { ...rest, style: wanted } : rest
    })
    const usual = { process: theme.process, datastore: theme.datastore, external_entity: theme.externalEntity }[first.type] ?? theme.paper
    return h("details", { "data-part": "style" }, h("summary", {}, say("Style")),
      colour(say("Fill"), style.fill, usual, (value) => change("fill", value), { readonly }),
      colour(say("Line"), style.stroke, theme.ink, (value) => change("stroke", value), { readonly }),
      colour(say("Text"), style.text_color, theme.ink, (value) => change("text_color", value), { readonly }),
      choice(say("Line style"), style.dash ?? "", [["", say("as usual")], ["1 3", say("dotted")], ["6 4", say("dashed")], ["12 4", say("long dashes")]], (value) => change("dash", value), { readonly }),
      choice(say("Line width"), String(style.stroke_width ?? ""), [["", say("as usual")], ["1", "1"], ["2", "2"], ["3", "3"], ["5", "5"]], (value) => change("stroke_width", value && Number(value)), { readonly }),
      choice(say("Text size"), String(style.font_size ?? ""), [["", say("as usual")], ["11", "11"], ["16", "16"], ["20", "20"], ["28", "28"]], (value) => change("font_size", value && Number(value)), { readonly }))
  }
}
