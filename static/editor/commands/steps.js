// The steps of an operation for each kind of change. They read the editor's cells and change nothing.
import { boxOf, centre, contains, pointsOf, right, bottom, union } from "../draw/geometry.js"
import { isStacked, levelOf } from "../draw/scene.js"
import { uuid } from "../dom.js"
import { add, difference, remove, same, update } from "../state.js"
import { KINDS } from "../words.js"

export const SIZES = {
  process: { width: 130, height: 80 },
  datastore: { width: 140, height: 60 },
  external_entity: { width: 130, height: 70 },
  trust_boundary: { width: 320, height: 220 },
  text: { width: 160, height: 40 },
}
export const LEAST = { width: 40, height: 30 }

export const rounded = (value) => Math.round(value * 100) / 100
const place = ({ x, y }) => ({ x: rounded(x), y: rounded(y) })

export const isLocked = (cell) => cell?.properties?.locked === true

/** A new shape in `area`, in the boundary there; a new boundary takes in what lies in it. */
export function drawSteps(editor, type, area, label = "") {
  const id = uuid()
  const cell = {
    id, type, properties: { label },
    position: place(area),
    size: { width: Math.max(LEAST.width, rounded(area.width)), height: Math.max(LEAST.height, rounded(area.height)) },
  }
  const parent = editor.boundaryAround(area)
  if (parent) cell.parent = parent
  const level = isStacked(cell) ? editor.scene.above(area) : null
  if (level !== null) cell.z = level
  const steps = [add(cell)]
  if (type === "trust_boundary") steps.push(...holdSteps(editor, id, area, parent))
  return { id, steps }
}

/** What lies in a boundary of this area belongs to it; what does not any more belongs to what is around. */
function holdSteps(editor, boundaryId, area, outer) {
  const steps = []
  const held = new Set(editor.state.children(boundaryId))
  for (const [id, inner] of editor.scene.areas) {
    if (id === boundaryId) continue
    const cell = editor.cell(id)
    const inside = contains(area, inner)
    if (held.has(id) && !inside) steps.push(update(id, { parent: editor.boundaryAround(inner, editor.withContents([boundaryId])) }))
    else if (inside && !held.has(id) && (cell.parent ?? null) === (outer ?? null) && !editor.withContents([id]).has(boundaryId)) {
      steps.push(update(id, { parent: boundaryId }))
    }
  }
  return steps
}

export function connectSteps(source, target, label = "") {
  const id = uuid()
  return { id, steps: [add({ id, type: "data_flow", properties: { label }, source, target })] }
}

/** Everything that goes along when these cells are moved: what lies in the shapes, and flows between them. */
export function movable(editor, ids) {
  const shapes = [...ids].filter((id) => editor.scene.areas.has(id) && !isLocked(editor.cell(id)))
  const boxes = editor.withContents(shapes)
  const flows = new Set([...ids].filter((id) => editor.cell(id)?.type === "data_flow" && !isLocked(editor.cell(id))))
  for (const id of boxes) for (const flow of editor.state.attached(id)) {
    const cell = editor.cell(flow)
    if ([cell.source?.cell, cell.target?.cell].every((end) => boxes.has(end))) flows.add(flow)
  }
  return { boxes, flows }
}

/** A flow shifted as far as it has places of its own. */
export function shifted(flow, dx, dy) {
  const shift = (p) => place({ x: p.x + dx, y: p.y + dy })
  const wanted = { ...flow }
  if (Array.isArray(flow.vertices)) wanted.vertices = flow.vertices.map(shift)
  for (const end of ["source", "target"]) if (flow[end] && !flow[end].cell) wanted[end] = shift(flow[end])
  return wanted
}

export function moveSteps(editor, { boxes, flows }, dx, dy) {
  const steps = []
  for (const id of boxes) {
    const cell = editor.cell(id)
    const from = cell && boxOf(cell)
    if (!from) continue
    const to = { ...from, ...place({ x: from.x + dx, y: from.y + dy }) }
    const change = { position: { x: to.x, y: to.y } }
    if (!boxes.has(cell.parent)) Object.assign(change, newParent(editor, cell, to, boxes))
    steps.push(update(id, change))
  }
  for (const flow of [...flows].map((id) => editor.cell(id)).filter(Boolean)) steps.push(...changeSteps(flow, shifted(flow, dx, dy)))
  return steps
}

