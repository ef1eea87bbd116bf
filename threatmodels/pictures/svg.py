"""A picture of a diagram, made from its cells alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from threatmodels.pictures.flows import Shapes, flow_label, flow_lines, routes
from threatmodels.pictures.geometry import Box, Cell, Point, bounds, box_of
from threatmodels.pictures.markup import content, element, number
from threatmodels.pictures.shapes import shape
from threatmodels.pictures.theme import FONT, THEMES, Theme

MARGIN = 24
EMPTY = Box(0, 0, 320, 180)


@dataclass(frozen=True, slots=True)
class Badge:
    """Open threats of an element: how many, and the worst severity in lower case."""

    count: int
    severity: str


def diagram_svg(
    cells: Sequence[Mapping[str, Any]],
    *,
    title: str = "",
    theme: str = "light",
    badges: Mapping[str, Badge] | None = None,
) -> str:
    """A standalone SVG document; one unit is one pixel of the diagram.

    What cannot be drawn (a flow to nowhere, a box without a size) is left out; nothing raises.
    """
    colours = THEMES.get(theme, THEMES["light"])
    sound = [cell for cell in cells if isinstance(cell, Mapping) and isinstance(cell.get("id"), str)]
    boxes = {cell["id"]: box for cell in sound if (box := box_of(cell)) is not None}
    drawn = _shapes(sound, boxes, colours) + _flows(sound, boxes, colours)
    drawn += [_badge(boxes[pk], badge, colours) for pk, badge in (badges or {}).items() if pk in boxes]
    return _document(drawn, _frame(sound), title, colours)


def _shapes(cells: Sequence[Cell], boxes: Mapping[str, Box], theme: Theme) -> list[str]:
    """Boundaries first, the larger behind the smaller, then the rest by `z`."""
    boxed = [cell for cell in cells if cell["id"] in boxes]
    behind = [cell for cell in boxed if cell.get("type") == "trust_boundary"]
    behind.sort(key=lambda c: -boxes[c["id"]].width * boxes[c["id"]].height)
    front = [cell for cell in boxed if cell.get("type") != "trust_boundary"]
    front.sort(key=lambda c: z if isinstance(z := c.get("z"), int) else 0)
    return [shape(cell, boxes[cell["id"]], theme) for cell in behind + front]


def _flows(cells: Sequence[Cell], boxes: Mapping[str, Box], theme: Theme) -> list[str]:
    flows = [cell for cell in cells if cell.get("type") == "data_flow"]
    ellipses = frozenset(cell["id"] for cell in cells if cell.get("type") == "process")
    found = routes(flows, Shapes(boxes, ellipses))
    behind = {cell["id"] for cell in cells if cell.get("type") == "trust_boundary"}
    taken = [box for cell_id, box in boxes.items() if cell_id not in behind]
    lines = [flow_lines(flow, found[flow["id"]], theme) for flow in flows if flow["id"] in found]
    labels = [flow_label(flow, found[flow["id"]], taken, theme) for flow in flows if flow["id"] in found]
    return lines + labels


def _badge(box: Box, badge: Badge, theme: Theme) -> str:
    """A disc with the number of open threats at the upper right corner; the worst are diamonds."""
    at = Point(box.right - 4, box.y + 4)
    fill = theme.badge.get(badge.severity, theme.badge["unknown"])
    if badge.severity in {"critical", "high"}:
        corners = ((0, -13), (13, 0), (0, 13), (-13, 0))
        points = " ".join(f"{number(at.x + x)},{number(at.y + y)}" for x, y in corners)
        mark = element("polygon", points=points, fill=fill, stroke=theme.paper, stroke_width=1.5)
    else:
        mark = element("circle", cx=at.x, cy=at.y, r=10, fill=fill, stroke=theme.paper, stroke_width=1.5)
    text = element(
        "text",
        content(str(min(badge.count, 99))),
        x=at.x,
        y=at.y + 4,
        fill="#ffffff",
        font_size=11,
        font_weight=700,
        text_anchor="middle",
    )
    return mark + text


def _frame(cells: Sequence[Cell]) -> Box:
    """Room for everything, loops and labels at the edge included."""
    around = bounds(cells)
    if around is None:
        return EMPTY
    looped = any(_is_loop(cell) for cell in cells)
    return around.grown(MARGIN + (48 if looped else 0))


def _is_loop(cell: Cell) -> bool:
    source, target = cell.get("source"), cell.get("target")
    if not isinstance(source, Mapping) or not isinstance(target, Mapping):
        return False
    return "cell" in source and source["cell"] == target.get("cell")


def _document(drawn: list[str], frame: Box, title: str, theme: Theme) -> str:
    ground = element("rect", x=frame.x, y=frame.y, width=frame.width, height=frame.height, fill=theme.paper)
    return element(
        "svg",
        element("title", content(title)),
        ground,
        *drawn,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=" ".join(number(value) for value in frame),
        width=frame.width,
        height=frame.height,
        role="img",
        font_family=FONT,
    )
