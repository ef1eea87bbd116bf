// The metadata of an element: keys and values beside the diagram, kept by the API. They are asked for once they are looked at.
import { ask } from "../api.js"
import { h, keepingFocus } from "../dom.js"
import { say } from "../words.js"
import { line } from "./fields.js"

export class Metadata {
  /** @type {any} */ editor
  /** @type {any} */ id
  /** @type {any} */ entries

  constructor(editor) {
    Object.assign(this, { editor, id: null, entries: null })
  }

  /** The part of the panel for a cell. */
  part(cell, readonly) {
    if (cell.id !== this.id) Object.assign(this, { id: cell.id, entries: null })
    const list = h("div", {})
    const toggled = () => {
      if (!made.open) this.entries = null
      else if (!this.entries) this.#load(list, readonly)
    }
    const made = h("details", { "data-part": "metadata", ontoggle: toggled }, h("summary", {}, say("Metadata")), list)
    this.#draw(list, readonly)
    return made
  }

  get #path() {
    const { model_id: model, diagram_id: diagram } = this.editor.settings
    return `/threat_models/${model}/diagrams/${diagram}/cells/${this.id}/metadata`
  }

  async #load(list, readonly) {
    const { id } = this
    const found = await this.#try(() => ask("GET", this.#path))
    if (!found || id !== this.id) return
    this.entries = found
    this.#draw(list, readonly)
  }

  #draw(list, readonly) {
    if (!this.entries) return
    keepingFocus(list, () => list.replaceChildren(
      ...this.entries.map((entry) => this.#entry(entry, list, readonly)),
      ...(this.entries.length ? [] : [h("p", { class: "quiet" }, say("None yet"))]),
      ...(readonly ? [] : [this.#form(list)])))
  }

  #entry(entry, list, readonly) {
    const path = `${this.#path}/${encodeURIComponent(entry.key)}`
    const change = async (value) => {
      if (!value || !(await this.#try(() => ask("PUT", path, { value })))) return
      entry.value = value
      this.editor.tell(say("Saved"))
    }
    const remove = async () => {
      if (await this.#try(() => ask("DELETE", path), true)) await this.#load(list, readonly)
    }
    return h("div", { class: "pair" }, line(entry.key, entry.value, change, { readonly, maxlength: 65_535 }),
      readonly ? null : h("button", { type: "button", class: "tiny", "aria-label": say("Remove %(name)s", { name: entry.key }), onclick: remove }, "×"))
  }

  #form(list) {
    const field = (title, most) => h("input", { class: "form-control", required: true, maxlength: most, "aria-label": title, placeholder: title })
    const [key, value] = [field(say("Key"), 128), field(say("Value"), 65_535)]
    const submit = async (event) => {
      event.preventDefault()
      const body = { key: key.value.trim(), value: value.value }
      if (await this.#try(() => ask("POST", this.#path, body))) await this.#load(list, false)
    }
    return h("form", { class: "another", onsubmit: submit }, key, value, h("button", { type: "submit", class: "btn btn-quiet btn-sm" }, say("Add")))
  }

  /** The answer, `silent` where there is none to give; null when it failed, which is told. */
  async #try(act, silent = null) {
    try {
      return (await act()) ?? silent
    } catch (error) {
      this.editor.notice(error.message, "warning")
      return null
    }
  }
}