function newParent(editor, cell, area, moving) {
  const found = editor.boundaryAround(area, moving)
  if (found === (cell.parent ?? null)) return {}
  const old = cell.parent && editor.scene.areas.get(cell.parent)
  // A group that is no boundary keeps what still lies in it.
  if (!found && old && contains(old, area)) return {}
  return { parent: found }
}

export function resizeSteps(editor, id, area) {
  const cell = editor.cell(id)
  const wanted = { position: place(area), size: { width: rounded(area.width), height: rounded(area.height) } }
  const outer = newParent(editor, cell, area, editor.withContents([id]))
  const steps = [update(id, { ...wanted, ...outer })]
  if (cell.type === "trust_boundary") steps.push(...holdSteps(editor, id, area, "parent" in outer ? outer.parent : cell.parent))
  return steps
}

/** From one cell to another, if they differ at all. */
export function changeSteps(old, wanted) {
  const patch = difference(old, wanted)
  return Object.keys(patch).length ? [update(old.id, patch)] : []
}

export const labelSteps = (cell, label) => changeSteps(cell, { ...cell, properties: { ...cell.properties, label } })

export function removeSteps(editor, ids) {
  const wanted = [...ids].filter((id) => editor.cell(id) && !isLocked(editor.cell(id)))
  // Flows first, and what lies in others before them: what goes with another anyway would be named twice.
  const flows = wanted.filter((id) => editor.cell(id).type === "data_flow")
  const shapes = wanted.filter((id) => !flows.includes(id))
  const depths = new Map(shapes.map((id) => [id, depth(editor, id)]))
  return [...flows, ...shapes.sort((one, other) => depths.get(other) - depths.get(one))].map(remove)
}

/** In how many others a cell lies. */
function depth(editor, id) {
  const outer = new Set()
  for (let at = editor.cell(id).parent; editor.cell(at) && !outer.has(at); at = editor.cell(at).parent) outer.add(at)
  return outer.size
}

/** New ends, or vertices, of a flow. Lists go over as a whole. */
export function flowSteps(cell, change) {
  const wanted = { ...cell, ...change }
  if (!wanted.vertices?.length) delete wanted.vertices
  else wanted.vertices = wanted.vertices.map(place)
  return same(cell, wanted) ? [] : changeSteps(cell, wanted)
}

/** The cells to copy: the chosen ones, what lies in them, and the flows between them. */
export function copied(editor, ids) {
  const { boxes, flows } = movable(editor, [...ids])
  const locked = [...ids].filter((id) => isLocked(editor.cell(id)))
  const wanted = new Set([...boxes, ...flows, ...locked])
  return editor.state.listed().filter((cell) => wanted.has(cell.id))
}

/** What is cut out: all that is copied but what is locked, which stays. */
export const cuttable = (editor, ids) => copied(editor, ids).filter((cell) => !isLocked(cell))

/**
 * Copies with ids of their own. References to what is not copied are loosened, or kept with `keep(id)`; what does not
 * lie in another copy lies in `around(area)`. They come in front of what is there, whose level `above(area)` tells, and
 * keep their order among themselves.
 */
export function pasteSteps(cells, { dx, dy, keep = (_id) => false, around = (_area) => null, above = (_area) => null }) {
  const ids = new Map(cells.map((cell) => [cell.id, uuid()]))
  const areas = new Map(cells.map((cell) => [cell.id, boxOf(cell)]))
  const made = cells.map((cell) => {
    const { parent, ...rest } = cell
    const copy = { ...shifted(rest, dx, dy), id: ids.get(cell.id) }
    if (cell.position) copy.position = place({ x: cell.position.x + dx, y: cell.position.y + dy })
    const area = boxOf(copy)
    const outer = ids.get(parent) ?? (area && around(area))
    if (outer) copy.parent = outer
    for (const end of ["source", "target"]) {
      const at = cell[end]?.cell
      if (!at) continue
      if (ids.has(at)) copy[end] = { ...cell[end], cell: ids.get(at) }
      else if (!keep(at)) copy[end] = areas.get(at) ? place(centre(areas.get(at))) : null
    }
    return copy
  })
  const sound = made.filter((cell) => cell.type !== "data_flow" || (cell.source && cell.target))
  raise(sound.filter(isStacked), above)
  return { ids: sound.map((cell) => cell.id), steps: sound.map(add) }
}

