// The overview in the corner: where one is, and the way to somewhere else.
import { centre, union } from "./draw/geometry.js"

const [WIDTH, HEIGHT] = [176, 120]

export class Minimap {
  /** @type {any} */ editor
  /** @type {any} */ canvas
  /** @type {any} */ element
  /** @type {any} */ frameZoom
  /** @type {any} */ middle
  /** @type {any} */ pen
  /** @type {any} */ scale
  /** @type {any} */ waiting

  constructor(editor, canvas, element) {
    Object.assign(this, { editor, canvas, element })
    this.pen = element.getContext("2d")
    const scale = (this.scale = window.devicePixelRatio || 1)
    Object.assign(element, { width: WIDTH * scale, height: HEIGHT * scale })
    editor.on("cells", () => this.later())
    canvas.addEventListener("look", () => this.later())
    let held = false
    const go = (event) => held && this.#go(event)
    element.addEventListener("pointerdown", (event) => {
      held = true
      element.setPointerCapture(event.pointerId)
      go(event)
    })
    element.addEventListener("pointermove", go)
    element.addEventListener("pointerup", () => (held = false))
  }

  toggle(on = this.element.hidden) {
    this.element.hidden = !on
    this.later()
  }

  later() {
    if (this.element.hidden) return
    this.waiting ??= setTimeout(() => {
      this.waiting = null
      this.draw()
    }, 80)
  }

  draw() {
    const { pen, editor, scale } = this
    const { scene } = editor
    const sight = this.canvas.sight()
    const all = union([scene.bounds() ?? sight, sight])
    const zoom = Math.min((WIDTH - 8) / all.width, (HEIGHT - 8) / all.height)
    const middle = centre(all)
    Object.assign(this, { frameZoom: zoom, middle })
    pen.setTransform(scale, 0, 0, scale, 0, 0)
    pen.clearRect(0, 0, WIDTH, HEIGHT)
    pen.setTransform(scale * zoom, 0, 0, scale * zoom, scale * (WIDTH / 2 - middle.x * zoom), scale * (HEIGHT / 2 - middle.y * zoom))
    pen.lineWidth = 1 / zoom
    pen.strokeStyle = scene.theme.boundary
    pen.fillStyle = scene.theme.muted
    for (const [id, area] of scene.areas) {
      const { type } = scene.cells.get(id)
      if (type === "trust_boundary") pen.strokeRect(area.x, area.y, area.width, area.height)
      else if (type !== "text") pen.fillRect(area.x, area.y, Math.max(area.width, 1 / zoom), Math.max(area.height, 1 / zoom))
    }
    pen.strokeStyle = getComputedStyle(this.element).getPropertyValue("--accent")
    pen.lineWidth = 1.5 / zoom
    pen.strokeRect(sight.x, sight.y, sight.width, sight.height)
  }

  #go(event) {
    const frame = this.element.getBoundingClientRect()
    const at = {
      x: (event.clientX - frame.left - WIDTH / 2) / this.frameZoom + this.middle.x,
      y: (event.clientY - frame.top - HEIGHT / 2) / this.frameZoom + this.middle.y,
    }
    const { clientWidth: width, clientHeight: height } = this.canvas.host
    this.canvas.look({ x: width / 2 - at.x * this.canvas.zoom, y: height / 2 - at.y * this.canvas.zoom })
  }
}
