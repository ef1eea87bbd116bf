// Shapes laid out along their flows, in layers from left to right; what lies in a boundary stays in it.
import { boxOf } from "../draw/geometry.js"
import { update } from "../state.js"
import { isLocked, rounded } from "./steps.js"

const GAPS = { rankdir: "LR", nodesep: 60, ranksep: 130, edgesep: 30, marginx: 40, marginy: 40 }
// Room for the label of a boundary, and around what it holds.
const PADDING = { side: 30, top: 46 }

/** The steps that lay all shapes out. The library is loaded when somebody asks for it. */
export async function layoutSteps(editor) {
  // @ts-expect-error  it comes from the package as it is
  const { Graph, layout } = await import("../../vendor/dagre/dagre.esm.js")
  return placed(editor, areas(editor, Graph, layout))
}

/** Whether the shapes lie where nobody has put them: most of them on one of the others. */
export function piledUp(scene) {
  const places = [...scene.areas].filter(([id]) => scene.cells.get(id).type !== "trust_boundary").map(([, { x, y }]) => `${x} ${y}`)
  return places.length > 2 && new Set(places).size * 2 <= places.length
}

function areas(editor, Graph, layout) {
  const cells = [...editor.state.cells.values()]
  const shapes = cells.filter((cell) => boxOf(cell) && !isLocked(cell))
  const known = new Set(shapes.map((cell) => cell.id))
  const holders = new Set(shapes.filter((cell) => known.has(cell.parent)).map((cell) => cell.parent))
  const graph = new Graph({ compound: true, multigraph: true }).setGraph({ ...GAPS }).setDefaultEdgeLabel(() => ({}))
  for (const cell of shapes) graph.setNode(cell.id, holders.has(cell.id) ? {} : { ...cell.size })
  for (const cell of shapes) if (known.has(cell.parent)) graph.setParent(cell.id, cell.parent)
  for (const cell of cells) {
    const ends = [cell.source?.cell, cell.target?.cell]
    // A flow from what holds others cannot be laid out; it is drawn all the same.
    if (cell.type === "data_flow" && ends.every((end) => known.has(end) && !holders.has(end)) && ends[0] !== ends[1]) {
      graph.setEdge(...ends, { width: 60, height: 16, labelpos: "c" }, cell.id)
    }
  }
  layout(graph)
  const found = new Map()
  for (const cell of shapes.filter((one) => !holders.has(one.id))) {
    const { x, y } = graph.node(cell.id)
    found.set(cell.id, { x: x - cell.size.width / 2, y: y - cell.size.height / 2, ...cell.size })
  }
  for (const id of holders) around(id, shapes, found)
  return found
}

/** The area of what holds others: as large as they need. */
function around(id, shapes, found, seen = new Set()) {
  if (found.has(id) || seen.has(id)) return found.get(id)
  seen.add(id)
  const held = shapes.filter((cell) => cell.parent === id).map((cell) => found.get(cell.id) ?? around(cell.id, shapes, found, seen)).filter(Boolean)
  const left = Math.min(...held.map((area) => area.x)) - PADDING.side
  const top = Math.min(...held.map((area) => area.y)) - PADDING.top
  const right = Math.max(...held.map((area) => area.x + area.width)) + PADDING.side
  const bottom = Math.max(...held.map((area) => area.y + area.height)) + PADDING.side
  found.set(id, { x: left, y: top, width: right - left, height: bottom - top })
  return found.get(id)
}

function placed(editor, found) {
  const steps = []
  for (const [id, area] of found) {
    const cell = editor.cell(id)
    const change = {}
    const [x, y, width, height] = [area.x, area.y, area.width, area.height].map(rounded)
    if (cell.position.x !== x || cell.position.y !== y) change.position = { x, y }
    if (cell.size.width !== width || cell.size.height !== height) change.size = { width, height }
    if (Object.keys(change).length) steps.push(update(id, change))
  }
  // Bends were made for the old places.
  for (const cell of editor.state.cells.values()) {
    if (cell.type === "data_flow" && cell.vertices?.length && !isLocked(cell)) steps.push(update(cell.id, { vertices: null }))
  }
  return steps
}
