// Fields of the panels: each with its label, each telling once what it was changed to.
import { h, typing } from "../dom.js"

let made = 0

let pressed = false
addEventListener("pointerdown", () => (pressed = true), true)
for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => (pressed = false), true)

/** Soon, but not under the pointer of who is about to let go of a button. */
export function afterwards(act) {
  if (!pressed) setTimeout(act)
  else addEventListener("pointerup", () => setTimeout(act), { once: true })
}

/** What is being typed counts as if its field had been left. */
export function settle(root) {
  const at = document.activeElement
  if (root.contains(at) && typing(at)) at.dispatchEvent(new Event("change", { bubbles: true }))
}

export function field(label, input, { hint = "" } = {}) {
  const id = `field-${(made += 1)}`
  input.id = id
  if (hint) input.setAttribute("aria-describedby", `${id}-hint`)
  return h("div", { class: "row" }, h("label", { for: id }, label), input, hint ? h("p", { class: "hint", id: `${id}-hint` }, hint) : null)
}

/** `change(text, before)`: what was typed over which text; `draft` was typed before and not told. @param {any} options further ones become attributes of the control */
export function line(label, value, change, options = {}) {
  const { multi = false, readonly = false, type = "text", draft = null, ...more } = options
  const attrs = { class: "form-control", value: value ?? "", readonly, ...more }
  const input = multi ? h("textarea", { rows: 3, ...attrs }) : h("input", { type, ...attrs })
  let told = input.value
  const tell = () => {
    if (input.value === told) return
    const before = told
    told = input.value
    change(told, before)
  }
  input.addEventListener("change", tell)
  if (draft !== null) {
    input.value = draft
    input.addEventListener("blur", tell)
  }
  // What was typed is kept when one pauses, not only when one leaves.
  let pause = null
  input.addEventListener("input", () => {
    clearTimeout(pause)
    pause = setTimeout(tell, 900)
  })
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !multi) tell()
  })
  return field(label, input, more)
}

export function check(label, value, change, { readonly = false } = {}) {
  const id = `field-${(made += 1)}`
  const input = h("input", { type: "checkbox", class: "form-check-input", id, disabled: readonly, onchange: () => change(input.checked) })
  input.checked = value === true
  input.indeterminate = value === null
  return h("div", { class: "row-check" }, input, h("label", { for: id }, label))
}

/** `choices` are [value, label] pairs; a value that is none of them is offered too. @param {any} options further ones become attributes */
export function choice(label, value, choices, change, options = {}) {
  const { readonly = false, ...more } = options
  const known = choices.some(([one]) => one === value)
  const all = known ? choices : [...choices, [value, String(value)]]
  const input = h("select", { class: "form-select", disabled: readonly, ...more, onchange: () => change(input.value) },
    all.map(([one, words]) => h("option", { value: one, selected: one === value }, words)))
  input.value = value
  return field(label, input)
}

/** A colour with "as usual". */
export function colour(label, value, usual, change, { readonly = false } = {}) {
  const id = `field-${(made += 1)}`
  const input = h("input", { type: "color", id, value: /^#[0-9a-f]{6}$/i.test(value ?? "") ? value : usual, disabled: readonly, onchange: () => change(input.value) })
  const clear = h("button", { type: "button", class: "tiny", disabled: readonly || value === undefined, "aria-label": `${label}: ×`, onclick: () => change(null) }, "×")
  return h("div", { class: "row-colour" }, h("label", { for: id }, label), input, clear)
}
