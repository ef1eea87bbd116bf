// What lies above the diagram and is not part of it: selections, handles, guides, other people. In pixels of the surface.
import { SIDES, grown, sideOf, union } from "./draw/geometry.js"
import { pathOf } from "./draw/flows.js"
import { el, number, toDom } from "./draw/markup.js"

/** @type {[string, number, number][]} */
const HANDLES = [["nw", 0, 0], ["n", 0.5, 0], ["ne", 1, 0], ["e", 1, 0.5], ["se", 1, 1], ["s", 0.5, 1], ["sw", 0, 1], ["w", 0, 0.5]]
// A finger catches a handle within this, in pixels.
const REACH = 14
// Up to how many cells are outlined one by one.
const MANY = 200

export class Overlay {
  /** @type {any} */ editor
  /** @type {any} */ canvas
  /** @type {any} */ svg
  /** @type {any} */ extras
  /** @type {any} */ hovered
  /** @type {any} */ others
  /** @type {any} */ waiting

  constructor(editor, canvas) {
    Object.assign(this, { editor, canvas })
    this.svg = toDom(el("svg", { class: "overlay", "aria-hidden": "true" }))
    canvas.host.append(this.svg)
    this.extras = {}
    this.hovered = null
    this.others = new Map()
    for (const name of ["selection", "cells", "tool", "past"]) editor.on(name, () => this.later())
    canvas.addEventListener("look", () => this.now())
  }

  /** Things that a gesture shows while it lasts; null ends it: rubber, guides, line, target, ghost. */
  show(extras) {
    this.extras = extras ?? {}
    this.later()
  }

  hover(id) {
    if (id === this.hovered) return
    this.hovered = id
    this.later()
  }

  later() {
    this.waiting ??= requestAnimationFrame(() => this.now())
  }

  now() {
    if (this.waiting) cancelAnimationFrame(this.waiting)
    this.waiting = null
    const drawn = [...this.#past(), ...this.#others(), ...this.#selection(), ...this.#ports(), ...this.#extras()]
    this.svg.replaceChildren(...drawn.filter(Boolean).map(toDom))
  }

  #outline(id, attrs, by = 3, scene = this.editor.scene) {
    const points = scene.routes.get(id)
    if (points) return el("path", { d: pathOf(points.map(this.canvas.toSurface)), fill: "none", ...attrs })
    const area = scene.areas.get(id)
    return area ? el("rect", { ...grown(this.canvas.areaToSurface(area), by), rx: 4, fill: "none", ...attrs }) : null
  }

