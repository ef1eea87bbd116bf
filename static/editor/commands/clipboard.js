// Copying within a diagram, between diagrams and between tabs: as text on the clipboard, and in the browser's store
// where the clipboard may not be read.
import { around, boxOf, centre, pointsOf } from "../draw/geometry.js"
import { GRID } from "../editor.js"
import { onGrid } from "../guides.js"
import { say, sayMany } from "../words.js"
import { areCells, copied, pasteSteps } from "./steps.js"

const KIND = "tmi-cells"
const STORE = "tmi-clipboard"
let repeated = 0

export function copy(editor, cells = copied(editor, editor.selection)) {
  if (!cells.length) return false
  const text = JSON.stringify({ kind: KIND, model: editor.settings.model_id, cells })
  repeated = 0
  try {
    localStorage.setItem(STORE, text)
  } catch {
    // Full or forbidden: the clipboard alone has to do.
  }
  navigator.clipboard?.writeText(text).catch(() => {})
  editor.tell(sayMany("%(count)s element copied", "%(count)s elements copied", cells.length))
  return true
}

export async function paste(editor, canvas) {
  const { model_id: model } = editor.settings
  const cells = read(await fromClipboard(), model) ?? read(stored(), model)
  if (!cells || !put(editor, cells, offset(cells, canvas), known(editor))) {
    editor.notice(say("There is nothing on the clipboard that belongs into a diagram."))
  }
}

/** How far the copies lie from the originals: beside them, or in the middle of what is in sight. */
function offset(cells, canvas) {
  const frame = around(cells.flatMap(places))
  // Flows between elements lie where these do.
  if (!frame) return { x: 0, y: 0 }
  const sight = canvas.sight()
  const middle = centre(frame)
  const inSight = middle.x > sight.x && middle.y > sight.y && middle.x < sight.x + sight.width && middle.y < sight.y + sight.height
  repeated += 1
  const by = { x: repeated * 2 * GRID, y: repeated * 2 * GRID }
  const to = centre(sight)
  return inSight ? by : { x: onGrid(to.x - middle.x, GRID) + by.x, y: onGrid(to.y - middle.y, GRID) + by.y }
}

/** Flows to what was not copied stay, where it is in this diagram. */
const known = (editor) => (id) => editor.state.cells.has(id)

/** A copy beside the selection. */
export function duplicate(editor) {
  put(editor, copied(editor, editor.selection), { x: 2 * GRID, y: 2 * GRID }, known(editor))
}

/** Answers whether there was anything to put there. */
function put(editor, cells, { x, y }, keep) {
  const { ids, steps } = pasteSteps(cells, {
    dx: x, dy: y, keep, around: (area) => editor.boundaryAround(area), above: (area) => editor.scene.above(area),
  })
  if (steps.length) editor.change(steps, { select: ids, tell: sayMany("%(count)s element added", "%(count)s elements added", ids.length) })
  return steps.length > 0
}

async function fromClipboard() {
  try {
    return await navigator.clipboard.readText()
  } catch {
    return null
  }
}

function stored() {
  try {
    return localStorage.getItem(STORE)
  } catch {
    return null
  }
}

/** The cells of a text; assets of another threat model are not known here. */
function read(text, model) {
  if (!text || text.length > 20_000_000) return null
  try {
    const value = JSON.parse(text)
    if (value?.kind !== KIND || !areCells(value.cells)) return null
    return value.model === model ? value.cells : value.cells.map(({ data_asset_ids: _, ...cell }) => cell)
  } catch {
    return null
  }
}

function places(cell) {
  const area = boxOf(cell)
  const points = area ? [{ x: area.x, y: area.y }, { x: area.x + area.width, y: area.y + area.height }] : []
  return [...points, ...pointsOf(cell.vertices), ...pointsOf([cell.source, cell.target])]
}
