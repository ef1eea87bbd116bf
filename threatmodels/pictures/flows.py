"""Data flows: where they run, their arrow heads, and where their labels find room."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from threatmodels.cells import label
from threatmodels.pictures.geometry import (
    Box,
    Cell,
    Point,
    along,
    bowed,
    edge_of_box,
    edge_of_ellipse,
    point_of,
    points_of,
    side_of,
)
from threatmodels.pictures.markup import content, element, number
from threatmodels.pictures.shapes import outlined, text_box, text_lines
from threatmodels.pictures.style import Look, look
from threatmodels.pictures.text import LINE_HEIGHT, wrap
from threatmodels.pictures.theme import Theme

# How far parallel flows are kept apart, and how wide a label may grow.
APART = 46
LABEL_WIDTH = 150
ARROW = 9.0
SHARES = (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8)


@dataclass(frozen=True, slots=True)
class Shapes:
    """The boxes that flows can end on, by id, and which of them are ellipses."""

    boxes: Mapping[str, Box]
    ellipses: frozenset[str]

    def edge(self, cell_id: str, outside: Point) -> Point:
        clip = edge_of_ellipse if cell_id in self.ellipses else edge_of_box
        return clip(self.boxes[cell_id], outside)


def routes(flows: Sequence[Cell], shapes: Shapes) -> dict[str, list[Point]]:
    """The points of each flow that can be drawn, from outline to outline."""
    found: dict[str, list[Point]] = {}
    for together in _parallel(flows).values():
        for index, flow in enumerate(together):
            route = _route(flow, shapes, (index - (len(together) - 1) / 2) * APART)
            if route is not None:
                found[flow["id"]] = route
    return found


def flow_lines(flow: Cell, route: list[Point], theme: Theme) -> str:
    """The line of a flow with its arrow heads."""
    how = look(flow, theme, fill="none")
    line = element("path", d=_path(route), **outlined(how) | {"fill": "none"})
    heads = _head(route[-2], route[-1], how)
    if flow.get("bidirectional") is True:
        heads += _head(route[1], route[0], how)
    return element("g", element("title", content(label(flow))), line, heads, data_cell=flow["id"])


def flow_label(flow: Cell, route: list[Point], taken: list[Box], theme: Theme) -> str:
    """The label where it covers nothing, as far as there is such a place; it is added to `taken`."""
    how = look(flow, theme, fill=theme.paper)
    how = how._replace(font_size=min(how.font_size, 12))
    lines = wrap(label(flow), LABEL_WIDTH, 3, how.font_size)
    if not lines:
        return ""
    places = [text_box(lines, along(route, share)[0], how.font_size).grown(2) for share in SHARES]
    best = min(places, key=lambda place: sum(place.overlaps(other) for other in taken))
    taken.append(best)
    return _label(lines, best, how)


def _label(lines: list[str], box: Box, how: Look) -> str:
    ground = element(
        "rect", x=box.x, y=box.y, width=box.width, height=box.height, rx=3, fill=how.fill, fill_opacity=0.88
    )
    step = how.font_size * LINE_HEIGHT
    top = box.centre.y - step * (len(lines) - 1) / 2 + how.font_size * 0.35
    return ground + text_lines(lines, Point(box.centre.x, top), how, anchor="middle")


def _parallel(flows: Iterable[Cell]) -> dict[object, list[Cell]]:
    """Flows without a course of their own between the same two shapes, in either direction."""
    groups: dict[object, list[Cell]] = defaultdict(list)
    for flow in flows:
        ends = [_cell_id(flow.get("source")), _cell_id(flow.get("target"))]
        free = None in ends or points_of(flow.get("vertices"))
        groups[flow["id"] if free else frozenset(str(end) for end in ends)].append(flow)
    return groups


def _route(flow: Cell, shapes: Shapes, offset: float) -> list[Point] | None:
    source, target = _cell_id(flow.get("source")), _cell_id(flow.get("target"))
    start, end = _centre(flow.get("source"), shapes), _centre(flow.get("target"), shapes)
    if start is None or end is None:
        return None
    between = points_of(flow.get("vertices"))
    if not between and source is not None and source == target:
        return _loop(shapes.boxes[source], offset)
    if not between and offset:
        # The same side for both directions, so that flows back and forth do not lie on each other.
        forth = source is None or target is None or source < target
        between = [bowed(start, end, offset if forth else -offset)]
    first = _anchor(flow.get("source"), shapes, between[0] if between else end, start)
    last = _anchor(flow.get("target"), shapes, between[-1] if between else start, end)
    route = [first, *between, last]
    return route if any(a != b for a, b in itertools.pairwise(route)) else None


def _loop(box: Box, offset: float) -> list[Point]:
    """From the right side of a shape around its corner to its top."""
    reach = 34 + abs(offset)
    return [
        Point(box.right, box.centre.y),
        Point(box.right + reach, box.centre.y),
        Point(box.right + reach, box.y - reach),
        Point(box.centre.x, box.y - reach),
        Point(box.centre.x, box.y),
    ]


def _cell_id(end: object) -> str | None:
    cell_id = end.get("cell") if isinstance(end, Mapping) else None
    return cell_id if isinstance(cell_id, str) else None


def _centre(end: object, shapes: Shapes) -> Point | None:
    cell_id = _cell_id(end)
    if cell_id is None:
        return point_of(end)
    return shapes.boxes[cell_id].centre if cell_id in shapes.boxes else None


def _anchor(end: object, shapes: Shapes, towards: Point, free: Point) -> Point:
    """Where a flow touches the shape it ends on: at its port, else where the line meets the outline."""
    cell_id = _cell_id(end)
    if cell_id is None:
        return free
    port = end.get("port") if isinstance(end, Mapping) else None
    return side_of(shapes.boxes[cell_id], port) or shapes.edge(cell_id, towards)


def _path(route: list[Point]) -> str:
    """Straight parts with rounded corners."""
    path = [f"M{number(route[0].x)} {number(route[0].y)}"]
    for before, corner, after in zip(route, route[1:], route[2:], strict=False):
        near = corner.towards(before, _share(corner, before))
        far = corner.towards(after, _share(corner, after))
        path.append(f"L{number(near.x)} {number(near.y)}")
        path.append(f"Q{number(corner.x)} {number(corner.y)} {number(far.x)} {number(far.y)}")
    return "".join(path) + f"L{number(route[-1].x)} {number(route[-1].y)}"


def _share(corner: Point, other: Point) -> float:
    length = math.dist(corner, other)
    return min(18 / length, 0.45) if length else 0


def _head(before: Point, tip: Point, how: Look) -> str:
    length = math.dist(before, tip)
    if length == 0:
        return ""
    dx, dy = (tip.x - before.x) / length, (tip.y - before.y) / length
    size = ARROW + how.stroke_width
    back = Point(tip.x - dx * size, tip.y - dy * size)
    wide = size * 0.42
    corners = (
        tip,
        Point(back.x - dy * wide, back.y + dx * wide),
        Point(back.x + dy * wide, back.y - dx * wide),
    )
    points = " ".join(f"{number(p.x)},{number(p.y)}" for p in corners)
    return element("polygon", points=points, fill=how.stroke)
