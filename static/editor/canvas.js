// The drawing surface: the only file that knows AntV X6. Nodes exist for what is in sight alone, so that the size of a
// diagram costs nothing; X6's own way to do that looks at every cell each time. What a cell looks like is the scene's;
// a flow is a node too, whose box is what its line covers. From far away the whole is painted as one picture.
import { centre, contains, grown } from "./draw/geometry.js"
import { FarView } from "./draw/far.js"
import { FONT } from "./draw/look.js"
import { toDom } from "./draw/markup.js"

const { Config, Graph, NodeView } = window.X6
// Its styles are in editor.css: the policy of the page lets no script put in a style element.
Config.autoInsertCSS = false
export const [LEAST_ZOOM, MOST_ZOOM] = [0.05, 5]
// Below this zoom names cannot be read and are left out.
const READABLE = 0.35
// Above this number of drawings in sight names are not drawn one by one either, as soon as they can hardly be read.
const MANY = 400
const TOO_MANY = 2_000
// How far beyond the edge of the window nodes are made, in pixels; they go when twice as far.
const MARGIN = 240
// What is brought into sight keeps so far from the edge of the window, in pixels.
const EDGE = 28

export class Canvas extends EventTarget {
  /** @type {any} */ host
  /** @type {any} */ scene
  /** @type {any} */ zoom
  /** @type {any} */ x
  /** @type {any} */ y
  /** @type {any} */ covered
  /** @type {any} */ coveredAt
  /** @type {any} */ graph
  /** @type {any} */ stage
  /** @type {any} */ container
  /** @type {any} */ mounted
  /** @type {any} */ far
  /** @type {any} */ isFar

