// The one object that the parts of the editor share: cells, selection, tool, and the way to change any of them.
import { centre, contains, pointsOf } from "./draw/geometry.js"
import { THEMES, labelOf } from "./draw/look.js"
import { Scene } from "./draw/scene.js"
import { uuid } from "./dom.js"
import { Rejected, same, wellFormed } from "./state.js"
import { split } from "./sync/split.js"
import { KINDS, say, sayMany } from "./words.js"

export const GRID = 10

export class Editor extends EventTarget {
  /** @type {any} */ settings
  /** @type {any} */ reconciler
  /** @type {any} */ kept
  /** @type {any} */ scene
  /** @type {any} */ selection
  /** @type {any} */ tool
  /** @type {any} */ allowed
  /** @type {any} */ past
  /** @type {any} */ snapping
  /** @type {any} */ undoing
  /** @type {any} */ badges

  /** `kept` holds what is unsent; `connection` and `undoing` are set once there are. */
  constructor(settings, reconciler, kept) {
    super()
    Object.assign(this, { settings, reconciler, kept })
    this.scene = new Scene(THEMES[document.documentElement.dataset.bsTheme] ?? THEMES.light)
    this.selection = new Set()
    this.tool = "select"
    this.allowed = settings.may_edit
    // The moment that is looked at instead of now: {state, number, changed, added}.
    this.past = null
    this.snapping = true
  }

  get state() {
    return this.past?.state ?? this.reconciler.state
  }

  get mayEdit() {
    return this.allowed && !this.past
  }

  cell = (id) => this.state.get(id)

  name = (id) => {
    const cell = this.cell(id)
    return (cell && labelOf(cell).trim()) || KINDS()[cell?.type] || say("Element")
  }

  selected() {
    return [...this.selection].map(this.cell).filter(Boolean)
  }

  /** Carries steps out here and sends them. Answers whether they were carried out. */
  change(steps, { select = null, tell = "" } = {}) {
    if (!this.mayEdit || !steps.length) return false
    const portions = split(wellFormed(steps)).map((portion) => [uuid(), portion])
    const changed = new Set()
    try {
      for (const [id, portion] of portions) for (const cell of this.reconciler.local(id, portion).changed) changed.add(cell)
    } catch (error) {
      // All of it or nothing.
      for (const [id] of portions.toReversed()) for (const cell of this.reconciler.withdraw(id)?.changed ?? []) changed.add(cell)
      this.show(changed)
      if (!(error instanceof Rejected)) throw error
      if (error.reason !== "no_state_change") this.notice(error.message, "warning")
      return false
    }
    this.undoing?.made(portions.map(([id]) => id))
    // Others wait for it longer than who has made it: it goes off before it is drawn here.
    this.connection?.flush()
    this.show(changed)
    this.keep()
    if (select) this.select(select)
    if (tell) this.tell(tell)
    return true
  }

  keep() {
    const safe = this.kept.put(this.reconciler.pending)
    this.emit("pending", { safe })
  }

  /** Brings the canvas up to what the cells are now. */
  show(ids, { whole = false, live = true } = {}) {
    // What happens now is drawn when one is back from the past.
    if (live && this.past && !whole) return
    if (whole) {
      this.scene.clear()
      this.scene.badges = this.badges ?? new Map()
      this.scene.put(this.state.cells.entries())
      this.canvas?.reset()
    } else if (ids.size) {
      const touched = this.scene.put([...ids].map((id) => [id, this.cell(id) ?? null]))
      this.canvas?.sync(touched)
    }
    const gone = [...this.selection].filter((id) => !this.state.cells.has(id))
    if (gone.length) this.select([...this.selection].filter((id) => this.state.cells.has(id)))
    this.emit("cells", { ids, whole })
  }

