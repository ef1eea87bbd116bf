// The tools at the left: chosen by a click, drawn by a drag onto the canvas, put in the middle by keyboard.
import { $$ } from "./dom.js"
import { GRID } from "./editor.js"
import { onGrid } from "./guides.js"
import { SIZES, drawSteps } from "./commands/steps.js"
import { KINDS, say } from "./words.js"

export class Palette {
  /** @type {any} */ editor
  /** @type {any} */ canvas
  /** @type {any} */ overlay
  /** @type {any} */ editLabel
  /** @type {any} */ buttons

  constructor(editor, canvas, overlay, root, { run, editLabel }) {
    Object.assign(this, { editor, canvas, overlay, editLabel })
    this.buttons = $$("[data-tool]", root)
    for (const button of this.buttons) {
      const { tool } = button.dataset
      // A click of the keyboard has no detail.
      button.addEventListener("click", (event) => (event.detail === 0 && SIZES[tool] ? run(`insert.${tool}`) : editor.use(tool)))
      if (SIZES[tool]) button.addEventListener("pointerdown", (event) => this.#drag(event, button, tool))
    }
    editor.on("tool", () => this.#mark())
    this.#mark()
  }

  #mark() {
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.tool === this.editor.tool))
    this.canvas.host.dataset.tool = this.editor.tool
  }

  #drag(down, button, kind) {
    if (down.button !== 0 || !this.editor.mayEdit) return
    const size = SIZES[kind]
    let area = null
    const over = (event) => this.canvas.host.contains(document.elementFromPoint(event.clientX, event.clientY))
    const move = (event) => {
      if (!area && Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) < 6) return
      const at = this.canvas.toDiagram(event)
      area = { x: onGrid(at.x - size.width / 2, GRID), y: onGrid(at.y - size.height / 2, GRID), ...size }
      this.overlay.show({ ghost: { kind, area }, drop: this.editor.boundaryAround(area), busy: true })
    }
    const end = (event) => {
      button.removeEventListener("pointermove", move)
      button.removeEventListener("pointerup", end)
      button.removeEventListener("pointercancel", end)
      this.overlay.show(null)
      if (!area || event.type === "pointercancel" || !over(event)) return
      // The click that follows would choose the tool.
      button.addEventListener("click", (click) => click.stopImmediatePropagation(), { once: true, capture: true })
      setTimeout(() => this.#drop(kind, area))
    }
    button.setPointerCapture(down.pointerId)
    button.addEventListener("pointermove", move)
    button.addEventListener("pointerup", end)
    button.addEventListener("pointercancel", end)
  }

  #drop(kind, area) {
    const { id, steps } = drawSteps(this.editor, kind, area)
    this.editor.use("select")
    if (this.editor.change(steps, { select: [id], tell: say("%(kind)s added", { kind: KINDS()[kind] }) })) this.editLabel(id)
  }
}
