// Where a shape that is made without a pointer comes to lie. Pure.
import { grown, meets } from "../draw/geometry.js"

const STEP = 20
// Between what is made and what is there.
const GAP = 10
const FARTHEST = 60

/** The area of this size nearest to the wanted one that meets none of the others; the wanted one where all is full. */
export function freePlace(wanted, others) {
  const taken = (area) => others.some((one) => meets(grown(area, GAP - 1), one))
  if (!taken(wanted)) return wanted
  for (let ring = 1; ring <= FARTHEST; ring += 1) {
    const found = around(ring).map(([x, y]) => ({ ...wanted, x: wanted.x + x * STEP, y: wanted.y + y * STEP })).find((area) => !taken(area))
    if (found) return found
  }
  return wanted
}

/** The steps that a ring is away, the nearest first, and of those that are as near the ones after it in reading. */
function around(ring) {
  const found = []
  for (let x = -ring; x <= ring; x += 1) for (let y = -ring; y <= ring; y += 1) if (Math.max(Math.abs(x), Math.abs(y)) === ring) found.push([x, y])
  return found.sort(([ax, ay], [bx, by]) => Math.hypot(ax, ay) - Math.hypot(bx, by) || by - ay || bx - ax)
}
