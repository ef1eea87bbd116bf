// Small helps for building parts of the page. Strings become text, never markup.

export function h(tag, attrs = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attrs)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value)
    else if (value === true) made.setAttribute(name, "")
    else if (name === "value") made.value = value
    else if (value !== undefined && value !== null && value !== false) made.setAttribute(name, value)
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false))
  return made
}

export const $ = (selector, root = document) => root.querySelector(selector)
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)]

/** An icon that the page brought along. */
export function icon(name) {
  const template = document.getElementById(`icon-${name}`)
  return template ? template.content.firstElementChild.cloneNode(true) : ""
}

/** A UUID, also where the page came over plain HTTP and the browser makes none. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-")
}

const NOT_TYPED = ["button", "checkbox", "color", "file", "image", "radio", "range", "reset", "submit"].map((type) => `:not([type="${type}"])`).join("")

/** Whether keys write there. */
export const typing = (target) => Boolean(target?.closest?.(`input${NOT_TYPED}, textarea, [contenteditable='true']`))

/** Redraws a part of the page; who was at a control of it is at the one that has taken its place. False when none has. */
export function keepingFocus(root, redraw) {
  const held = root.contains(document.activeElement) ? document.activeElement : null
  const name = held && nameOf(held)
  redraw()
  if (!held || root.contains(held)) return true
  $$("input, textarea, select, button, a, summary", root).find((one) => one.tagName === held.tagName && nameOf(one) === name)?.focus()
  return root.contains(document.activeElement)
}

const nameOf = (control) => control.getAttribute("aria-label") ?? control.labels?.[0]?.textContent ?? control.textContent
