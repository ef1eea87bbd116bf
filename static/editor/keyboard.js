// Keys become commands.
import { typing } from "./dom.js"

const MAC = /Mac|iPhone|iPad/.test(navigator.platform)

const LATIN = /^[\p{Script=Latin}\p{N}]$/u
const SIGNS = { BracketLeft: "[", BracketRight: "]", Quote: "'", Slash: "/", Minus: "-", Equal: "=" }
const SHORTCUT_SIGNS = new Set(["?", "+", ...Object.values(SIGNS)])

/** What the key types; where that is no Latin letter, what it would type on a Latin keyboard. */
function keyOf({ key, code }) {
  const [, letter] = /^Key([A-Z])$/.exec(code) ?? []
  const [, digit] = /^Digit(\d)$/.exec(code) ?? []
  // Shift makes a sign of a digit, and some keyboards have the signs without it.
  if (digit && !SHORTCUT_SIGNS.has(key)) return digit
  const foreign = key.length === 1 && /\p{L}/u.test(key) && !LATIN.test(key)
  return (foreign && (letter ?? SIGNS[code]) ? (letter ?? SIGNS[code]) : key).toLowerCase()
}

/** A key with its modifiers, as commands name them: "mod+shift+z". */
export function combination(event) {
  const key = keyOf(event)
  const sign = key.length === 1 && !/[\p{L}\p{N}]/u.test(key)
  const parts = []
  if (event.ctrlKey || event.metaKey) parts.push("mod")
  if (event.altKey) parts.push("alt")
  // With signs, Shift is only the way to type them.
  if (event.shiftKey && !sign) parts.push("shift")
  return [...parts, key].join("+")
}

/** How a combination is shown to people. */
export function shown(keys) {
  const names = {
    mod: MAC ? "⌘" : "Ctrl", shift: MAC ? "⇧" : "Shift", alt: MAC ? "⌥" : "Alt", arrowleft: "←", arrowright: "→",
    arrowup: "↑", arrowdown: "↓", delete: "Del", backspace: "⌫", enter: "Enter", pageup: "PgUp", pagedown: "PgDn", f2: "F2",
  }
  const parts = keys === "mod++" ? ["mod", "+"] : keys.split("+")
  return parts.map((part) => names[part] ?? part.toUpperCase())
}

// These work wherever the focus is, but not while one types.
const EVERYWHERE = /^mod\+/
// These beside the canvas too: one that types or speaks to another part of the page must not draw by it.
const BY_TOOLS = /^([a-z?]|shift\+[12])$/

export function listen(editor, canvas, commands, gestures) {
  const commandOf = new Map()
  for (const command of commands) for (const keys of command.keys) commandOf.set(keys, command)
  let byKeys = false
  let menuOpen = false
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return
    const keys = combination(event)
    if (typing(event.target) && keys !== "mod+k") return
    const onSurface = event.target === canvas.host || event.target === document.body
    if (event.key === " " && onSurface) {
      gestures.spaceHeld = true
      canvas.host.classList.add("hand")
      return event.preventDefault()
    }
    if (event.key === "Escape") return menuOpen || event.target.matches("select") || leave(editor, gestures, canvas)
    const command = commandOf.get(keys)
    const nearby = onSurface || Boolean(event.target.closest("#palette"))
    if (!command || !(onSurface || EVERYWHERE.test(keys) || (nearby && BY_TOOLS.test(keys)))) return
    // Text that is chosen on the page is copied as text.
    if (["copy", "cut"].includes(command.id) && !getSelection().isCollapsed) return
    event.preventDefault()
    if (command.enabled()) command.run()
  })
  // What the page was before anything else takes the key.
  document.addEventListener("keydown", () => {
    byKeys = true
    menuOpen = Boolean(document.querySelector("details.menu[open]"))
  }, true)
  document.addEventListener("pointerdown", () => (byKeys = false), true)
  // A frame shows where the keyboard has come to; who draws with the pointer does not need it.
  canvas.host.addEventListener("focus", () => canvas.host.classList.toggle("by-keyboard", byKeys))
  canvas.host.addEventListener("pointerdown", () => canvas.host.classList.remove("by-keyboard"))
  document.addEventListener("keyup", (event) => {
    if (event.key !== " ") return
    gestures.spaceHeld = false
    canvas.host.classList.remove("hand")
  })
}

function leave(editor, gestures, canvas) {
  if (gestures.cancel()) return
  if (editor.past) editor.lookBack(null)
  else if (editor.tool !== "select") editor.use("select")
  else editor.select([])
  canvas.host.focus({ preventScroll: true })
}
