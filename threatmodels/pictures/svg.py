"""A picture of a diagram, made from its cells alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import floor, sqrt
from typing import Any

from threatmodels.pictures.badges import Badge, badge_box, badge_mark
from threatmodels.pictures.flows import Shapes, flow_label, flow_lines, routes
from threatmodels.pictures.geometry import Box, Cell, Point, around, box_corners, box_of
from threatmodels.pictures.markup import element, number, told
from threatmodels.pictures.room import Room
from threatmodels.pictures.shapes import boundary_label_box, shape
from threatmodels.pictures.theme import FONT, THEMES, Theme

__all__ = ["Badge", "diagram_svg"]

MARGIN = 24
EMPTY = Box(0, 0, 320, 180)


def diagram_svg(
    cells: Sequence[Mapping[str, Any]],
    *,
    title: str = "",
    theme: str = "light",
    badges: Mapping[str, Badge] | None = None,
    room_for: Sequence[Mapping[str, Any]] | None = None,
) -> str:
    """A standalone SVG document; one unit is one pixel of the diagram.

    What cannot be drawn (a flow to nowhere, a box without a size) is left out; nothing raises. There is room
    for the cells of `room_for` too, so that two moments of a diagram can be laid beside each other.
    """
    colours = THEMES.get(theme, THEMES["light"])
    drawn, frame = _drawn(cells, badges or {}, colours)
    if room_for is not None:
        frame = _frame([frame, _drawn(room_for, {}, colours)[1]], [], margin=0)
    return _document(drawn, frame, title, colours)


def _drawn(
    cells: Sequence[Mapping[str, Any]], badges: Mapping[str, Badge], colours: Theme
) -> tuple[list[str], Box]:
    """What is drawn, from behind to the front, and what it covers."""
    sound = [cell for cell in cells if isinstance(cell, Mapping) and isinstance(cell.get("id"), str)]
    boxed = [cell for cell in sound if cell.get("type") != "data_flow"]
    boxes = {cell["id"]: box for cell in boxed if (box := box_of(cell)) is not None}
    marks = {pk: badge for pk, badge in badges.items() if pk in boxes}
    beside = _beside(boxed, boxes, marks, colours)
    flows, covered = _flows(sound, boxes, beside, badges, colours)
    drawn = _shapes(boxed, boxes, colours) + flows
    drawn += [badge_mark(badge_box(boxes[pk]).centre, badge, colours) for pk, badge in marks.items()]
    return drawn, _frame([*boxes.values(), *beside], covered)


def _shapes(cells: Sequence[Cell], boxes: Mapping[str, Box], theme: Theme) -> list[str]:
    """Boundaries first, the larger behind; then the rest by `z`, texts before others; what is equal by id."""
    boxed = [cell for cell in cells if cell["id"] in boxes]
    behind = [cell for cell in boxed if cell.get("type") == "trust_boundary"]
    behind.sort(key=lambda c: (-floor(sqrt(boxes[c["id"]].width * boxes[c["id"]].height) + 0.5), c["id"]))
    front = [cell for cell in boxed if cell.get("type") != "trust_boundary"]
    front.sort(key=lambda c: (z if isinstance(z := c.get("z"), int) else 0, c.get("type") == "text", c["id"]))
    return [shape(cell, boxes[cell["id"]], theme) for cell in behind + front]


def _beside(
    cells: Sequence[Cell], boxes: Mapping[str, Box], badges: Iterable[str], theme: Theme
) -> list[Box]:
    """What is neither a shape nor a flow: names of boundaries, and badges."""
    names = [
        boundary_label_box(cell, boxes[cell["id"]], theme)
        for cell in cells
        if cell["id"] in boxes and cell.get("type") == "trust_boundary"
    ]
    return [box for box in names if box is not None] + [badge_box(boxes[pk]) for pk in badges]


def _flows(
    cells: Sequence[Cell],
    boxes: Mapping[str, Box],
    beside: list[Box],
    badges: Mapping[str, Badge],
    theme: Theme,
) -> tuple[list[str], list[Point]]:
    """Lines, then labels and badges above all of them; and the points that they reach."""
    found = routes([cell for cell in cells if cell.get("type") == "data_flow"], _ends(cells, boxes))
    behind = _of_type(cells, "trust_boundary")
    room = Room([box for cell_id, box in boxes.items() if cell_id not in behind] + beside)
    flows = {cell["id"]: cell for cell in cells if cell.get("type") == "data_flow" and cell["id"] in found}
    lines = [flow_lines(flow, found[pk], theme) for pk, flow in flows.items()]
    labels = [flow_label(flow, found[pk], room, theme, badges.get(pk)) for pk, flow in flows.items()]
    reached = [point for route in found.values() for point in route]
    reached += [point for label in labels if label for point in box_corners(label[1])]
    return lines + [label[0] for label in labels if label], reached


def _ends(cells: Sequence[Cell], boxes: Mapping[str, Box]) -> Shapes:
    return Shapes(boxes, _of_type(cells, "process"), _of_type(cells, "trust_boundary"))


def _of_type(cells: Sequence[Cell], kind: str) -> frozenset[str]:
    return frozenset(cell["id"] for cell in cells if cell.get("type") == kind)


def _frame(boxes: Iterable[Box], points: list[Point], margin: float = MARGIN) -> Box:
    """Room for everything that is drawn, so that nothing is cut."""
    reached = around([corner for box in boxes for corner in box_corners(box)] + points)
    return EMPTY if reached is None else reached.grown(margin)


def _document(drawn: list[str], frame: Box, title: str, theme: Theme) -> str:
    ground = element("rect", x=frame.x, y=frame.y, width=frame.width, height=frame.height, fill=theme.paper)
    return element(
        "svg",
        told(title),
        ground,
        *drawn,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=" ".join(number(value) for value in frame),
        width=frame.width,
        height=frame.height,
        role="img",
        font_family=FONT,
    )