  /** What is different between the two moments that are looked at; what only the other has is sketched. */
  #past() {
    const { past } = this.editor
    if (!past) return []
    return [...past.marks].map(([id, what]) => {
      if (this.editor.cell(id)) return this.#outline(id, { class: `was was-${what}` }, 4)
      return this.#outline(id, { class: `was was-${what} was-elsewhere` }, 0, past.ghosts)
    })
  }

  #selection() {
    const { editor } = this
    const ids = [...editor.selection]
    if (!ids.length) return []
    const drawn = ids.length <= MANY ? ids.map((id) => this.#outline(id, { class: "chosen" })) : []
    if (ids.length > 1) {
      const around = editor.scene.bounds(ids)
      if (around) drawn.push(el("rect", { ...grown(this.canvas.areaToSurface(around), 8), class: "chosen-together" }))
    } else drawn.push(...this.#handles(ids[0]))
    return drawn
  }

  #handles(id) {
    const { editor } = this
    const cell = editor.cell(id)
    if (!editor.mayEdit || editor.tool !== "select" || !cell || cell.properties?.locked === true || this.extras.busy) return []
    const area = editor.scene.areas.get(id)
    if (area) {
      const on = grown(this.canvas.areaToSurface(area), 3)
      // Handles that lie on each other are of no use.
      if (Math.min(on.width, on.height) < 24) return []
      return HANDLES.flatMap(([name, x, y]) => {
        const at = { x: on.x + on.width * x, y: on.y + on.height * y }
        return [
          el("circle", { cx: at.x, cy: at.y, r: REACH, class: `handle-reach handle-${name}`, "data-handle": name }),
          el("rect", { x: at.x - 4, y: at.y - 4, width: 8, height: 8, rx: 2, class: `handle handle-${name}`, "data-handle": name }),
        ]
      })
    }
    const points = editor.scene.routes.get(id)
    if (!points) return []
    const dots = [["source", points[0]], ["target", points.at(-1)]].flatMap(([name, at]) => this.#dot(at, "end", { "data-end": name }))
    const vertices = cell.vertices ?? []
    dots.push(...vertices.flatMap((at, index) => this.#dot(at, "vertex", { "data-vertex": index })))
    return dots
  }

  #dot(at, name, attrs) {
    const { x, y } = this.canvas.toSurface(at)
    return [
      el("circle", { cx: x, cy: y, r: REACH, class: `handle-reach ${name}`, ...attrs }),
      el("circle", { cx: x, cy: y, r: 5, class: `handle ${name}`, ...attrs }),
    ]
  }

  /** The four places to start a flow from, on the shape under the pointer or the one that is selected. */
  #ports() {
    const { editor } = this
    const { tool } = editor
    if (!editor.mayEdit || this.extras.busy || !["select", "data_flow"].includes(tool)) return []
    const id = this.hovered ?? (editor.selection.size === 1 ? [...editor.selection][0] : null)
    const area = editor.scene.areas.get(id)
    const kind = editor.cell(id)?.type
    if (!area || kind === "text" || kind === "trust_boundary") return []
    const on = grown(this.canvas.areaToSurface(area), 14)
    if (Math.min(on.width, on.height) < 40) return []
    return SIDES.flatMap((side) => {
      const { x, y } = sideOf(on, side)
      return [
        el("circle", { cx: x, cy: y, r: 9, class: "port-reach", "data-port": side, "data-of": id }),
        el("circle", { cx: x, cy: y, r: 4.5, class: "port" }),
      ]
    })
  }

  #extras() {
    const { rubber, guides = [], line, target, ghost, drop } = this.extras
    const { areaToSurface, toSurface } = this.canvas
    const bounds = { width: this.canvas.host.clientWidth, height: this.canvas.host.clientHeight }
    return [
      rubber ? el("rect", { ...areaToSurface(rubber), class: "rubber" }) : null,
      ghost ? el(ghost.kind === "process" ? "ellipse" : "rect", ghostShape(ghost.kind, areaToSurface(ghost.area))) : null,
      drop ? this.#outline(drop, { class: "target" }, 0) : null,
      target ? this.#outline(target, { class: "target" }) : null,
      line ? el("path", { d: pathOf(line.map(toSurface)), class: "new-flow" }) : null,
      ...guides.map(({ x, y }) =>
        x === undefined
          ? el("path", { d: `M0 ${number(toSurface({ x: 0, y }).y)}H${bounds.width}`, class: "guide" })
          : el("path", { d: `M${number(toSurface({ x, y: 0 }).x)} 0V${bounds.height}`, class: "guide" }),
      ),
    ]
  }

  /** Other people's selections and pointers: {name, colour, selected, cursor} by id. */
  #others() {
    const drawn = []
    for (const { name, colour, selected = [], cursor } of this.others.values()) {
      for (const id of selected.slice(0, MANY)) drawn.push(this.#outline(id, { class: "theirs", stroke: colour }, 5))
      const first = selected.length && this.editor.scene.extent(selected[0])
      if (first && !cursor) drawn.push(nameTag(this.canvas.areaToSurface(first), name, colour))
    }
    for (const { name, colour, cursor } of this.others.values()) {
      if (!cursor) continue
      const { x, y } = this.canvas.toSurface(cursor)
      drawn.push(
        el("g", { transform: `translate(${number(x)} ${number(y)})`, class: "pointer" },
          el("path", { d: "M0 0 4.5 14.5 7.2 8.6 13.4 7z", fill: colour, stroke: "#fff", "stroke-width": 1.2 }),
          nameTag({ x: 12, y: 32 }, name, colour)),
      )
    }
    return drawn
  }

  /** The box around the selection on the surface; null without one. */
  selectionBox() {
    const area = union([...this.editor.selection].map((id) => this.editor.scene.extent(id)).filter(Boolean))
    return area && this.canvas.areaToSurface(area)
  }
}

function ghostShape(kind, area) {
  if (kind !== "process") return { ...area, class: `ghost ghost-${kind}` }
  return { cx: area.x + area.width / 2, cy: area.y + area.height / 2, rx: area.width / 2, ry: area.height / 2, class: "ghost" }
}

function nameTag(at, name, colour) {
  const wide = Math.min(name.length * 6.6 + 12, 160)
  return el("g", { class: "name-tag" },
    el("rect", { x: at.x, y: at.y - 18, width: wide, height: 17, rx: 4, fill: colour }),
    el("text", { x: at.x + 6, y: at.y - 5.5 }, name.length > 22 ? `${name.slice(0, 21)}…` : name))
}
