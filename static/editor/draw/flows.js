// Data flows: where they run, their arrow heads, and where their labels find room: threatmodels/pictures/flows.py. Pure.
import { RADIUS as BADGE_RADIUS, badgeMark } from "./badges.js"
import {
  along, arc, bowed, box, centre, distance, edgeOfBox, edgeOfEllipse, grown, holds, point, pointOf, pointsOf, right, sideOf, towards,
} from "./geometry.js"
import { labelOf, look, outlined } from "./look.js"
import { el, number } from "./markup.js"
import { HIT, textBox, textLines } from "./shapes.js"
import { LINE_HEIGHT, wrap } from "./text.js"

const APART = 60
const LABEL_WIDTH = 150
const ARROW = 9
const [LOOP, NEXT_LOOP] = [34, 24]
const ON_LINE = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8]
const BESIDE_LINE = [0.5, 0.35, 0.65]

const cellId = (end) => (typeof end?.cell === "string" ? end.cell : null)

/** Flows with the same key run along with each other; null for a flow that has a course of its own. */
export function together(flow) {
  const ends = [cellId(flow.source), cellId(flow.target)]
  if (ends.includes(null) || pointsOf(flow.vertices).length) return null
  return ends.sort().join(" ")
}

/**
 * The points of a flow from outline to outline, the `index`-th of `among` that run together; null where it cannot be
 * drawn. `shapes` answers {area, kind} for a cell id.
 */
export function route(flow, shapes, index = 0, among = 1) {
  const found = routed(flow, shapes, index, among)
  return found?.some((p, at) => at && distance(p, found[at - 1]) > 0) ? found : null
}

function routed(flow, shapes, index, among) {
  const [source, target] = [cellId(flow.source), cellId(flow.target)]
  const [start, end] = [middleOf(flow.source, shapes), middleOf(flow.target, shapes)]
  if (!start || !end) return null
  const between = visible(pointsOf(flow.vertices), source, target, shapes)
  if (between.length) {
    const last = anchor(flow.target, shapes, between.at(-1), end)
    return [anchor(flow.source, shapes, between[0], start), ...between, last]
  }
  if (source !== null && source === target) return loop(shapes(source).area, LOOP + index * NEXT_LOOP)
  const offset = (index - (among - 1) / 2) * APART
  if (offset === 0) return straight(flow, shapes, start, end)
  const forth = source === null || target === null || source < target
  const bend = bowed(start, end, forth ? offset : -offset)
  return arc(anchor(flow.source, shapes, bend, start), bend, anchor(flow.target, shapes, bend, end))
}

function straight(flow, shapes, start, end) {
  let first = anchor(flow.source, shapes, end, start)
  let last = anchor(flow.target, shapes, start, end)
  if (inside(end, flow.source, shapes)) last = anchor(flow.target, shapes, first, end)
  else if (inside(start, flow.target, shapes)) first = anchor(flow.source, shapes, last, start)
  return [first, last]
}

function inside(at, end, shapes) {
  const id = cellId(end)
  return id !== null && holds(shapes(id).area, at)
}

function visible(points, source, target, shapes) {
  let [first, last] = [0, points.length]
  while (first < last && hides(source, points[first], shapes)) first += 1
  while (last > first && hides(target, points[last - 1], shapes)) last -= 1
  return points.slice(first, last)
}

function hides(id, at, shapes) {
  if (id === null) return false
  const { area, kind } = shapes(id)
  if (kind === "trust_boundary") return false
  if (kind !== "process") return holds(area, at)
  const middle = centre(area)
  return Math.hypot((at.x - middle.x) / area.width, (at.y - middle.y) / area.height) < 0.5
}

function loop(area, reach) {
  const middle = centre(area)
  return [
    point(right(area), middle.y), point(right(area) + reach, middle.y), point(right(area) + reach, area.y - reach),
    point(middle.x, area.y - reach), point(middle.x, area.y),
  ]
}

function middleOf(end, shapes) {
  const id = cellId(end)
  if (id === null) return pointOf(end)
  const known = shapes(id)
  return known ? centre(known.area) : null
}

