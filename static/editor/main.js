// Puts the editor together on its page.
import { Canvas } from "./canvas.js"
import { makeCommands } from "./commands/index.js"
import { piledUp } from "./commands/layout.js"
import * as dialogs from "./dialogs.js"
import { $, $$, h, uuid } from "./dom.js"
import { Editor } from "./editor.js"
import { Gestures } from "./gestures.js"
import { listen } from "./keyboard.js"
import { LabelEditor } from "./label.js"
import { Minimap } from "./minimap.js"
import { Overlay } from "./overlay.js"
import { Palette } from "./palette.js"
import { Advice } from "./panels/advice.js"
import { did } from "./panels/did.js"
import { settle } from "./panels/fields.js"
import { History } from "./panels/history.js"
import { People } from "./panels/people.js"
import { Properties } from "./panels/properties.js"
import { Threats } from "./panels/threats.js"
import { overtaken, replacedProperty } from "./replaced.js"
import { Status } from "./status.js"
import { Kept } from "./sync/kept.js"
import { Reconciler } from "./sync/reconcile.js"
import { Connection } from "./sync/socket.js"
import { Undoing } from "./sync/undoing.js"
import { say } from "./words.js"

// The server closes with this what one person has too much of.
const TOO_MANY = 4429

const settings = JSON.parse($("#settings").textContent)
const reconciler = new Reconciler(settings.user_id)
const kept = new Kept(localStorage, settings.user_id, settings.diagram_id, uuid())
const editor = new Editor(settings, reconciler, kept)
const canvas = (editor.canvas = new Canvas($("#canvas"), editor.scene))
const overlay = new Overlay(editor, canvas)
const labels = new LabelEditor(editor, canvas)
const gestures = new Gestures(editor, canvas, overlay, { editLabel: labels.open })
const scheme = settings.socket.replace(/^http/, "ws")
const connection = (editor.connection = new Connection(scheme, reconciler, { pace: settings.pace }))

const reveal = (id) => {
  const extent = editor.scene.extent(id)
  if (!extent) return
  editor.select([id])
  canvas.reveal(extent)
  canvas.host.focus({ preventScroll: true })
}
editor.on("reveal", ({ id }) => reveal(id))

// -- panels

// On a narrow window the panel is away until it is asked for; on a wide one it is there until it is not wanted.
const narrow = matchMedia("(max-width: 56rem)")
const isNarrow = () => narrow.matches

function panel(name) {
  for (const tab of $$("[role=tab]")) {
    const on = tab.dataset.panel === name
    tab.setAttribute("aria-selected", String(on))
    tab.tabIndex = on ? 0 : -1
    $(`#panel-${tab.dataset.panel}`).hidden = !on
  }
  document.body.classList.remove("panel-closed")
  document.body.classList.toggle("panel-open", isNarrow())
  tellPanel()
  editor.emit("panel", { name })
}
const tabs = $$("[role=tab]")
for (const [index, tab] of tabs.entries()) {
  tab.addEventListener("click", () => panel(tab.dataset.panel))
  tab.addEventListener("keydown", (event) => {
    const ahead = getComputedStyle(tab).direction === "rtl" ? -1 : 1
    const by = { ArrowRight: ahead, ArrowLeft: -ahead }[event.key]
    if (!by) return
    const next = tabs[(index + by + tabs.length) % tabs.length]
    panel(next.dataset.panel)
    next.focus()
  })
}
const tellPanel = () => $("#panel-toggle").setAttribute("aria-expanded", String($(".side").checkVisibility({ checkVisibilityCSS: true })))
$("#panel-toggle").addEventListener("click", () => {
  document.body.classList.toggle(isNarrow() ? "panel-open" : "panel-closed")
  tellPanel()
})
narrow.addEventListener("change", tellPanel)
tellPanel()

// -- commands

