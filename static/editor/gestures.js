// What the pointer does on the surface: choose, move, resize, draw, connect, bend, pan, pinch. Each ends in a command.
import { fromLine, meets, spanned, union, grown, contains, distance, centre } from "./draw/geometry.js"
import { GRID } from "./editor.js"
import { onGrid, snap } from "./guides.js"
import * as steps from "./commands/steps.js"
import { say, KINDS } from "./words.js"

// A pointer that moves less has clicked.
const SLACK = 4
// With more shapes in sight, those farther away do not guide.
const MOST_GUIDES = 400

export class Gestures {
  /** @type {boolean} */ spaceHeld
  /** @type {any} */ editor
  /** @type {any} */ canvas
  /** @type {any} */ overlay
  /** @type {any} */ editLabel
  /** @type {any} */ pointers
  /** @type {any} */ going
  /** @type {any} */ latest
  /** @type {any} */ frame

  constructor(editor, canvas, overlay, { editLabel }) {
    Object.assign(this, { editor, canvas, overlay, editLabel })
    this.pointers = new Map()
    const { host } = canvas
    host.addEventListener("pointerdown", (event) => this.#down(event))
    host.addEventListener("pointermove", (event) => this.#move(event))
    host.addEventListener("pointerup", (event) => this.#up(event))
    host.addEventListener("pointercancel", (event) => this.#up(event, true))
    host.addEventListener("pointerleave", () => overlay.hover(null))
    host.addEventListener("dblclick", (event) => this.#double(event))
    host.addEventListener("wheel", (event) => this.#wheel(event), { passive: false })
    editor.on("cells", () => this.#missing() && this.cancel())
  }

  /** Whether somebody has removed what the hand is at. */
  #missing() {
    return Boolean(this.going?.about?.some((id) => !this.editor.cell(id)))
  }

  /** Ends what is going on without doing it. Answers whether something was. */
  cancel() {
    const { going } = this
    this.going = null
    this.overlay.show(null)
    going?.cancel?.()
    return Boolean(going)
  }

  #wheel(event) {
    event.preventDefault()
    const unit = event.deltaMode === 1 ? 16 : 1
    const frame = this.canvas.host.getBoundingClientRect()
    if (event.ctrlKey || event.metaKey) {
      const at = { x: event.clientX - frame.left, y: event.clientY - frame.top }
      this.canvas.zoomBy(Math.exp(-event.deltaY * unit * 0.0025 * (Math.abs(event.deltaY) < 20 ? 4 : 1)), at)
    } else if (event.shiftKey && !event.deltaX) this.canvas.panBy(-event.deltaY * unit, 0)
    else this.canvas.panBy(-event.deltaX * unit, -event.deltaY * unit)
  }

  #down(event) {
    if (event.target.closest(".label-editor, .floating")) return
    this.canvas.host.focus({ preventScroll: true })
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY })
    if (this.pointers.size === 2) return this.#pinch()
    if (this.going) return
    this.canvas.host.setPointerCapture?.(event.pointerId)
    const begun = this.#begin(event)
    if (!begun) return
    this.going = { ...begun, from: { x: event.clientX, y: event.clientY }, moved: false }
    if (event.button === 1) event.preventDefault()
  }

  #begin(event) {
    const { editor } = this
    const { tool } = editor
    const hit = this.canvas.cellAt(event)
    if (event.button === 1 || tool === "hand" || this.spaceHeld) return this.#pan(event)
    if (event.button !== 0) return hit && !editor.selection.has(hit) ? { click: () => editor.select([hit]) } : null
    const handle = event.target.dataset
    if (handle.port) return this.#connect({ cell: handle.of, port: handle.port })
    if (handle.handle) return this.#resize([...editor.selection][0], handle.handle)
    if (handle.end) return this.#reconnect([...editor.selection][0], handle.end)
    if (handle.vertex) return this.#bend([...editor.selection][0], Number(handle.vertex))
    const at = this.canvas.toDiagram(event)
    if (tool === "data_flow") return this.#connectFrom(at, hit)
    if (tool !== "select") return this.#draw(tool, at)
    if (!hit) return event.pointerType === "touch" ? this.#pan(event) : this.#rubber(event, at)
    return this.#choose(event, hit)
  }

  #move(event) {
    if (this.pointers.has(event.pointerId)) this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY })
    const at = this.canvas.toDiagram(event)
    this.editor.emit("pointer", { at })
    const { going } = this
    if (!going) {
      const hit = event.pointerType === "mouse" && !event.target.dataset.port ? this.canvas.cellAt(event) : this.overlay.hovered
      return this.overlay.hover(hit ?? this.#near(at))
    }
    const far = Math.hypot(event.clientX - going.from.x, event.clientY - going.from.y)
    if (!going.moved && far < SLACK) return
    if (!going.moved) going.start?.(event)
    going.moved = true
    this.latest = { event, at }
    // As often as the screen shows it, however often the pointer reports.
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null
      if (this.going === going) going.move?.(this.latest.event, this.latest.at)
    })
  }

  /** The shape whose places to start a flow from are within reach. */
  #near(at) {
    const reach = 24 / this.canvas.zoom
    const id = this.overlay.hovered
    const area = id && this.editor.scene.areas.get(id)
    return area && contains(grown(area, reach), { ...at, width: 0, height: 0 }) ? id : null
  }

  #up(event, cancelled = false) {
    this.pointers.delete(event.pointerId)
    const { going } = this
    if (!going) return
    if (going.pinch) {
      if (this.pointers.size < 2) this.going = null
      return
    }
    this.going = null
    this.overlay.show(null)
    if (cancelled) return going.cancel?.()
    const at = this.canvas.toDiagram(event)
    if (going.moved) {
      going.move?.(event, at)
      this.overlay.show(null)
      going.drop?.(event, at)
    } else going.click?.(event, at)
  }

  #double(event) {
    const { editor } = this
    // The surface has caught the pointer, so the event is its own, whatever lies there.
    const on = document.elementFromPoint(event.clientX, event.clientY)?.dataset ?? {}
    if (on.vertex) return this.#straighten(Number(on.vertex))
    if (on.handle || on.port || on.end) return
    const hit = this.canvas.cellAt(event)
    if (hit && editor.tool === "select") this.editLabel(hit)
  }

  #straighten(index) {
    const [cell] = this.editor.selected()
    this.editor.change(steps.flowSteps(cell, { vertices: cell.vertices.toSpliced(index, 1) }), { tell: say("Bend removed") })
  }

  #pan(event) {
    let last = { x: event.clientX, y: event.clientY }
    this.canvas.host.classList.add("panning")
    const end = () => this.canvas.host.classList.remove("panning")
    return {
      move: (now) => {
        this.canvas.panBy(now.clientX - last.x, now.clientY - last.y)
        last = { x: now.clientX, y: now.clientY }
      },
      drop: end,
      cancel: end,
      click: () => {
        end()
        if (event.pointerType === "touch") this.editor.select([])
      },
    }
  }

  #pinch() {
    this.cancel()
    const spread = () => {
      const [a, b] = [...this.pointers.values()]
      const frame = this.canvas.host.getBoundingClientRect()
      return { far: distance(a, b) || 1, at: { x: (a.x + b.x) / 2 - frame.left, y: (a.y + b.y) / 2 - frame.top } }
    }
    let last = spread()
    const move = () => {
      if (this.pointers.size < 2) return
      const now = spread()
      this.canvas.panBy(now.at.x - last.at.x, now.at.y - last.at.y)
      this.canvas.zoomBy(now.far / last.far, now.at)
      last = now
    }
    this.going = { pinch: true, from: last.at, moved: true, move }
  }

  #rubber(event, from) {
    const { editor } = this
    const before = event.shiftKey ? new Set(editor.selection) : new Set()
    const found = (area) => {
      const inside = [...editor.scene.cells.keys()].filter((id) => {
        const extent = editor.scene.extent(id)
        if (!extent) return false
        // Boundaries and flows have to lie inside; shapes need only be touched.
        const type = editor.cell(id)?.type
        return type === "trust_boundary" || type === "data_flow" ? contains(area, extent) : meets(area, extent)
      })
      return new Set([...before, ...inside])
    }
    let area = null
    return {
      move: (_, at) => {
        area = spanned(from, at)
        this.overlay.show({ rubber: area, busy: true })
      },
      drop: () => editor.select(found(area)),
      click: () => editor.select(before),
    }
  }

  #choose(event, hit) {
    const { editor } = this
    const known = editor.selection.has(hit)
    if (event.shiftKey || event.ctrlKey || event.metaKey) {
      const click = () => editor.select(known ? [...editor.selection].filter((id) => id !== hit) : [...editor.selection, hit])
      return { click, start: () => known || click(), ...this.#shift() }
    }
    if (!known) editor.select([hit])
    const cell = editor.cell(hit)
    if (cell.type === "data_flow" && editor.selection.size === 1) return { click: () => {}, ...this.#bend(hit, null) }
    return { click: () => editor.select([hit]), ...this.#shift() }
  }

  /** Moves the selection with all that belongs to it. */
  #shift() {
    const { editor, canvas } = this
    if (!editor.mayEdit) return {}
    let going = null
    const begin = () => {
      const what = steps.movable(editor, editor.selection)
      const areas = [...what.boxes].map((id) => [id, editor.scene.areas.get(id)]).filter(([, area]) => area)
      return { what, areas, around: union(areas.map(([, area]) => area)), others: this.#guiding(what.boxes), dx: 0, dy: 0 }
    }
    let from = null
    return {
      start: () => {
        going = begin()
        from = canvas.toDiagram({ clientX: this.going.from.x, clientY: this.going.from.y })
      },
      move: (event, at) => {
        if (!going.around) return
        let [dx, dy] = [at.x - from.x, at.y - from.y]
        if (event.shiftKey) Math.abs(dx) > Math.abs(dy) ? (dy = 0) : (dx = 0)
        const area = { ...going.around, x: going.around.x + dx, y: going.around.y + dy }
        const free = event.altKey || !editor.snapping
        const fit = free ? { dx: 0, dy: 0, guides: [] } : snap(area, going.others, { grid: GRID, near: 6 / canvas.zoom })
        Object.assign(going, { dx: dx + fit.dx, dy: dy + fit.dy })
        // Others may have removed some of it.
        const there = ([id]) => editor.cell(id)
        const moved = going.areas.filter(there).map(([id, it]) => [id, { ...it, x: it.x + going.dx, y: it.y + going.dy }])
        if (!moved.length && !going.what.flows.size) return
        const bent = [...going.what.flows].filter((id) => editor.cell(id)).map((id) => [id, steps.shifted(editor.cell(id), going.dx, going.dy)])
        const flows = new Set([...editor.scene.put(bent), ...editor.scene.move(moved)])
        canvas.move(moved, [...flows].filter((id) => editor.scene.routes.has(id)))
        const drop = moved.length ? editor.boundaryAround(moved[0][1], going.what.boxes) : null
        this.overlay.show({ guides: fit.guides, busy: true, drop })
      },
      drop: () => {
        const { what, dx, dy } = going
        const done = (dx || dy) && editor.change(steps.moveSteps(editor, what, dx, dy), { tell: say("Moved") })
        if (!done) this.#restore(what)
      },
      cancel: () => going && this.#restore(going.what),
    }
  }

  #restore({ boxes, flows }) {
    this.editor.show(new Set([...boxes, ...flows]))
  }

  #guiding(moving) {
    const sight = this.canvas.sight()
    const found = []
    for (const [id, area] of this.editor.scene.areas) {
      if (!moving.has(id) && meets(sight, area)) found.push(area)
      if (found.length >= MOST_GUIDES) break
    }
    return found
  }

  #resize(id, handle) {
    const { editor, canvas } = this
    const old = editor.scene.areas.get(id)
    const others = this.#guiding(new Set([id]))
    let area = old
    return {
      about: [id],
      move: (event, at) => {
        area = stretched(old, handle, at, event.altKey || !editor.snapping ? 0 : GRID, event.shiftKey)
        const flows = editor.scene.move([[id, area]])
        canvas.sync([id, ...flows])
        const guides = others.length && !event.altKey ? snap(area, others, { grid: 0, near: 0.5 }).guides : []
        this.overlay.show({ busy: true, guides })
      },
      drop: () => {
        if (!editor.change(steps.resizeSteps(editor, id, area), { tell: say("Resized") })) editor.show(new Set([id]))
      },
      cancel: () => editor.show(new Set([id])),
    }
  }

  #draw(kind, from) {
    const { editor } = this
    const start = { x: onGrid(from.x, GRID), y: onGrid(from.y, GRID) }
    let area = null
    const made = (wanted) => {
      const { id, steps: all } = steps.drawSteps(editor, kind, wanted)
      editor.use("select")
      if (editor.change(all, { select: [id], tell: say("%(kind)s added", { kind: KINDS()[kind] }) })) this.editLabel(id)
    }
    return {
      move: (_, at) => {
        area = spanned(start, { x: onGrid(at.x, GRID), y: onGrid(at.y, GRID) })
        this.overlay.show({ ghost: { kind, area }, busy: true })
      },
      drop: () => made({ ...area, width: Math.max(area.width, steps.LEAST.width), height: Math.max(area.height, steps.LEAST.height) }),
      click: () => {
        const size = steps.SIZES[kind]
        made({ x: onGrid(from.x - size.width / 2, GRID), y: onGrid(from.y - size.height / 2, GRID), ...size })
      },
    }
  }

  #connectFrom(at, hit) {
    const { editor } = this
    const shape = editor.shapeAt(at, 6 / this.canvas.zoom) ?? (editor.cell(hit)?.type === "data_flow" ? null : hit)
    const kind = editor.cell(shape)?.type
    return this.#connect(shape && kind !== "text" && kind !== "trust_boundary" ? { cell: shape } : { x: steps.rounded(at.x), y: steps.rounded(at.y) })
  }

  #connect(source) {
    const { editor } = this
    let target = null
    return {
      about: source.cell ? [source.cell] : [],
      move: (event, at) => {
        target = this.#end(event, at)
        this.overlay.show({ busy: true, line: this.#preview(source, target, at), target: target.cell })
      },
      drop: () => {
        const own = target.cell && target.cell === source.cell
        const { id, steps: all } = steps.connectSteps(own ? { cell: source.cell } : source, own ? { cell: source.cell } : target)
        editor.use("select")
        if (editor.change(all, { select: [id], tell: say("Data flow added") })) this.editLabel(id)
      },
    }
  }

  /** Where a flow would end here: at a side, on a shape, or in the open. */
  #end(event, at) {
    const { editor, canvas } = this
    const cell = editor.shapeAt(at, 8 / canvas.zoom)
    if (!cell) return { x: onGrid(at.x, event.altKey ? 0 : GRID), y: onGrid(at.y, event.altKey ? 0 : GRID) }
    const area = editor.scene.areas.get(cell)
    const middle = centre(area)
    const sides = { top: { x: middle.x, y: area.y }, bottom: { x: middle.x, y: area.y + area.height }, left: { x: area.x, y: middle.y }, right: { x: area.x + area.width, y: middle.y } }
    const [port] = Object.entries(sides).find(([, side]) => distance(side, at) < 10 / canvas.zoom) ?? []
    return port ? { cell, port } : { cell }
  }

  #preview(source, target, at) {
    const { scene } = this.editor
    const begin = source.cell ? portPoint(scene.areas.get(source.cell), source.port) : source
    return [begin, target.cell && target.port ? portPoint(scene.areas.get(target.cell), target.port) : at]
  }

  #reconnect(id, end) {
    const { editor } = this
    const other = editor.cell(id)[end === "source" ? "target" : "source"]
    let wanted = null
    return {
      about: other.cell ? [id, other.cell] : [id],
      move: (event, at) => {
        wanted = this.#end(event, at)
        this.overlay.show({ busy: true, line: this.#preview(other, wanted, at), target: wanted.cell })
      },
      drop: () => {
        const cell = editor.cell(id)
        if (cell) editor.change(steps.flowSteps(cell, { [end]: wanted }), { tell: say("Reconnected") })
      },
    }
  }

  /** Drags a vertex of a flow; `index` null makes one where the line was caught. */
  #bend(id, index) {
    const { editor } = this
    if (!editor.mayEdit || steps.isLocked(editor.cell(id))) return {}
    let wanted = null
    return {
      about: [id],
      start: () => {
        const cell = editor.cell(id)
        const points = editor.scene.routes.get(id)
        const from = this.canvas.toDiagram({ clientX: this.going.from.x, clientY: this.going.from.y })
        wanted = [...(cell.vertices ?? [])]
        if (index === null && points) {
          index = steps.vertexIndex(cell, points, from)
          wanted.splice(index, 0, from)
        }
      },
      move: (event, at) => {
        const grid = event.altKey || !editor.snapping ? 0 : GRID
        wanted[index] = { x: onGrid(at.x, grid), y: onGrid(at.y, grid) }
        this.canvas.sync(editor.scene.put([[id, { ...editor.cell(id), vertices: wanted }]]))
        this.overlay.show({ busy: true })
      },
      drop: () => {
        const cell = editor.cell(id)
        const straight = wanted.filter((p, at) => !this.#needless(wanted, at, editor.scene.routes.get(id)))
        if (!cell || !editor.change(steps.flowSteps(cell, { vertices: straight }), { tell: straight.length ? say("Bent") : say("Straightened") })) editor.show(new Set([id]))
      },
      cancel: () => editor.show(new Set([id])),
    }
  }

  /** Whether a vertex lies on the straight line between its neighbours. */
  #needless(vertices, at, points) {
    const [before, after] = [vertices[at - 1] ?? points?.[0], vertices[at + 1] ?? points?.at(-1)]
    return before && after && fromLine(before, after, vertices[at]) < 4
  }
}

const portPoint = (area, port) => {
  const middle = centre(area)
  return { top: { x: middle.x, y: area.y }, bottom: { x: middle.x, y: area.y + area.height }, left: { x: area.x, y: middle.y }, right: { x: area.x + area.width, y: middle.y } }[port] ?? middle
}

/** The box when the handle is pulled to a point. */
export function stretched(old, handle, at, grid, keep) {
  let [left, top, far, low] = [old.x, old.y, old.x + old.width, old.y + old.height]
  if (handle.includes("w")) left = Math.min(onGrid(at.x, grid), far - steps.LEAST.width)
  if (handle.includes("e")) far = Math.max(onGrid(at.x, grid), left + steps.LEAST.width)
  if (handle.includes("n")) top = Math.min(onGrid(at.y, grid), low - steps.LEAST.height)
  if (handle.includes("s")) low = Math.max(onGrid(at.y, grid), top + steps.LEAST.height)
  const area = { x: left, y: top, width: far - left, height: low - top }
  if (!keep || handle.length < 2) return area
  const share = Math.max(area.width / old.width, area.height / old.height)
  const [width, height] = [old.width * share, old.height * share]
  return { x: handle.includes("w") ? far - width : left, y: handle.includes("n") ? low - height : top, width, height }
}
