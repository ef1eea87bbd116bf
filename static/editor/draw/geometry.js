// Points, boxes, and where a line meets the outline of a shape; the same as threatmodels/pictures/geometry.py. Pure.

export const FARTHEST = 1_000_000

const isNumber = (value) => typeof value === "number" && Math.abs(value) <= FARTHEST

export const point = (x, y) => ({ x, y })
export const box = (x, y, width, height) => ({ x, y, width, height })
export const right = (it) => it.x + it.width
export const bottom = (it) => it.y + it.height
export const centre = (it) => point(it.x + it.width / 2, it.y + it.height / 2)
export const grown = (it, by) => box(it.x - by, it.y - by, it.width + 2 * by, it.height + 2 * by)
export const towards = (from, to, share) => point(from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share)
export const distance = (a, b) => Math.hypot(b.x - a.x, b.y - a.y)
export const holds = (it, at) => it.x < at.x && at.x < right(it) && it.y < at.y && at.y < bottom(it)
export const contains = (outer, inner) =>
  outer.x <= inner.x && outer.y <= inner.y && right(outer) >= right(inner) && bottom(outer) >= bottom(inner)
export const meets = (a, b) => a.x < right(b) && b.x < right(a) && a.y < bottom(b) && b.y < bottom(a)

export function shared(a, b) {
  const wide = Math.min(right(a), right(b)) - Math.max(a.x, b.x)
  const high = Math.min(bottom(a), bottom(b)) - Math.max(a.y, b.y)
  return wide > 0 && high > 0 ? wide * high : 0
}

/** The box of a cell that has one and is sound enough to be drawn; else null. */
export function boxOf(cell) {
  const { position, size } = cell
  const sound = position && size && [position.x, position.y, size.width, size.height].every(isNumber)
  return sound && size.width > 0 && size.height > 0 ? box(position.x, position.y, size.width, size.height) : null
}

export const pointOf = (value) => (value && isNumber(value.x) && isNumber(value.y) ? point(value.x, value.y) : null)
export const pointsOf = (values) => (Array.isArray(values) ? values.map(pointOf).filter(Boolean) : [])

/** The points of a boundary that is a line: `properties.line` holds fractions of the box. */
export const linePoints = (cell, area) =>
  pointsOf(cell.properties?.line).map((p) => point(area.x + p.x * area.width, area.y + p.y * area.height))

/** The smallest box that holds the points; null without any. */
export function around(points) {
  if (!points.length) return null
  let [left, top, far, low] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const p of points) {
    left = Math.min(left, p.x)
    top = Math.min(top, p.y)
    far = Math.max(far, p.x)
    low = Math.max(low, p.y)
  }
  return box(left, top, far - left, low - top)
}

export const corners = (it) => [point(it.x, it.y), point(right(it), bottom(it))]
export const union = (boxes) => around(boxes.flatMap(corners))
export const spanned = (a, b) => around([a, b])

/** Where the line from the centre towards a point, and on where it is inside, leaves the rectangle. */
export function edgeOfBox(it, outside) {
  const middle = centre(it)
  const [dx, dy] = [outside.x - middle.x, outside.y - middle.y]
  if (dx === 0 && dy === 0) return point(middle.x, it.y)
  const scale = Math.min(dx ? it.width / 2 / Math.abs(dx) : Infinity, dy ? it.height / 2 / Math.abs(dy) : Infinity)
  return point(middle.x + dx * scale, middle.y + dy * scale)
}

/** The same for the ellipse in the box. */
export function edgeOfEllipse(it, outside) {
  const middle = centre(it)
  const [dx, dy] = [outside.x - middle.x, outside.y - middle.y]
  const reach = Math.hypot(dx / (it.width / 2), dy / (it.height / 2))
  return reach === 0 ? point(middle.x, it.y) : point(middle.x + dx / reach, middle.y + dy / reach)
}

export const SIDES = ["top", "right", "bottom", "left"]

/** The middle of the side that a port names; null for other names. */
export function sideOf(it, port) {
  const middle = centre(it)
  if (port === "top") return point(middle.x, it.y)
  if (port === "bottom") return point(middle.x, bottom(it))
  if (port === "left") return point(it.x, middle.y)
  return port === "right" ? point(right(it), middle.y) : null
}

/** The point at `share` of the length of a path, and the unit vector across it there. */
export function along(points, share) {
  const lengths = points.slice(1).map((p, index) => distance(points[index], p))
  let wanted = lengths.reduce((sum, each) => sum + each, 0) * share
  for (let index = 0; index < lengths.length; index += 1) {
    const [a, b, length] = [points[index], points[index + 1], lengths[index]]
    if (wanted <= length && length > 0) {
      return { at: towards(a, b, wanted / length), across: point(-(b.y - a.y) / length, (b.x - a.x) / length) }
    }
    wanted -= length
  }
  return { at: points.at(-1), across: point(0, -1) }
}

/** A point beside the middle of a line, `offset` to its left. */
export function bowed(start, end, offset) {
  const length = distance(start, end) || 1
  const middle = towards(start, end, 0.5)
  return point(middle.x + ((end.y - start.y) / length) * offset, middle.y - ((end.x - start.x) / length) * offset)
}

/** Points on the quadratic curve from start to end that `bend` pulls aside, both ends included. */
export function arc(start, bend, end, steps = 12) {
  const inner = Array.from({ length: steps - 1 }, (_, index) => {
    const share = (index + 1) / steps
    return towards(towards(start, bend, share), towards(bend, end, share), share)
  })
  return [start, ...inner, end]
}

/** How far a point is from a path. */
export function fromPath(points, at) {
  let least = Infinity
  for (let index = 1; index < points.length; index += 1) least = Math.min(least, fromLine(points[index - 1], points[index], at))
  return least
}

export function fromLine(a, b, at) {
  const length = (b.x - a.x) ** 2 + (b.y - a.y) ** 2
  const share = length ? Math.max(0, Math.min(1, ((at.x - a.x) * (b.x - a.x) + (at.y - a.y) * (b.y - a.y)) / length)) : 0
  return distance(towards(a, b, share), at)
}
