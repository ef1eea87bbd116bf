// The diagram from far away: outlines and colours on a bitmap. The paths are made once and then only shifted and scaled.

export class FarView {
  /** @type {any} */ host
  /** @type {any} */ element
  /** @type {any} */ pen
  /** @type {any} */ paths
  /** @type {any} */ waiting

  constructor(host) {
    this.host = host
    this.element = document.createElement("canvas")
    this.element.className = "far"
    this.element.hidden = true
    this.element.setAttribute("aria-hidden", "true")
    host.prepend(this.element)
    this.pen = this.element.getContext("2d")
  }

  show(on) {
    this.element.hidden = !on
  }

  holds(target) {
    return target === this.element || target === this.host
  }

  /** The cells are others now. */
  forget() {
    this.paths = null
  }

  /** At most once for each picture of the screen. */
  paint(canvas) {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null
      this.#paint(canvas)
    })
  }

  #paint({ scene, zoom, x, y }) {
    const { pen, element, host } = this
    const scale = Math.min(window.devicePixelRatio || 1, 1.5)
    const [width, height] = [Math.round(host.clientWidth * scale), Math.round(host.clientHeight * scale)]
    if (element.width !== width || element.height !== height) Object.assign(element, { width, height })
    this.paths ??= outlines(scene)
    pen.setTransform(1, 0, 0, 1, 0, 0)
    pen.clearRect(0, 0, width, height)
    pen.setTransform(scale * zoom, 0, 0, scale * zoom, scale * x, scale * y)
    pen.lineWidth = 1 / zoom
    for (const [key, path] of this.paths) {
      const [how, colour] = key.split(" ")
      if (how === "fill") {
        pen.fillStyle = colour
        pen.fill(path)
      } else {
        pen.strokeStyle = colour
        pen.stroke(path)
      }
    }
  }
}

/** One path for each colour, from the back to the front. */
function outlines(scene) {
  const { theme } = scene
  const paths = new Map()
  const path = (key) => paths.get(key) ?? paths.set(key, new Path2D()).get(key)
  const fills = { process: theme.process, datastore: theme.datastore }
  const later = []
  for (const [id, area] of scene.areas) {
    const { type, out_of_scope: outside } = scene.cells.get(id)
    if (type === "trust_boundary") path(`stroke ${theme.boundary}`).rect(area.x, area.y, area.width, area.height)
    else if (type !== "text") later.push([fills[type] ?? theme.externalEntity, outside ? theme.muted : theme.ink, type, area])
  }
  for (const [fill, , type, area] of later) outline(path(`fill ${fill}`), type, area)
  const lines = path(`stroke ${theme.muted}`)
  for (const points of scene.routes.values()) {
    lines.moveTo(points[0].x, points[0].y)
    for (const { x, y } of points.slice(1)) lines.lineTo(x, y)
  }
  for (const [, ink, type, area] of later) outline(path(`stroke ${ink}`), type, area)
  for (const [id, { severity }] of scene.badges) {
    const area = scene.areas.get(id)
    if (area) path(`fill ${theme.badge[severity] ?? theme.badge.unknown}`).rect(area.x + area.width - 20, area.y - 12, 32, 32)
  }
  return paths
}

function outline(path, type, { x, y, width, height }) {
  if (type !== "process") return path.rect(x, y, width, height)
  path.moveTo(x + width, y + height / 2)
  path.ellipse(x + width / 2, y + height / 2, width / 2, height / 2, 0, 0, 2 * Math.PI)
}
