// Going through a diagram without a pointer. Pure.
import { centre } from "../draw/geometry.js"

/** The shape in a direction: along a flow if there is one, else the nearest; the first without a start. */
export function walk(editor, from, way) {
  const { areas } = editor.scene
  if (!from || !editor.scene.extent(from)) return nearestTo(editor)[0] ?? null
  const cell = editor.cell(from)
  const middle = centre(editor.scene.extent(from))
  const near = cell.type === "data_flow" ? [cell.source?.cell, cell.target?.cell] : neighbours(editor, from)
  const along = best(near.filter((id) => id && areas.has(id)), areas, middle, way)
  return along ?? best([...areas.keys()].filter((id) => id !== from), areas, middle, way)
}

function neighbours(editor, id) {
  return editor.state.attached(id).flatMap((flow) => {
    const cell = editor.cell(flow)
    return [cell.source?.cell, cell.target?.cell].filter((end) => end && end !== id)
  })
}

function best(ids, areas, middle, way) {
  let [found, least] = [null, Infinity]
  for (const id of ids) {
    const at = centre(areas.get(id))
    const ahead = (at.x - middle.x) * way.x + (at.y - middle.y) * way.y
    const aside = Math.abs((at.x - middle.x) * way.y) + Math.abs((at.y - middle.y) * way.x)
    if (ahead <= 0 || aside > ahead * 2) continue
    const cost = ahead + aside * 2
    if (cost < least) [found, least] = [id, cost]
  }
  return found
}

/** All elements as one reads: rows from the top, each from the left. */
export function nearestTo(editor) {
  const row = (area) => Math.round(area.y / 60)
  return [...editor.state.cells.keys()]
    .map((id) => [id, editor.scene.extent(id)])
    .filter(([, area]) => area)
    .sort(([, a], [, b]) => row(a) - row(b) || a.x - b.x)
    .map(([id]) => id)
}
