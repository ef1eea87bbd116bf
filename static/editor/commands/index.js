// Everything that can be done, by name: the toolbar, the keyboard and the command palette run the same commands.
import { along, boxOf, centre, union } from "../draw/geometry.js"
import { isStacked } from "../draw/scene.js"
import { onGrid } from "../guides.js"
import { GRID } from "../editor.js"
import { KINDS, say, sayMany } from "../words.js"
import * as clipboard from "./clipboard.js"
import * as output from "./output.js"
import { layoutSteps } from "./layout.js"
import { freePlace } from "./place.js"
import { nearestTo, walk } from "./walk.js"
import * as steps from "./steps.js"

/** {id, title, keys, run(), enabled(), shown} for an editor with its canvas; `ui` opens dialogs and panels. */
export function makeCommands(editor, canvas, ui) {
  const edit = () => editor.mayEdit
  const some = () => editor.mayEdit && editor.selection.size > 0
  const several = () => editor.mayEdit && editor.selection.size > 1
  const any = () => editor.selection.size > 0
  const ids = () => [...editor.selection]
  const commands = []
  const add = (id, title, keys, run, enabled = () => true, group = "edit") => commands.push({ id, title, keys, run, enabled, group })

  // -- tools
  const kinds = KINDS()
  add("tool.select", say("Select"), ["v"], () => editor.use("select"), () => true, "tools")
  add("tool.hand", say("Move the view"), ["h"], () => editor.use("hand"), () => true, "tools")
  const tools = { process: "p", datastore: "d", external_entity: "e", trust_boundary: "b", data_flow: "f", text: "t" }
  for (const [kind, key] of Object.entries(tools)) add(`tool.${kind}`, kinds[kind], [key], () => editor.use(kind), edit, "tools")
  for (const kind of Object.keys(tools).filter((one) => one !== "data_flow")) {
    add(`insert.${kind}`, say("Add: %(kind)s", { kind: kinds[kind] }), [], () => insert(kind), edit, "tools")
  }

  function insert(kind) {
    const size = steps.SIZES[kind]
    const middle = centre(canvas.sight())
    const area = free(kind, { x: onGrid(middle.x - size.width / 2, GRID), y: onGrid(middle.y - size.height / 2, GRID), ...size })
    const made = steps.drawSteps(editor, kind, area)
    editor.use("select")
    if (!editor.change(made.steps, { select: [made.id], tell: say("%(kind)s added", { kind: kinds[kind] }) })) return
    canvas.reveal(area)
    ui.editLabel(made.id)
  }

  /** A place of this size near there: of shapes where no other lies, of boundaries, which hold them, where no other begins. */
  function free(kind, area) {
    const holds = (id) => editor.cell(id)?.type === "trust_boundary"
    const all = [...editor.scene.areas]
    if (kind !== "trust_boundary") return freePlace(area, all.filter(([id]) => !holds(id)).map(([, it]) => it))
    const taken = new Set(all.map(([, it]) => `${it.x} ${it.y}`))
    const found = { ...area }
    while (taken.has(`${found.x} ${found.y}`)) Object.assign(found, { x: found.x + 20, y: found.y + 20 })
    return found
  }

  // -- undo
  add("undo", say("Undo"), ["mod+z"], () => ui.history("undo"), edit)
  add("redo", say("Redo"), ["mod+shift+z", "mod+y"], () => ui.history("redo"), edit)

  // -- selection
  add("select.all", say("Select all"), ["mod+a"], () => editor.select(editor.state.cells.keys()))
  add("select.none", say("Select nothing"), [], () => editor.select([]), any)
  // With a tool in hand Enter draws: a shape in the middle, a flow between the two that are selected.
  add("draw", say("Draw with the chosen tool, or edit the name"), ["enter"], draw, () => edit() && (drawing() || editor.selection.size === 1))
  add("label", say("Edit the name"), ["f2"], () => ui.editLabel(ids()[0]), () => edit() && editor.selection.size === 1)
  add("delete", say("Delete"), ["delete", "backspace"], remove, some)

  const drawing = () => Object.hasOwn(tools, editor.tool)

  function draw() {
    if (!drawing()) ui.editLabel(ids()[0])
    else if (editor.tool !== "data_flow") insert(editor.tool)
    else if (shapes().length === 2) connect()
    else editor.tell(say("Select the two elements that the flow is to connect."))
  }

  function remove() {
    const all = steps.removeSteps(editor, ids())
    if (!all.length) return refuse()
    editor.change(all, { select: [], tell: sayMany("%(count)s element deleted", "%(count)s elements deleted", all.length) })
  }

  const refuse = () => editor.notice(say("What is locked is not deleted. Unlock it first."), "warning")

  // -- clipboard
  add("copy", say("Copy"), ["mod+c"], () => clipboard.copy(editor), any)
  add("cut", say("Cut"), ["mod+x"], cut, some)
  add("paste", say("Paste"), ["mod+v"], () => clipboard.paste(editor, canvas), edit)
  add("duplicate", say("Duplicate"), ["mod+d"], () => clipboard.duplicate(editor), some)

  function cut() {
    const cells = steps.cuttable(editor, ids())
    if (!cells.length) return refuse()
    clipboard.copy(editor, cells)
    const all = steps.removeSteps(editor, cells.map((cell) => cell.id))
    editor.change(all, { select: [], tell: sayMany("%(count)s element cut", "%(count)s elements cut", all.length) })
  }

  // -- moving by keyboard
  const arrows = { arrowleft: [-1, 0], arrowright: [1, 0], arrowup: [0, -1], arrowdown: [0, 1] }
  const directions = { arrowleft: say("left"), arrowright: say("right"), arrowup: say("up"), arrowdown: say("down") }
  for (const [key, [x, y]] of Object.entries(arrows)) {
    const values = { direction: directions[key] }
    add(`nudge.${key}`, say("Move %(direction)s", values), [key], () => nudge(x * GRID, y * GRID))
    add(`nudge.fine.${key}`, say("Move %(direction)s by one", values), [`shift+${key}`], () => nudge(x, y))
    add(`walk.${key}`, say("Go %(direction)s along the flows", values), [`alt+${key}`], () => go(x, y), () => true, "navigate")
    add(`grow.${key}`, say("Connect a new element: %(direction)s", values), [`mod+${key}`], () => grow(x, y), () => edit() && editor.selection.size === 1)
  }

  function nudge(dx, dy) {
    if (!editor.selection.size) return canvas.panBy(-dx * 6, -dy * 6)
    if (!editor.mayEdit) return
    const all = steps.moveSteps(editor, steps.movable(editor, ids()), dx, dy)
    const first = editor.scene.areas.get(ids()[0])
    if (!editor.change(all)) return
    if (!first) editor.tell(say("Moved"))
    else {
      const now = editor.scene.areas.get(ids()[0])
      editor.tell(say("Moved to %(x)s, %(y)s", { x: Math.round(now.x), y: Math.round(now.y) }))
      canvas.reveal(now)
    }
  }

  function go(x, y) {
    const next = walk(editor, ids()[0] ?? null, { x, y })
    if (!next) return editor.tell(say("Nothing there"))
    editor.select([next])
    canvas.reveal(editor.scene.extent(next))
  }

  /** A shape of the same kind in that direction, with a flow to it. */
  function grow(x, y) {
    const [from] = editor.selected()
    const area = from && boxOf(from)
    if (!area || from.type === "text" || from.type === "trust_boundary") return
    const kind = from.type
    const place = free(kind, { ...area, x: area.x + x * (area.width + 120), y: area.y + y * (area.height + 90) })
    const made = steps.drawSteps(editor, kind, place)
    const flow = steps.connectSteps({ cell: from.id }, { cell: made.id })
    if (editor.change([...made.steps, ...flow.steps], { select: [made.id], tell: say("%(kind)s added and connected", { kind: kinds[kind] }) })) {
      canvas.reveal(place)
      ui.editLabel(made.id)
    }
  }

  add("next", say("Next element"), ["pagedown"], () => step(1), () => editor.state.cells.size > 0, "navigate")
  add("previous", say("Previous element"), ["pageup"], () => step(-1), () => editor.state.cells.size > 0, "navigate")

  add("next.too", say("Select the next element too"), ["shift+pagedown"], () => step(1, ids()), () => editor.state.cells.size > 0, "navigate")
  add("previous.too", say("Select the previous element too"), ["shift+pageup"], () => step(-1, ids()), () => editor.state.cells.size > 0, "navigate")

  function step(by, kept = []) {
    const order = nearestTo(editor)
    const at = order.indexOf(ids().at(-1))
    const next = order[at < 0 ? (by > 0 ? 0 : order.length - 1) : (at + by + order.length) % order.length]
    // The one that was reached last stays the last.
    editor.select([...kept.filter((id) => id !== next), next])
    const extent = editor.scene.extent(next)
    if (extent) canvas.reveal(extent)
  }

  // -- connecting two chosen shapes
  add("connect", say("Connect the two selected elements"), ["mod+shift+f"], connect, () => edit() && shapes().length === 2)
  const shapes = () => ids().filter((id) => editor.scene.areas.has(id) && !["text", "trust_boundary"].includes(editor.cell(id).type))

  function connect() {
    const [source, target] = shapes()
    const made = steps.connectSteps({ cell: source }, { cell: target })
    editor.use("select")
    if (editor.change(made.steps, { select: [made.id], tell: say("Data flow added") })) ui.editLabel(made.id)
  }

  const flow = () => editor.selected().find((cell) => cell.type === "data_flow")
  add("flow.reverse", say("Reverse the flow"), [], reverse, () => edit() && Boolean(flow()))
  add("flow.bend", say("Bend the flow"), ["mod+shift+b"], bend, () => edit() && Boolean(flow()) && !steps.isLocked(flow()))
  add("flow.straighten", say("Remove the bends of the flow"), [], straighten, () => edit() && Boolean(flow()?.vertices?.length))

  function reverse() {
    const cell = flow()
    const vertices = cell.vertices && [...cell.vertices].reverse()
    // A merge patch would mix a cell's end with a free one: the keys that go are named.
    editor.change(steps.changeSteps(cell, { ...cell, source: cell.target, target: cell.source, ...(vertices ? { vertices } : {}) }), { tell: say("Reversed") })
  }

  /** A vertex in the middle of the flow, beside its line; the arrows move it. */
  function bend() {
    const cell = flow()
    const points = editor.scene.routes.get(cell.id)
    if (!points) return
    const middle = along(points, 0.5).at
    const at = { x: onGrid(middle.x, GRID), y: onGrid(middle.y, GRID) + 4 * GRID }
    editor.change(steps.flowSteps(cell, { vertices: (cell.vertices ?? []).toSpliced(steps.vertexIndex(cell, points, middle), 0, at) }), { tell: say("Bent") })
  }

  function straighten() {
    const cell = flow()
    editor.change(steps.flowSteps(cell, { vertices: [] }), { tell: say("Straightened") })
  }

  // -- arranging
  const arranged = (all, tell) => editor.change(all, { tell }) || editor.tell(say("Nothing to change"))
  const sides = {
    left: say("Align left edges"), center: say("Align centres"), right: say("Align right edges"),
    top: say("Align top edges"), middle: say("Align middles"), bottom: say("Align bottom edges"),
  }
  for (const [how, title] of Object.entries(sides)) {
    add(`align.${how}`, title, [], () => arranged(steps.alignSteps(editor, ids(), how), say("Aligned")), several, "arrange")
  }
  const three = () => editor.mayEdit && editor.selection.size > 2
  add("distribute.x", say("Distribute horizontally"), [], () => arranged(steps.distributeSteps(editor, ids(), "x"), say("Distributed")), three, "arrange")
  add("distribute.y", say("Distribute vertically"), [], () => arranged(steps.distributeSteps(editor, ids(), "y"), say("Distributed")), three, "arrange")
  add("layout", say("Lay out along the flows"), ["mod+shift+y"], arrange, () => edit() && editor.scene.areas.size > 1, "arrange")

  async function arrange() {
    const all = await layoutSteps(editor)
    if (editor.change(all, { tell: say("Laid out") })) canvas.fit(editor.scene.bounds())
  }

  const stacked = () => edit() && editor.selected().some(isStacked)
  add("front", say("Bring to front"), ["mod+]"], () => arranged(steps.orderSteps(editor, ids(), true), say("In front")), stacked, "arrange")
  add("back", say("Send to back"), ["mod+["], () => arranged(steps.orderSteps(editor, ids(), false), say("Behind the others")), stacked, "arrange")
  add("lock", say("Lock or unlock"), ["mod+shift+l"], lock, some, "arrange")

  function lock() {
    const locked = editor.selected().every(steps.isLocked)
    const wanted = (cell) => {
      const { locked: _, ...properties } = cell.properties
      return { ...cell, properties: locked ? properties : { ...properties, locked: true } }
    }
    editor.change(editor.selected().flatMap((cell) => steps.changeSteps(cell, wanted(cell))), { tell: locked ? say("Unlocked") : say("Locked") })
  }

  // -- the view
  const all = () => editor.scene.bounds()
  add("fit", say("Show all"), ["shift+1"], () => all() && canvas.fit(all()), () => true, "view")
  add("fit.selection", say("Show the selection"), ["shift+2"], () => canvas.fit(union(ids().map((id) => editor.scene.extent(id)).filter(Boolean)), 2), any, "view")
  add("zoom.100", say("Zoom to 100 %"), ["mod+0"], () => canvas.zoomBy(1 / canvas.zoom), () => true, "view")
  add("zoom.in", say("Zoom in"), ["mod+=", "mod++"], () => canvas.zoomBy(1.25), () => true, "view")
  add("zoom.out", say("Zoom out"), ["mod+-"], () => canvas.zoomBy(0.8), () => true, "view")
  add("snap", say("Snap to grid and neighbours"), ["mod+'"], () => toggleSnap(), edit, "view")
  add("minimap", say("Show or hide the overview"), ["m"], () => ui.toggleMinimap(), () => true, "view")

  function toggleSnap() {
    editor.snapping = !editor.snapping
    editor.tell(editor.snapping ? say("Snapping on") : say("Snapping off"))
    editor.emit("snapping")
  }

  // -- panels and dialogs
  add("suggest", say("Suggest threats"), ["s"], () => ui.suggest(), () => true, "navigate")
  add("find", say("Find an element"), ["mod+f", "/"], () => ui.find(), () => true, "view")
  add("palette", say("Command palette"), ["mod+k"], () => ui.palette(), () => true, "view")
  add("help", say("Keyboard shortcuts"), ["?"], () => ui.help(), () => true, "view")
  for (const [name, title] of [["properties", say("Properties")], ["threats", say("Threats")], ["people", say("Participants")], ["history", say("History")]]) {
    add(`panel.${name}`, say("Panel: %(name)s", { name: title }), [], () => ui.panel(name), () => true, "view")
  }

  add("details", say("Details and history"), [], () => ui.details(), () => true, "view")

  // -- export
  add("export.svg", say("Export as SVG"), [], () => output.svg(editor), () => true, "export")
  add("export.png", say("Export as PNG"), [], () => output.png(editor), () => true, "export")
  add("export.json", say("Export as JSON"), [], () => output.json(editor), () => true, "export")
  return commands
}