/** Puts shapes so far in front that all of them are before what lies where they are. */
function raise(shapes, above) {
  // What has no sound place is refused when it is added, with a reason.
  const areas = shapes.map(boxOf).filter(Boolean)
  if (!areas.length) return
  const lift = (above(union(areas)) ?? -Infinity) - shapes.reduce((least, cell) => Math.min(least, levelOf(cell)), Infinity)
  if (lift > 0) for (const cell of shapes) cell.z = levelOf(cell) + lift
}

/** Whether what came from the clipboard is a list of cells that can be put in. */
export const areCells = (value) =>
  Array.isArray(value) && value.length > 0 && value.length <= 10_000 &&
  value.every((cell) => cell && typeof cell.id === "string" && Object.hasOwn(KINDS(), cell.type) && typeof cell.properties === "object" &&
    (cell.type === "data_flow" ? cell.source && cell.target : boxOf(cell)))

/** Lines edges or middles up: left, center, right, top, middle, bottom. */
export function alignSteps(editor, ids, how) {
  const areas = boxesOf(editor, ids)
  if (areas.length < 2) return []
  const all = union(areas.map(([, area]) => area))
  const to = {
    left: () => ({ x: all.x }), center: (a) => ({ x: all.x + (all.width - a.width) / 2 }), right: (a) => ({ x: right(all) - a.width }),
    top: () => ({ y: all.y }), middle: (a) => ({ y: all.y + (all.height - a.height) / 2 }), bottom: (a) => ({ y: bottom(all) - a.height }),
  }[how]
  return carried(editor, areas, to)
}

/** The same gap between neighbours, across ("x") or down ("y"). */
export function distributeSteps(editor, ids, axis) {
  const side = axis === "x" ? "width" : "height"
  const areas = boxesOf(editor, ids).sort(([, a], [, b]) => a[axis] - b[axis])
  if (areas.length < 3) return []
  const [first, last] = [areas[0][1], areas.at(-1)[1]]
  const taken = areas.reduce((sum, [, area]) => sum + area[side], 0)
  const gap = (last[axis] + last[side] - first[axis] - taken) / (areas.length - 1)
  let next = first[axis]
  const places = new Map()
  for (const [id, area] of areas) {
    places.set(id, next)
    next += area[side] + gap
  }
  return carried(editor, areas, (area, id) => ({ [axis]: places.get(id) }))
}

/** Shapes of the selection that do not lie in another of it. */
function boxesOf(editor, ids) {
  const chosen = new Set(ids)
  return [...chosen]
    .filter((id) => editor.scene.areas.has(id) && !chosen.has(editor.cell(id).parent) && !isLocked(editor.cell(id)))
    .map((id) => [id, editor.scene.areas.get(id)])
}

function carried(editor, areas, to) {
  return areas.flatMap(([id, area]) => {
    const wanted = { ...area, ...to(area, id) }
    const [dx, dy] = [wanted.x - area.x, wanted.y - area.y]
    return dx || dy ? moveSteps(editor, movable(editor, [id]), dx, dy) : []
  })
}

/** In front of all other shapes, or behind them, in the order that they have among themselves. */
export function orderSteps(editor, ids, front) {
  const chosen = ids.filter((id) => isStacked(editor.cell(id))).sort(editor.scene.inOrder)
  const levels = editor.state.listed().filter((cell) => isStacked(cell) && !chosen.includes(cell.id)).map(levelOf)
  const first = front
    ? levels.reduce((most, one) => Math.max(most, one), 0) + 1
    : levels.reduce((least, one) => Math.min(least, one), 0) - chosen.length
  return chosen.map(editor.cell).flatMap((cell, index) => changeSteps(cell, { ...cell, z: first + index }))
}

/** Where a path is to be broken so that a point of it becomes a vertex: its place in the list. */
export function vertexIndex(flow, points, at) {
  const vertices = pointsOf(flow.vertices)
  const stops = [points[0], ...vertices, points.at(-1)]
  let [found, least] = [0, Infinity]
  for (let index = 1; index < stops.length; index += 1) {
    const [a, b] = [stops[index - 1], stops[index]]
    const far = Math.hypot(at.x - a.x, at.y - a.y) + Math.hypot(at.x - b.x, at.y - b.y) - Math.hypot(a.x - b.x, a.y - b.y)
    if (far < least) [found, least] = [index - 1, far]
  }
  return found
}
