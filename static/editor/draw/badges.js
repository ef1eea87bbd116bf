// How many open threats an element has, and how bad the worst is: threatmodels/pictures/badges.py. Pure.
import { box, centre, grown, point, right } from "./geometry.js"
import { el, number } from "./markup.js"

export const RADIUS = 11
// Corners, the angle of the first, and how far they reach: the fewer, the farther, so that the number always fits.
const CORNERS = { critical: [4, 0, 13], high: [6, 0, 12.33], medium: [4, 45, 13], informational: [3, 90, 17], unknown: [5, -90, 13] }

/** Where the badge of an element lies: at its upper right corner. */
export const badgeBox = (area) => grown(box(right(area) - 4, area.y + 4, 0, 0), RADIUS + 2)

export const badgeOf = (area, badge, theme) => badgeMark(centre(badgeBox(area)), badge, theme)

/** Diamond, hexagon, square, disc, triangle, for an unknown severity a pentagon, with the number in it; `badge.title` is what it says to those who hover or listen. */
export function badgeMark(at, badge, theme) {
  const look = { fill: theme.badge[badge.severity] ?? theme.badge.unknown, stroke: theme.paper, "stroke-width": 1.5 }
  const corners = badge.severity === "low" ? null : (CORNERS[badge.severity] ?? CORNERS.unknown)
  const mark = corners
    ? el("polygon", { points: polygon(at, ...corners), ...look })
    : el("circle", { cx: at.x, cy: at.y, r: RADIUS, ...look })
  const many = badge.count > 99
  const count = el("text", {
    x: at.x, y: at.y + (many ? 3 : 4), fill: "#ffffff", "font-size": many ? 9 : 11, "font-weight": 700, "text-anchor": "middle",
  }, many ? "99+" : String(badge.count))
  return el("g", { class: "badge-mark" }, badge.title ? el("title", {}, badge.title) : null, mark, count)
}

function polygon(at, corners, first, reach) {
  return Array.from({ length: corners }, (_, corner) => {
    const angle = ((first + (360 / corners) * corner) * Math.PI) / 180
    const to = point(at.x + reach * Math.cos(angle), at.y + reach * Math.sin(angle))
    return `${number(to.x)},${number(to.y)}`
  }).join(" ")
}
