// Keys become commands.
import { typing } from "./dom.js"

const MAC = /Mac|iPhone|iPad/.test(navigator.platform)

/** A key with its modifiers, as commands name them: "mod+shift+z". */
export function combination(event) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1]
  const key = digit ?? event.key.toLowerCase()
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
const EVERYWHERE = /^(mod\+|\?$|shift\+[12]$)/

export function listen(editor, canvas, commands, gestures) {
  const byKeys = new Map()
  for (const command of commands) for (const keys of command.keys) byKeys.set(keys, command)
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
    if (event.key === "Escape") return leave(editor, gestures, canvas)
    const command = byKeys.get(keys)
    if (!command || !(onSurface || EVERYWHERE.test(keys) || /^[a-z]$/.test(keys))) return
    // Text that is chosen on the page is copied as text.
    if (["copy", "cut"].includes(command.id) && !getSelection().isCollapsed) return
    event.preventDefault()
    if (command.enabled()) command.run()
  })
  // A frame shows where Tab has come to; who draws does not need it.
  let tabbed = false
  document.addEventListener("keydown", (event) => (tabbed = event.key === "Tab"), true)
  canvas.host.addEventListener("focus", () => canvas.host.classList.toggle("by-keyboard", tabbed))
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