function anchor(end, shapes, towardsPoint, free) {
  const id = cellId(end)
  if (id === null) return free
  const { area, kind } = shapes(id)
  return sideOf(area, end.port) ?? (kind === "process" ? edgeOfEllipse : edgeOfBox)(area, towardsPoint)
}

/** The line with its arrow heads, and the wider invisible one that it is caught by. */
export function flowLines(flow, points, theme) {
  const how = look(flow, theme, { fill: "none" })
  const d = pathOf(points)
  const name = labelOf(flow)
  return el(
    "g",
    { "data-kind": "data_flow" },
    name ? el("title", {}, name) : null,
    el("path", { d, fill: "none", stroke: "transparent", "stroke-width": Math.max(HIT, how.strokeWidth), "vector-effect": "non-scaling-stroke", "pointer-events": "stroke", class: "reach" }),
    el("path", { d, ...outlined(how), fill: "none" }),
    head(points.at(-2), points.at(-1), how),
    flow.bidirectional === true ? head(points[1], points[0], how) : null,
  )
}

/** Where the label and the badge beside it find room: {place, lines, how}; null without both. */
export function placeLabel(flow, points, room, theme, badge) {
  const how = look(flow, theme, { fill: theme.paper })
  how.fontSize = Math.min(how.fontSize, 12)
  const lines = wrap(labelOf(flow), LABEL_WIDTH, 3, how.fontSize)
  if (!lines.length && !badge) return null
  const words = lines.length ? grown(textBox(lines, point(0, 0), how.fontSize), 2) : box(0, 0, 0, 0)
  const beside = badge ? 2 * BADGE_RADIUS + 8 : 0
  const place = room.best(places(points, { ...words, width: words.width + beside }))
  return { place, lines, how, beside }
}

export function flowLabel({ place, lines, how, beside }, theme, badge) {
  const words = { ...place, width: place.width - beside }
  const step = how.fontSize * LINE_HEIGHT
  const middle = centre(words)
  const top = middle.y - (step * (lines.length - 1)) / 2 + how.fontSize * 0.35
  return el(
    "g",
    { class: "flow-label" },
    lines.length ? el("rect", { ...words, rx: 3, fill: how.fill, "fill-opacity": 0.88 }) : null,
    ...textLines(lines, point(middle.x, top), how, { anchor: "middle" }),
    badge ? badgeMark(point(right(place) - beside / 2, centre(place).y), badge, theme) : null,
  )
}

function* places(points, size) {
  for (const share of ON_LINE) yield moved(size, along(points, share).at)
  for (const share of BESIDE_LINE) {
    const { at, across } = along(points, share)
    const reach = (Math.abs(across.x) * size.width) / 2 + (Math.abs(across.y) * size.height) / 2 + 4
    for (const way of [reach, -reach]) yield moved(size, point(at.x + across.x * way, at.y + across.y * way))
  }
}

const moved = (size, middle) => ({ ...size, x: middle.x - size.width / 2, y: middle.y - size.height / 2 })

/** Straight parts with rounded corners. */
export function pathOf(points) {
  let path = `M${number(points[0].x)} ${number(points[0].y)}`
  for (let index = 1; index < points.length - 1; index += 1) {
    const corner = points[index]
    const near = towards(corner, points[index - 1], rounding(corner, points[index - 1]))
    const far = towards(corner, points[index + 1], rounding(corner, points[index + 1]))
    path += `L${number(near.x)} ${number(near.y)}Q${number(corner.x)} ${number(corner.y)} ${number(far.x)} ${number(far.y)}`
  }
  return `${path}L${number(points.at(-1).x)} ${number(points.at(-1).y)}`
}

function rounding(corner, other) {
  const length = distance(corner, other)
  return length ? Math.min(18 / length, 0.45) : 0
}

function head(before, tip, how) {
  const length = distance(before, tip)
  if (!length) return null
  const [dx, dy] = [(tip.x - before.x) / length, (tip.y - before.y) / length]
  const size = ARROW + how.strokeWidth
  const back = point(tip.x - dx * size, tip.y - dy * size)
  const wide = size * 0.42
  const points = [tip, point(back.x - dy * wide, back.y + dx * wide), point(back.x + dy * wide, back.y - dx * wide)]
  return el("polygon", { points: points.map((p) => `${number(p.x)},${number(p.y)}`).join(" "), fill: how.stroke })
}