  /** Shows a moment of the past, or the present again (null). Nothing is changed while one looks back. */
  lookBack(past) {
    const before = this.state.cells
    const back = Boolean(this.past) !== Boolean(past)
    this.past = past
    const ids = new Set([...before.keys(), ...this.state.cells.keys()])
    this.show(new Set([...ids].filter((id) => !same(before.get(id), this.state.cells.get(id)))), { live: false })
    if (back) this.use("select")
    this.emit("past", { back })
    // What may be done has changed with it.
    if (back) this.emit("selection")
  }

  select(ids, { quiet = false } = {}) {
    const wanted = new Set([...ids].filter((id) => this.state.cells.has(id)))
    if (wanted.size === this.selection.size && [...wanted].every((id) => this.selection.has(id))) return
    this.selection = wanted
    this.emit("selection")
    if (!quiet) this.tell(this.#told())
  }

  #told() {
    const ids = [...this.selection]
    if (ids.length !== 1) return sayMany("%(count)s element selected", "%(count)s elements selected", ids.length)
    const cell = this.cell(ids[0])
    const kind = KINDS()[cell.type] ?? cell.type
    const threats = this.badges?.get(ids[0])?.count
    const more = threats ? `, ${sayMany("%(count)s open threat", "%(count)s open threats", threats)}` : ""
    if (cell.type !== "data_flow") return `${this.name(ids[0])}, ${kind}${more}`
    const end = (it) => (it?.cell ? this.name(it.cell) : say("nowhere"))
    const route = say("from %(source)s to %(target)s", { source: end(cell.source), target: end(cell.target) })
    return `${this.name(ids[0])}, ${kind}, ${route}${more}`
  }

  use(tool) {
    if (!this.mayEdit && tool !== "hand") tool = "select"
    if (tool === this.tool) return
    this.tool = tool
    this.emit("tool")
  }

  setTheme(name) {
    this.scene.theme = THEMES[name] ?? THEMES.light
    this.show(new Set(), { whole: true })
  }

  setBadges(badges) {
    this.badges = badges
    this.canvas?.sync(this.scene.setBadges(badges))
    this.emit("badges")
  }

  /** What a screen reader hears. */
  tell(text) {
    this.emit("tell", { text })
  }

  /** What everybody sees for a while; with something to decide, `acts` as [title, run], until it is decided. */
  notice(text, kind = "info", { more = null, acts = [] } = {}) {
    this.emit("notice", { text, kind, more, acts })
  }

  emit(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }

  on(name, act) {
    this.addEventListener(name, (event) => act(event.detail))
    return this
  }

  /** These cells and all that lies in them. */
  withContents(ids) {
    const found = new Set()
    const queue = [...ids]
    while (queue.length) {
      const id = queue.pop()
      if (found.has(id)) continue
      found.add(id)
      queue.push(...this.state.children(id))
    }
    return found
  }

  /** The innermost boundary that an area lies in; `moving` cells do not count. */
  boundaryAround(area, moving = new Set()) {
    let [found, least] = [null, Infinity]
    for (const [id, outer] of this.scene.areas) {
      if (moving.has(id) || this.scene.cells.get(id).type !== "trust_boundary") continue
      if (pointsOf(this.scene.cells.get(id).properties?.line).length >= 2) continue
      const size = outer.width * outer.height
      if (size < least && contains(outer, area)) [found, least] = [id, size]
    }
    return found
  }

  /** The shape at a point of the diagram that a flow can end on: the smallest, boundaries last. */
  shapeAt(at, reach = 0) {
    let [found, least] = [null, Infinity]
    for (const [id, area] of this.scene.areas) {
      const { type } = this.scene.cells.get(id)
      if (type === "text" || type === "trust_boundary") continue
      const near = at.x >= area.x - reach && at.y >= area.y - reach && at.x <= area.x + area.width + reach && at.y <= area.y + area.height + reach
      if (!near) continue
      const middle = centre(area)
      const far = Math.hypot(at.x - middle.x, at.y - middle.y)
      if (far < least) [found, least] = [id, far]
    }
    return found
  }
}