const minimap = new Minimap(editor, canvas, $("#minimap"))
const ui = {
  editLabel: labels.open,
  panel,
  find: () => dialogs.find(editor, reveal),
  palette: () => dialogs.palette(commands),
  help: () => dialogs.help(commands),
  toggleMinimap: () => minimap.toggle(),
  history: (way) => editor.undoing.ask(way),
  details: () => $("#details").click(),
  suggest: () => {
    panel("threats")
    advice.suggest()
  },
}
const commands = makeCommands(editor, canvas, ui)
const run = (id) => {
  const command = commands.find((one) => one.id === id)
  if (command?.enabled()) command.run()
}

editor.undoing = new Undoing(reconciler, connection, {
  show: (changed) => {
    editor.show(changed)
    editor.keep()
  },
  refuse: () => editor.notice(say("Undoing what was sent already needs the connection. Try again in a moment.")),
})

listen(editor, canvas, commands, gestures)
new Palette(editor, canvas, overlay, $("#palette"), { run, editLabel: labels.open })
const properties = new Properties(editor, $("#panel-properties"), { run })
const people = new People(editor, canvas, overlay, $("#panel-people"), $("#avatars"))
const threats = new Threats(editor, $("#threats"))
const advice = new Advice(editor, { onThreats: () => threats.load(true) })
editor.names = (id) => settings.authors[id] ?? people.name(id)
new History(editor, $("#panel-history"))
const status = new Status(editor, canvas, connection, reconciler)

// Offered once, to a diagram whose shapes nobody has placed.
for (const button of $$("#piled button")) button.addEventListener("click", () => ($("#piled").hidden = true))

const refresh = () => {
  for (const button of $$("[data-command]")) button.disabled = !commands.find((one) => one.id === button.dataset.command)?.enabled()
}
for (const button of $$("[data-command]")) {
  button.addEventListener("click", () => {
    button.closest("details")?.removeAttribute("open")
    run(button.dataset.command)
  })
}
for (const name of ["selection", "cells", "tool"]) editor.on(name, refresh)
$("#avatars").addEventListener("click", () => panel("people"))

editor.on("role", ({ role }) => {
  const may = role !== "reader"
  if (may === editor.allowed) return
  editor.allowed = may
  document.body.classList.toggle("readonly", !may)
  $("#readonly").hidden = may
  editor.use("select")
  editor.emit("selection")
})
document.body.classList.toggle("readonly", !editor.mayEdit)
const now = $("#past button")
now.addEventListener("click", () => editor.lookBack(null))
editor.on("past", () => {
  const { past } = editor
  $("#past").hidden = !past
  document.body.classList.toggle("looking-back", Boolean(past))
  if (past) $("#past span").textContent = say("As it was after change %(number)s", { number: past.number })
})
editor.on("following", ({ name }) => {
  $("#following").hidden = !name
  $("#following").textContent = name ? say("Following %(name)s. Move your own view to stop.", { name }) : ""
})

// -- the connection

let first = true

function opened() {
  first = false
  const area = editor.scene.bounds()
  if (area) canvas.fit(area)
  else canvas.look({ x: canvas.host.clientWidth / 2, y: canvas.host.clientHeight / 2 })
  const wanted = location.hash.slice(1)
  if (wanted && editor.cell(wanted)) reveal(wanted)
  $("#loading").hidden = true
  $("#piled").hidden = !(editor.mayEdit && piledUp(editor.scene))
  minimap.toggle(editor.state.cells.size > 12)
  document.body.dataset.ready = "true"
}

