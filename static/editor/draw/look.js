// The colours of diagrams and what a cell's own style means: threatmodels/pictures/theme.py and style.py.

// Of one width all three; where none of them is installed the editor brings the third.
export const FONT = "Arial, 'Liberation Sans', Arimo, 'Noto Sans', sans-serif"
export const FONT_SIZE = 13

const BADGE = {
  critical: "#9b1c1c", high: "#c2410c", medium: "#a16207", low: "#1d4ed8", informational: "#52606d", unknown: "#52606d",
}
export const THEMES = {
  light: {
    paper: "#ffffff", ink: "#1f2933", muted: "#7b8794", boundary: "#b4452c", boundaryFill: "#b4452c",
    process: "#e8f1fb", datastore: "#f3f0fa", externalEntity: "#f4f5f7", badge: BADGE,
  },
  dark: {
    paper: "#14181f", ink: "#e4e7eb", muted: "#8a96a3", boundary: "#ef8a6f", boundaryFill: "#ef8a6f",
    process: "#1d3045", datastore: "#2a2740", externalEntity: "#252b34", badge: BADGE,
  },
}

const COLOUR = /^(#([0-9a-f]{3}|[0-9a-f]{6})|[a-z]{3,24})$/i
const DASH = /^\d{1,3}([ ,]+\d{1,3}){0,7}$/
const OUT_OF_SCOPE_DASH = "6 4"

const colour = (value, fallback) => (typeof value === "string" && COLOUR.test(value) ? value : fallback)
const within = (value, fallback, least, most) => (typeof value === "number" && value >= least && value <= most ? value : fallback)

/** The look of a cell: its style over the theme; out of scope it is dashed and muted. */
export function look(cell, theme, { fill, stroke = undefined }) {
  const style = cell.style ?? {}
  const outside = cell.out_of_scope === true
  const dash = typeof style.dash === "string" && DASH.test(style.dash) ? style.dash : null
  return {
    stroke: colour(style.stroke, outside ? theme.muted : (stroke ?? theme.ink)),
    fill: colour(style.fill, outside ? theme.paper : fill),
    strokeWidth: within(style.stroke_width, 1.5, 0, 50),
    dash: dash ?? (outside ? OUT_OF_SCOPE_DASH : null),
    text: colour(style.text_color, outside ? theme.muted : theme.ink),
    fontSize: within(style.font_size, FONT_SIZE, 4, 200),
  }
}

export const outlined = (how) => ({
  fill: how.fill, stroke: how.stroke, "stroke-width": how.strokeWidth, "stroke-dasharray": how.dash,
})

export const labelOf = (cell) => (typeof cell.properties?.label === "string" ? cell.properties.label : "")
