// What became of the elements of a diagram between two moments. Pure.
import { difference, same } from "../state.js"

/** From one Map of cells by id to a later one: [{id, what: added | changed | removed, cell, fields}]. */
export function compared(earlier, later) {
  const found = []
  for (const [id, cell] of later) {
    const old = earlier.get(id)
    if (!old) found.push({ id, what: "added", cell, fields: [] })
    else if (!same(old, cell)) found.push({ id, what: "changed", cell, fields: fields(difference(old, cell)) })
  }
  for (const [id, cell] of earlier) if (!later.has(id)) found.push({ id, what: "removed", cell, fields: [] })
  return found
}

/** The names of what a merge patch touches; properties are named one by one. */
function fields(patch) {
  return Object.entries(patch).flatMap(([name, value]) => (name === "properties" && value ? Object.keys(value) : [name]))
}
