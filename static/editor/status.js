// The bar below: whether all is saved, how many cells, the zoom; and notices, and what a screen reader hears.
import { $, h } from "./dom.js"
import { say, sayMany } from "./words.js"

const SHOWN_FOR = 7_000
const MOST_NOTICES = 3
// What is saved faster than this need not be told.
const PATIENCE = 250

export class Status {
  /** @type {any} */ editor
  /** @type {any} */ connection
  /** @type {any} */ reconciler
  /** @type {any} */ safe
  /** @type {any} */ saved
  /** @type {any} */ waiting

  constructor(editor, canvas, connection, reconciler) {
    Object.assign(this, { editor, connection, reconciler, safe: true })
    this.saved = $("#saved")
    editor.on("pending", ({ safe }) => {
      this.safe = safe
      this.later()
    })
    editor.on("cells", () => this.#count())
    editor.on("tell", ({ text }) => this.#speak(text))
    editor.on("notice", (told) => this.#notice(told))
    connection.addEventListener("status", () => this.draw())
    canvas.addEventListener("look", () => ($("#zoom").textContent = `${Math.round(canvas.zoom * 100)} %`))
    this.draw()
  }

  later() {
    if (!this.reconciler.pending.length) return this.draw()
    this.waiting ??= setTimeout(() => {
      this.waiting = null
      this.draw()
    }, PATIENCE)
  }

  draw() {
    const { status } = this.connection
    const waiting = this.reconciler.pending.length
    const [kind, text] = {
      connecting: ["busy", say("Connecting …")],
      online: waiting ? ["busy", say("Saving …")] : ["saved", say("Saved")],
      offline: ["offline", waiting ? sayMany("Offline: %(count)s change waits here", "Offline: %(count)s changes wait here", waiting) : say("Offline: what you change is sent later")],
      closed: ["offline", say("Not connected")],
    }[status]
    if (this.saved.dataset.state === kind && this.saved.textContent === text) return
    if (kind === "offline" && this.saved.dataset.state !== "offline") this.#speak(text)
    Object.assign(this.saved.dataset, { state: kind })
    this.saved.textContent = text
  }

  #count() {
    $("#count").textContent = sayMany("%(count)s element", "%(count)s elements", this.editor.state.cells.size)
  }

  #speak(text) {
    $("#live").textContent = text
  }

  #notice({ text, kind, more, acts }) {
    const list = $("#notices")
    const act = ([title, run]) => h("button", { type: "button", class: "btn btn-quiet btn-sm", onclick: () => (made.remove(), run()) }, title)
    const made = h("li", { class: `notice notice-${kind}` },
      h("div", {}, h("span", {}, text), more, acts.length ? h("div", { class: "links" }, acts.map(act)) : null),
      h("button", { type: "button", class: "tiny", "aria-label": say("Close"), onclick: () => made.remove() }, "×"))
    list.append(made)
    while (list.children.length > MOST_NOTICES) list.firstChild.remove()
    if (acts.length) return
    setTimeout(() => made.remove(), kind === "warning" ? SHOWN_FOR * 2 : SHOWN_FOR)
  }
}
