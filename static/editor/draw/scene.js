// Where everything of a diagram lies: boxes, routes of flows, places of labels. Kept up to date cell by cell. Pure.
import { badgeBox, badgeOf } from "./badges.js"
import { around, boxOf, corners, fromPath, grown, holds, meets, union } from "./geometry.js"
import { flowLabel, flowLines, placeLabel, route, together } from "./flows.js"
import { boundaryLabelBox, shape } from "./shapes.js"
import { el, toSource } from "./markup.js"
import { FONT } from "./look.js"
import { Room } from "./room.js"

const MARGIN = 24
// Of layers: boundaries, shapes and flows never mix, whatever `z` says.
const BAND = 10_000_000
const MOST_Z = 4_000_000

/** Whether it can be in front of others at all: boundaries are behind anyway, and flows in front. */
export const isStacked = (cell) => cell.type !== "trust_boundary" && cell.type !== "data_flow"

/** How far in front a shape was put. */
export const levelOf = (cell) => (Number.isInteger(cell.z) ? cell.z : 0)

export class Scene {
  /** @type {any} */ theme
  /** @type {any} */ cells
  /** @type {any} */ areas
  /** @type {any} */ routes
  /** @type {any} */ labels
  /** @type {any} */ groups
  /** @type {any} */ groupOf
  /** @type {any} */ onCell
  /** @type {any} */ badges
  /** @type {any} */ extents
  /** @type {any} */ room

  /** `cells` is a Map of cells by id that its owner keeps; `attached(id)` are the ids of the flows on a cell. */
  constructor(theme) {
    this.theme = theme
    this.clear()
  }

  clear() {
    this.cells = new Map()
    this.areas = new Map()
    this.routes = new Map()
    this.labels = new Map()
    this.groups = new Map()
    this.groupOf = new Map()
    this.onCell = new Map()
    this.badges = new Map()
    this.extents = new Map()
    this.room = new Room()
  }

  shapes = (id) => {
    const area = this.areas.get(id)
    return area ? { area, kind: this.cells.get(id).type } : null
  }

  /** Takes cells over (null: it is gone); answers the ids whose drawing is another now, with those of dragged-along flows. */
  put(entries) {
    const touched = new Set()
    const flows = new Set()
    for (const [id, cell] of entries) {
      touched.add(id)
      this.extents.delete(id)
      const old = this.cells.get(id)
      if (old?.type === "data_flow") this.#forgetFlow(id, flows)
      if (cell) this.cells.set(id, cell)
      else this.cells.delete(id)
      if (cell?.type === "data_flow") this.#noteFlow(cell, flows)
      else this.#putBox(id, cell, flows)
    }
    for (const id of flows) touched.add(id)
    this.#routeAll(flows)
    return touched
  }

  /** Boxes that are being dragged lie elsewhere than their cells say; answers the flows that follow. */
  move(areas) {
    const flows = new Set()
    for (const [id, area] of areas) {
      this.areas.set(id, area)
      this.extents.delete(id)
      this.#place(id)
      for (const flow of this.onCell.get(id) ?? []) flows.add(flow)
    }
    this.#routeAll(flows)
    return flows
  }

  setBadges(badges) {
    const changed = new Set([...this.badges.keys(), ...badges.keys()])
    this.badges = badges
    this.#routeAll(new Set([...changed].filter((id) => this.routes.has(id))))
    return changed
  }

  /** The drawing of a cell, at `origin` when it is a shape; null when there is nothing to draw. */
  draw(id, origin = null) {
    const cell = this.cells.get(id)
    if (!cell) return null
    const badge = this.badges.get(id)
    if (cell.type === "data_flow") {
      const points = this.routes.get(id)
      const label = this.labels.get(id)
      return points ? el("g", {}, flowLines(cell, points, this.theme), label ? flowLabel(label, this.theme, badge) : null) : null
    }
    const area = this.areas.get(id)
    if (!area) return null
    const here = origin ? { ...area, ...origin } : area
    return el("g", {}, shape(cell, here, this.theme), badge ? badgeOf(here, badge, this.theme) : null)
  }

