// Operations as large as the server takes them by the socket: at most so many cells, and so many bytes. Pure.
export const MOST_CELLS = 200
export const MOST_BYTES = 60_000

const encoder = new TextEncoder()
const weight = (step) => encoder.encode(JSON.stringify(step)).length + 1

/** The steps in portions, each an operation of its own that refers to nothing which comes later. */
export function split(steps) {
  const weights = steps.map(weight)
  const total = weights.reduce((sum, one) => sum + one, 0)
  if (steps.length <= MOST_CELLS && total <= MOST_BYTES) return [steps]
  const portions = [[]]
  let bytes = 0
  for (const step of ordered(steps)) {
    const size = weight(step)
    if (portions.at(-1).length === MOST_CELLS || (bytes + size > MOST_BYTES && portions.at(-1).length)) {
      portions.push([])
      bytes = 0
    }
    portions.at(-1).push(step)
    bytes += size
  }
  return portions
}

/** New shapes, what they lie in first; then new flows; then the rest as it was. */
function ordered(steps) {
  const added = new Map(steps.filter((step) => step.operation === "add").map((step) => [step.id, step]))
  const depth = (step, seen = new Set()) => {
    const outer = added.get(step.data.parent)
    if (!outer || seen.has(step.id)) return 0
    return 1 + depth(outer, seen.add(step.id))
  }
  const shapes = [...added.values()].filter((step) => step.data.type !== "data_flow")
  const flows = [...added.values()].filter((step) => step.data.type === "data_flow")
  const depths = new Map(shapes.map((step) => [step, depth(step)]))
  shapes.sort((one, other) => depths.get(one) - depths.get(other))
  return [...shapes, ...flows, ...steps.filter((step) => step.operation !== "add")]
}
