// Editing a name in its place. Enter keeps it, Shift+Enter breaks the line, Escape leaves it as it was.
import { along } from "./draw/geometry.js"
import { labelOf } from "./draw/look.js"
import { labelSteps, isLocked } from "./commands/steps.js"
import { h } from "./dom.js"
import { differs, replacedProperty } from "./replaced.js"
import { say } from "./words.js"

export class LabelEditor {
  /** @type {any} */ editor
  /** @type {any} */ canvas
  /** @type {any} */ id
  /** @type {any} */ field
  /** What the name was when the field was opened. */
  before = ""

  constructor(editor, canvas) {
    Object.assign(this, { editor, canvas })
    canvas.addEventListener("look", () => this.#place())
    editor.on("cells", ({ ids, whole }) => {
      if (this.id && (whole || ids.has(this.id))) this.editor.cell(this.id) ? this.#place() : this.#leave()
    })
  }

  open = (id) => {
    const cell = this.editor.cell(id)
    if (!cell || !this.editor.mayEdit || isLocked(cell)) return
    this.close()
    this.id = id
    this.before = labelOf(cell)
    this.field = h("textarea", {
      class: `label-editor label-${cell.type}`, "aria-label": say("Name of %(element)s", { element: this.editor.name(id) }),
      rows: 1, maxlength: 2000, spellcheck: "true", value: labelOf(cell),
      onkeydown: (event) => this.#key(event), onblur: () => this.close(), oninput: () => this.#grow(),
    })
    this.canvas.host.append(this.field)
    this.#place()
    this.field.focus({ preventScroll: true })
    this.field.select()
  }

  /** Keeps what was typed. */
  close() {
    const [cell, field] = [this.id && this.editor.cell(this.id), this.field]
    if (!field) return
    const text = field.value.replace(/\s+$/, "")
    this.#leave()
    const theirs = cell && labelOf(cell)
    if (!cell || text === theirs || text === this.before) return
    const done = this.editor.change(labelSteps(cell, text), { tell: say("Named %(name)s", { name: text || say("nothing") }) })
    if (done && differs(theirs, this.before, text)) replacedProperty(this.editor, cell.id, "label", theirs)
  }

  #leave() {
    const { field } = this
    this.id = this.field = null
    field?.remove()
  }

  #key(event) {
    event.stopPropagation()
    if (event.isComposing) return
    if (event.key === "Escape") this.#leave()
    else if ((event.key === "Enter" && !event.shiftKey) || event.key === "Tab") this.close()
    else return
    event.preventDefault()
    this.canvas.host.focus({ preventScroll: true })
  }

  #place() {
    if (!this.field) return
    const { scene } = this.editor
    const area = scene.areas.get(this.id)
    const { zoom } = this.canvas
    const style = this.field.style
    const points = scene.routes.get(this.id)
    const type = this.editor.cell(this.id)?.type
    if (area && (type === "trust_boundary" || type === "text")) {
      const at = this.canvas.areaToSurface(area)
      Object.assign(style, { left: `${at.x + 4}px`, top: `${at.y + 2}px`, width: `${Math.max(at.width - 8, 120)}px` })
    } else {
      const middle = area ? { x: area.x + area.width / 2, y: area.y + area.height / 2 } : points ? along(points, 0.5).at : { x: 0, y: 0 }
      const at = this.canvas.toSurface(middle)
      const width = Math.max((area ? area.width - 12 : 150) * zoom, 110)
      Object.assign(style, { left: `${at.x - width / 2}px`, top: `${at.y}px`, width: `${width}px` })
    }
    style.fontSize = `${Math.max(11, Math.min(28, 13 * zoom))}px`
    this.#grow()
  }

  #grow() {
    const { style } = this.field
    style.height = "auto"
    style.height = `${this.field.scrollHeight + 2}px`
  }
}
