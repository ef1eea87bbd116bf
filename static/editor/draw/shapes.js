// The shapes of data-flow diagrams, as threatmodels/pictures/shapes.py draws them. Pure.
import { box, centre, grown, linePoints, point, right, bottom } from "./geometry.js"
import { labelOf, look, outlined } from "./look.js"
import { el, number } from "./markup.js"
import { LINE_HEIGHT, width, wrap } from "./text.js"

const PADDING = 8
const BOLD = 1.08
// How wide the invisible line is that a thin one is caught by, in pixels at any zoom.
export const HIT = 12

/** The drawing of a cell that lies in `area`; an unknown type is a plain box. */
export function shape(cell, area, theme) {
  const draw = Object.hasOwn(SHAPES, cell.type) ? SHAPES[cell.type] : unknown
  return el("g", { "data-kind": cell.type }, title(labelOf(cell)), ...draw(cell, area, theme))
}

const title = (text) => (text ? el("title", {}, text) : null)

function process(cell, area, theme) {
  const how = look(cell, theme, { fill: theme.process })
  const middle = centre(area)
  const inner = box(
    middle.x - (area.width / 2) * Math.SQRT1_2 - PADDING / 2,
    middle.y - (area.height / 2) * Math.SQRT1_2,
    area.width * Math.SQRT1_2 + PADDING,
    area.height * Math.SQRT1_2,
  )
  return [
    el("ellipse", { cx: middle.x, cy: middle.y, rx: area.width / 2, ry: area.height / 2, ...outlined(how) }),
    ...centred(labelOf(cell), inner, how),
  ]
}

function datastore(cell, area, theme) {
  const how = look(cell, theme, { fill: theme.datastore })
  const line = (y) => el("path", { d: `M${number(area.x)} ${number(y)}H${number(right(area))}`, ...outlined(how), fill: "none" })
  return [
    el("rect", { ...area, fill: how.fill }),
    line(area.y),
    line(bottom(area)),
    ...centred(labelOf(cell), grown(area, -PADDING / 2), how),
  ]
}

function externalEntity(cell, area, theme) {
  const how = look(cell, theme, { fill: theme.externalEntity })
  return [el("rect", { ...area, ...outlined(how) }), ...centred(labelOf(cell), grown(area, -PADDING / 2), how)]
}

const unknown = externalEntity

/** Only its border and its name can be hit: what lies inside stays within reach. */
function trustBoundary(cell, area, theme) {
  const how = boundaryLook(cell, theme)
  const { lines, at } = boundaryLabel(cell, area, how)
  const name = textLines(lines, at, how, { anchor: "start", weight: 600 })
  const points = linePoints(cell, area)
  const reach = { fill: "none", stroke: "transparent", "stroke-width": HIT, "vector-effect": "non-scaling-stroke", "pointer-events": "stroke" }
  if (points.length >= 2) {
    const d = smooth(points)
    return [el("path", { d, ...outlined(how), fill: "none", "pointer-events": "none" }), el("path", { d, ...reach }), ...name]
  }
  const strokes = { ...outlined(how), ...(cell.style && "fill" in cell.style ? {} : { "fill-opacity": 0.04 }) }
  return [
    el("rect", { ...area, rx: 8, ...strokes, "pointer-events": "none" }),
    el("rect", { ...area, rx: 8, ...reach }),
    ...name,
  ]
}

/** The room that the name of a trust boundary takes; null without a name. */
export function boundaryLabelBox(cell, area, theme) {
  const how = boundaryLook(cell, theme)
  const { lines, at } = boundaryLabel(cell, area, how)
  if (!lines.length) return null
  const wide = Math.max(...lines.map((line) => width(line, how.fontSize)))
  return box(at.x, at.y - how.fontSize, wide * BOLD, lines.length * how.fontSize * LINE_HEIGHT)
}

function boundaryLook(cell, theme) {
  const how = look(cell, theme, { fill: theme.boundaryFill, stroke: theme.boundary })
  return { ...how, dash: how.dash ?? "8 5", text: cell.style && "text_color" in cell.style ? how.text : how.stroke }
}

function boundaryLabel(cell, area, how) {
  const points = linePoints(cell, area)
  if (points.length >= 2) {
    const lines = wrap(labelOf(cell), 160, 2, how.fontSize)
    const above = 6 + Math.max(lines.length - 1, 0) * how.fontSize * LINE_HEIGHT
    return { lines, at: point(points[0].x + 4, points[0].y - above) }
  }
  const inner = Math.max(area.width - 2 * PADDING, 20)
  const lines = wrap(labelOf(cell), inner / BOLD, 2, how.fontSize)
  return { lines, at: point(area.x + PADDING, area.y + PADDING / 2 + how.fontSize) }
}

function text(cell, area, theme) {
  const how = look(cell, theme, { fill: "none" })
  const most = Math.max(Math.floor(area.height / (how.fontSize * LINE_HEIGHT)), 1)
  const lines = wrap(labelOf(cell), area.width, most, how.fontSize)
  return [
    el("rect", { ...area, fill: "transparent" }),
    ...textLines(lines, point(area.x, area.y + how.fontSize), how, { anchor: "start" }),
  ]
}

const SHAPES = { process, datastore, external_entity: externalEntity, trust_boundary: trustBoundary, text }

/** Text in the middle of a box, broken into lines, shortened where it does not fit. */
export function centred(words, area, how) {
  const step = how.fontSize * LINE_HEIGHT
  const lines = wrap(words, Math.max(area.width, how.fontSize * 2), Math.max(Math.floor(area.height / step), 1), how.fontSize)
  const middle = centre(area)
  const top = middle.y - (step * (lines.length - 1)) / 2 + how.fontSize * 0.35
  return textLines(lines, point(middle.x, top), how, { anchor: "middle" })
}

/** Lines one below the other; `at` is the baseline of the first. */
export function textLines(lines, at, how, { anchor, weight = undefined }) {
  return lines.map((line, index) =>
    el("text", {
      x: at.x, y: at.y + index * how.fontSize * LINE_HEIGHT, fill: how.text, "font-size": how.fontSize,
      "font-weight": weight, "text-anchor": anchor, "unicode-bidi": "plaintext",
    }, line),
  )
}

/** The room that lines take around a point. */
export function textBox(lines, at, size) {
  const wide = Math.max(...lines.map((line) => width(line, size)))
  const high = lines.length * size * LINE_HEIGHT
  return box(at.x - wide / 2, at.y - high / 2, wide, high)
}

/** A path through all points without corners: Catmull-Rom as cubic curves. */
export function smooth(points) {
  const padded = [points[0], ...points, points.at(-1)]
  let path = `M${number(points[0].x)} ${number(points[0].y)}`
  for (let index = 1; index < padded.length - 2; index += 1) {
    const [before, start, end, after] = padded.slice(index - 1, index + 3)
    const values = [
      start.x + (end.x - before.x) / 6, start.y + (end.y - before.y) / 6,
      end.x - (after.x - start.x) / 6, end.y - (after.y - start.y) / 6, end.x, end.y,
    ]
    path += `C${values.map(number).join(" ")}`
  }
  return path
}