  /** What a cell's drawing covers; null when it has none. */
  extent(id) {
    let known = this.extents.get(id)
    if (known === undefined) this.extents.set(id, (known = this.#extent(id)))
    return known
  }

  #extent(id) {
    const points = this.routes.get(id)
    if (!points) return this.areas.get(id) ?? null
    const label = this.labels.get(id)
    return grown(around([...points, ...(label ? corners(label.place) : [])]), 12)
  }

  /** The ids of the cells whose drawings reach into an area. */
  within(area) {
    const found = []
    for (const id of this.cells.keys()) {
      const extent = this.extent(id)
      if (extent && meets(area, extent)) found.push(id)
    }
    return found
  }

  /** What lies at a point, the foremost; `reach` is how near a line has to be. Null on empty ground. */
  at(where, reach) {
    const area = { x: where.x - reach, y: where.y - reach, width: 2 * reach, height: 2 * reach }
    const hit = this.within(area).filter((id) => this.#hits(id, where, reach))
    return hit.sort(this.inOrder).at(-1) ?? null
  }

  #hits(id, where, reach) {
    const points = this.routes.get(id)
    if (points) return fromPath(points, where) <= reach
    const area = this.areas.get(id)
    // Of a boundary only the border counts.
    return this.cells.get(id).type !== "trust_boundary" || !holds(grown(area, -reach), where)
  }

  /** The box around the drawings of these cells, of all without `ids`. */
  bounds(ids = this.cells.keys()) {
    return union([...ids].map((id) => this.extent(id)).filter(Boolean))
  }

  /** A standalone SVG document of these cells, of all without `ids`. */
  document(title, ids = null) {
    const wanted = this.stacked().filter((id) => !ids || ids.has(id))
    const frame = grown(this.bounds(wanted) ?? { x: 0, y: 0, width: 320, height: 180 }, MARGIN)
    return toSource(
      el(
        "svg",
        {
          xmlns: "http://www.w3.org/2000/svg", viewBox: [frame.x, frame.y, frame.width, frame.height].join(" "),
          width: frame.width, height: frame.height, role: "img", "font-family": FONT,
        },
        title ? el("title", {}, title) : null,
        el("rect", { ...frame, fill: this.theme.paper }),
        ...wanted.map((id) => this.draw(id)),
      ),
    )
  }

  /** How far in front a cell is: boundaries behind, the larger the further, then shapes by z, texts before others, then flows. */
  layer(id) {
    const cell = this.cells.get(id)
    if (cell.type === "data_flow") return 3 * BAND
    const area = this.areas.get(id)
    if (cell.type === "trust_boundary") return area ? -Math.round(Math.sqrt(area.width * area.height)) : 0
    return 2 * BAND + 2 * Math.max(-MOST_Z, Math.min(MOST_Z, levelOf(cell))) + (cell.type === "text" ? 1 : 0)
  }

  /** From behind to the front, the same for everybody: what is equally far in front lies by its id. */
  inOrder = (a, b) => this.layer(a) - this.layer(b) || (a < b ? -1 : 1)

  stacked() {
    return [...this.cells.keys()].sort(this.inOrder)
  }

  /** The level above all shapes that lie where this area is; null when there are none. */
  above(area) {
    const below = this.within(area).map((id) => this.cells.get(id)).filter(isStacked)
    return below.length ? below.reduce((most, cell) => Math.max(most, levelOf(cell)), -Infinity) + 1 : null
  }

  #putBox(id, cell, flows) {
    const area = cell ? boxOf(cell) : null
    if (area) this.areas.set(id, area)
    else this.areas.delete(id)
    this.#place(id)
    for (const flow of this.onCell.get(id) ?? []) flows.add(flow)
  }

  /** Tells the room what a shape takes; a boundary takes only what its name does. */
  #place(id) {
    const [cell, area] = [this.cells.get(id), this.areas.get(id)]
    if (cell?.type === "trust_boundary") this.room.put(id, area ? boundaryLabelBox(cell, area, this.theme) : null)
    else this.room.put(id, area ?? null)
    this.room.put(`${id} badge`, area && this.badges.has(id) ? badgeBox(area) : null)
  }

  #noteFlow(flow, flows) {
    flows.add(flow.id)
    for (const end of [flow.source?.cell, flow.target?.cell]) if (typeof end === "string") listed(this.onCell, end).add(flow.id)
    const key = together(flow)
    if (key === null) return
    this.groupOf.set(flow.id, key)
    for (const other of listed(this.groups, key).add(flow.id)) flows.add(other)
  }

  #forgetFlow(id, flows) {
    const old = this.cells.get(id)
    for (const end of [old.source?.cell, old.target?.cell]) this.onCell.get(end)?.delete(id)
    const key = this.groupOf.get(id)
    this.groupOf.delete(id)
    const group = this.groups.get(key)
    group?.delete(id)
    for (const other of group ?? []) flows.add(other)
    this.routes.delete(id)
    this.labels.delete(id)
    this.room.put(`${id} label`, null)
  }

  #routeAll(flows) {
    for (const id of flows) this.room.put(`${id} label`, null)
    for (const id of flows) {
      const flow = this.cells.get(id)
      if (flow?.type !== "data_flow") continue
      // By their ids, so that everybody sees the same one above, however it came to be there.
      const group = [...(this.groups.get(this.groupOf.get(id)) ?? [id])].sort()
      const points = route(flow, this.shapes, group.indexOf(id), group.length)
      if (points) this.routes.set(id, points)
      else this.routes.delete(id)
    }
    for (const id of flows) this.#label(id)
  }

  #label(id) {
    const points = this.routes.get(id)
    const label = points ? placeLabel(this.cells.get(id), points, this.room, this.theme, this.badges.get(id)) : null
    if (label) this.labels.set(id, label)
    else this.labels.delete(id)
    this.room.put(`${id} label`, label?.place ?? null)
    this.extents.delete(id)
  }
}

function listed(index, key) {
  if (!index.has(key)) index.set(key, new Set())
  return index.get(key)
}