  constructor(host, scene) {
    super()
    Object.assign(this, { host, scene, zoom: 1, x: 0, y: 0 })
    const container = document.createElement("div")
    container.className = "surface"
    host.prepend(container)
    this.graph = new Graph({
      container,
      autoResize: true,
      async: true,
      interacting: false,
      panning: false,
      mousewheel: false,
      preventDefaultContextMenu: false,
      preventDefaultMouseDown: false,
      moveThreshold: 0,
      scaling: { min: LEAST_ZOOM, max: MOST_ZOOM },
      createCellView: () => this.#view(),
    })
    this.stage = this.graph.view.stage
    this.container = container
    this.mounted = new Set()
    this.far = new FarView(host)
    new ResizeObserver(() => this.#mount(true)).observe(host)
    this.graph.on("view:mounted", (event) => this.#stack(event))
    this.graph.view.svg.setAttribute("font-family", FONT)
    this.graph.view.svg.setAttribute("aria-hidden", "true")
  }

  /** Where a point of the window is in the diagram. */
  toDiagram({ clientX, clientY }) {
    const frame = this.host.getBoundingClientRect()
    return { x: (clientX - frame.left - this.x) / this.zoom, y: (clientY - frame.top - this.y) / this.zoom }
  }

  /** Where a point of the diagram is on the surface. */
  toSurface = ({ x, y }) => ({ x: x * this.zoom + this.x, y: y * this.zoom + this.y })

  areaToSurface = (area) => ({
    ...this.toSurface(area), width: area.width * this.zoom, height: area.height * this.zoom,
  })

  /** The cell that an event of the pointer hit; null on empty ground. */
  cellAt(event) {
    if (this.isFar) return this.far.holds(event.target) ? this.scene.at(this.toDiagram(event), 6 / this.zoom) : null
    const found = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-cell-id]")
    return found && this.stage.contains(found) ? found.getAttribute("data-cell-id") : null
  }

  /** The part of the diagram that is in sight. */
  sight() {
    const { clientWidth: width, clientHeight: height } = this.host
    return { x: -this.x / this.zoom, y: -this.y / this.zoom, width: width / this.zoom, height: height / this.zoom }
  }

  look({ x = this.x, y = this.y, zoom = this.zoom }) {
    const bounded = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, zoom))
    const zoomed = bounded !== this.zoom
    Object.assign(this, { x, y, zoom: bounded })
    if (zoomed) this.graph.scale(bounded, bounded)
    this.graph.translate(x, y)
    this.host.classList.toggle("far-away", bounded < READABLE)
    this.#grid()
    this.#mount()
    this.dispatchEvent(new CustomEvent("look"))
  }

  /** Dots every ten units, every fifty when they would lie too close. */
  #grid() {
    const step = this.zoom >= 0.75 ? 10 : 50
    const size = step * this.zoom
    const { style } = this.host
    style.backgroundSize = `${size}px ${size}px`
    style.backgroundPosition = `${this.x - size / 2}px ${this.y - size / 2}px`
    this.host.classList.toggle("no-grid", size < 7)
  }

  panBy(dx, dy) {
    this.look({ x: this.x + dx, y: this.y + dy })
  }

  /** Zooms so that what is at this point of the surface stays there. */
  zoomBy(factor, at = { x: this.host.clientWidth / 2, y: this.host.clientHeight / 2 }) {
    const zoom = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, this.zoom * factor))
    const share = zoom / this.zoom
    this.look({ zoom, x: at.x - (at.x - this.x) * share, y: at.y - (at.y - this.y) * share })
  }

  /** Shows the whole of an area, at most at `most` zoom. */
  fit(area, most = 1) {
    const { clientWidth: width, clientHeight: height } = this.host
    const [across, down] = [Math.max(width - 2 * EDGE, 1), Math.max(height - 2 * EDGE, 1)]
    const zoom = Math.max(LEAST_ZOOM, Math.min(most, across / Math.max(area.width, 1), down / Math.max(area.height, 1)))
    const middle = centre(area)
    this.look({ zoom, x: width / 2 - middle.x * zoom, y: height / 2 - middle.y * zoom })
  }

  /** Pans just so far that an area is in sight. */
  reveal(area) {
    const at = this.areaToSurface(area)
    const { clientWidth: width, clientHeight: height } = this.host
    const shift = (start, length, room) => {
      if (start >= EDGE - 1 && start + length <= room - EDGE + 1) return 0
      return start < EDGE || length > room - 2 * EDGE ? EDGE - start : room - EDGE - start - length
    }
    const [dx, dy] = [shift(at.x, at.width, width), shift(at.y, at.height, height)]
    if (dx || dy) this.panBy(dx, dy)
  }

  /** Draws these cells anew; those that are no more go, those that are new come. */
  sync(ids) {
    this.far.forget()
    for (const id of ids) {
      const extent = this.scene.extent(id)
      const node = this.mounted.has(id) ? this.graph.getCellById(id) : null
      if (node && !extent) this.#unmount(id)
      else if (node) this.#update(node, extent)
    }
    this.#mount(true)
  }

  /** All of the scene in place of all that is here. */
  reset() {
    this.far.forget()
    this.graph.resetCells([])
    this.mounted.clear()
    this.#mount(true)
  }

  /** Shapes that are being dragged, by id with their boxes, and the flows that follow them. */
  move(areas, flows) {
    this.sync([...areas.map(([id]) => id), ...flows])
  }

  /** Makes nodes of what has come into sight and takes away what is far out of it. */
  #mount(always = false) {
    if (!this.host.clientWidth) return
    const sight = this.sight()
    const settled = !always && this.covered && contains(this.covered, sight) && this.coveredAt === this.zoom
    if (settled && !this.isFar) return
    const area = grown(sight, MARGIN / this.zoom)
    // Panning over a picture needs no list of what is in it.
    const wanted = settled && this.isFar ? null : this.scene.within(area)
    if (wanted) {
      Object.assign(this, { covered: area, coveredAt: this.zoom })
      this.#goFar(wanted.length > TOO_MANY || (wanted.length > MANY && this.zoom < READABLE * 1.5))
    }
    if (this.isFar) return this.far.paint(this)
    const kept = grown(sight, (2 * MARGIN) / this.zoom)
    const near = new Set(this.scene.within(kept))
    this.graph.batchUpdate(() => {
      for (const id of this.mounted) if (!near.has(id)) this.#unmount(id)
      const made = wanted.filter((id) => !this.mounted.has(id)).sort(this.scene.inOrder).map((id) => this.#node(id, this.scene.extent(id)))
      for (const node of made) this.mounted.add(node.id)
      if (made.length) this.graph.addCell(made)
    })
  }

  #goFar(far) {
    if (far === Boolean(this.isFar)) return
    this.isFar = far
    this.container.hidden = far
    this.far.show(far)
    if (far) {
      this.graph.resetCells([])
      this.mounted.clear()
    }
  }

  /** X6 takes a drawing away with the next frame, and never where a node of the same id has come by then. */
  #unmount(id) {
    this.mounted.delete(id)
    const view = this.graph.findViewByCell(id)
    this.graph.getCellById(id)?.remove()
    view?.remove()
  }

  #node(id, extent) {
    return this.graph.createNode({ id, shape: "rect", ...extent, zIndex: this.scene.layer(id), markup: [], attrs: {} })
  }

  #update(node, extent) {
    const [position, size, layer] = [node.position(), node.size(), this.scene.layer(node.id)]
    if (position.x !== extent.x || position.y !== extent.y) node.setPosition(extent.x, extent.y)
    if (size.width !== extent.width || size.height !== extent.height) node.setSize(extent.width, extent.height)
    if (node.getZIndex() !== layer) node.setZIndex(layer)
    const view = this.graph.findViewByCell(node)
    if (view && this.graph.renderer.isViewMounted(view)) view.paint()
  }

  /** X6 puts a drawing before the mark that ends its level: within that it lies by its id, so for everybody the same. */
  #stack({ view: { container, cell } }) {
    let above = container
    while (above.previousSibling?.dataset?.cellId > cell.id) above = above.previousSibling
    if (above !== container) this.stage.insertBefore(container, above)
  }

  #view() {
    const canvas = this
    this.viewClass ??= class extends NodeView {
      paint() {
        const { id } = this.cell
        const flow = canvas.scene.routes.has(id)
        const tree = canvas.scene.draw(id, flow ? null : { x: 0, y: 0 })
        this.container.replaceChildren(...(tree ? [toDom(tree)] : []))
      }

      render() {
        this.paint()
        this.updateTransform()
        return this
      }

      // Painted by hand, as soon as something has changed.
      update() {}

      resize() {}

      updateTransform() {
        if (canvas.scene.routes.has(this.cell.id)) this.container.removeAttribute("transform")
        else super.updateTransform()
      }
    }
    return this.viewClass
  }
}