connection.addEventListener("changed", ({ detail }) => {
  editor.show(detail.changed, { whole: detail.whole && first })
  if (detail.whole && first) opened()
  editor.keep()
  if (detail.message && !detail.acknowledged) {
    for (const { id, name, theirs } of overtaken(reconciler.pending, detail.message.operation)) replacedProperty(editor, id, name, theirs)
  }
  editor.emit("heard", { message: detail.message })
})
connection.addEventListener("rejected", ({ detail }) => {
  editor.show(detail.changed)
  editor.keep()
  const names = detail.message.affected_cells.map(editor.name).join(", ")
  const why = {
    permission_denied: say("You may not change this diagram (any more)."), conflict_detected: say("Somebody else was there first."),
    validation_failed: say("A value in it is not allowed (%(details)s).", { details: detail.message.message }), too_large: say("It was too large."), no_state_change: say("The diagram is like that already."),
  }[detail.message.reason] ?? say("The server did not take it.")
  editor.notice(`${say("A change of yours was not kept; the diagram shows what the others have.")} ${why} ${names}`, "warning")
})
/** What the server complains about, in the language of the page; what only a faulty page brings about is told as it is. */
const problem = ({ code, message }) => ({
  PERMISSION_DENIED: say("You may not do this here."), NOT_FOUND: say("This participant is not here any more."), CONFLICT: say("This session has no host."),
  RATE_LIMITED: say("That was too much at once. Try again in a moment."), SERVICE_UNAVAILABLE: say("The server cannot keep changes at the moment. They are sent again later."),
}[code] ?? message)

connection.addEventListener("message", ({ detail: message }) => {
  people.hear(message)
  const undoing = editor.undoing.hear(message)
  if (message.message_type === "history_operation" && message.message !== "done") {
    const told = {
      no_operations_to_undo: say("There is nothing of yours to undo."), no_operations_to_redo: say("There is nothing of yours to do again."),
      changed_by_others: say("Others have changed this since; it was left as it is."),
    }
    editor.notice(told[message.message] ?? say("The server did not take it."))
  } else if (message.message_type === "history_operation") editor.tell(message.operation_type === "undo" ? say("Undone") : say("Done again"))
  else if (message.message_type === "threats_changed") editor.emit("threats")
  else if (message.message_type === "error" && !undoing) editor.notice(problem(message), "warning")
  if (message.message_type === "diagram_operation" && message.user_internal_uuid !== settings.user_id) {
    editor.tell(`${people.name(message.user_internal_uuid)}: ${did(editor, message)}`)
  }
})
connection.addEventListener("status", ({ detail }) => {
  if (detail.status !== "online") people.alone()
  if (detail.status === "offline" && detail.code === TOO_MANY) {
    editor.notice(say("You have too many diagrams open, or too much happened at once. The connection is tried again by itself."), "warning")
  }
  if (detail.status === "closed") {
    editor.allowed = false
    editor.emit("selection")
    document.body.classList.add("readonly")
    const why = {
      4401: say("You are not signed in any more."), 4403: say("You were removed from this session, or may not see this diagram any more."),
      4404: say("This diagram is not there any more."), 4410: say("The session was ended."),
    }[detail.code]
    const again = h("a", { href: location.pathname }, say("Open it again"))
    $("#closed").replaceChildren(h("p", {}, why ?? say("The connection was closed.")), again)
    $("#closed").hidden = false
  }
  if (detail.status === "online") threats.load()
})
reconciler.adopt(kept.take())
editor.keep()
window.addEventListener("online", () => connection.comeBack())
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && connection.comeBack())
/** What is typed in a field that keeps itself is kept. */
const settled = () => {
  labels.close()
  settle($(".side"))
}
window.addEventListener("pagehide", settled)
window.addEventListener("beforeunload", (event) => {
  settled()
  const written = editor.allowed ? [...properties.written(), ...threats.written(), ...advice.written()] : []
  // What waits is still there on return, but nobody else has it until then.
  if (written.length || (reconciler.pending.length && !(status.safe && connection.online))) event.preventDefault()
  // Told to who stays.
  if (written.length) setTimeout(() => editor.notice(say("This is written, and not added yet: %(what)s", { what: written.join(", ") })))
})
new MutationObserver(() => editor.setTheme(document.documentElement.dataset.bsTheme)).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] })
connection.open()
refresh()
