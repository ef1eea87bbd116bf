// Snapping: to the edges and middles of other shapes, else to the grid. Pure.

const NEAR = 6

/** How far to shift an area so that it lines up: {dx, dy, guides}. `others` are boxes; `near` in units of the diagram. */
export function snap(area, others, { grid, near = NEAR }) {
  const across = nearest([area.x, area.x + area.width / 2, area.x + area.width], others, (it) => [it.x, it.x + it.width / 2, it.x + it.width], near)
  const down = nearest([area.y, area.y + area.height / 2, area.y + area.height], others, (it) => [it.y, it.y + it.height / 2, it.y + it.height], near)
  const guides = []
  if (across) guides.push({ x: across.line })
  if (down) guides.push({ y: down.line })
  return {
    dx: across ? across.shift : onGrid(area.x, grid) - area.x,
    dy: down ? down.shift : onGrid(area.y, grid) - area.y,
    guides,
  }
}

export const onGrid = (value, grid) => (grid ? Math.round(value / grid) * grid : value)

function nearest(mine, others, linesOf, near) {
  let found = null
  for (const other of others) for (const line of linesOf(other)) for (const own of mine) {
    const shift = line - own
    if (Math.abs(shift) <= near && (!found || Math.abs(shift) < Math.abs(found.shift))) found = { shift, line }
  }
  return found
}
