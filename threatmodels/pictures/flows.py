"""Data flows: where they run, their arrow heads, and where their labels find room."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from threatmodels.cells import label
from threatmodels.pictures.badges import RADIUS as BADGE_RADIUS
from threatmodels.pictures.badges import Badge, badge_mark
from threatmodels.pictures.geometry import (
    Box,
    Cell,
    Point,
    along,
    arc,
    bowed,
    edge_of_box,
    edge_of_ellipse,
    point_of,
    points_of,
    side_of,
)
from threatmodels.pictures.markup import element, number, told
from threatmodels.pictures.room import Room
from threatmodels.pictures.shapes import outlined, text_box, text_lines
from threatmodels.pictures.style import Look, look
from threatmodels.pictures.text import LINE_HEIGHT, wrap
from threatmodels.pictures.theme import Theme

# How far the bends of parallel flows are apart (their middles half as far), and how wide a label may grow.
APART = 60
LABEL_WIDTH = 150
ARROW = 9.0
# How far a loop reaches out of its shape, and each further loop beyond the one before.
LOOP, NEXT_LOOP = 34, 24
# Where along a flow its label may lie, the best first; beside the line where it finds no room on it.
ON_LINE = (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8)
BESIDE_LINE = (0.5, 0.35, 0.65)


@dataclass(frozen=True, slots=True)
class Shapes:
    """The boxes that flows can end on, by id; which of them are ellipses, and which may hold others."""

    boxes: Mapping[str, Box]
    ellipses: frozenset[str]
    boundaries: frozenset[str]

    def edge(self, cell_id: str, towards: Point) -> Point:
        clip = edge_of_ellipse if cell_id in self.ellipses else edge_of_box
        return clip(self.boxes[cell_id], towards)

    def hides(self, cell_id: str | None, point: Point) -> bool:
        """Whether a point of a flow lies within the shape that the flow ends on."""
        if cell_id is None or cell_id in self.boundaries:
            return False
        box = self.boxes[cell_id]
        across, down = (point.x - box.centre.x) / box.width, (point.y - box.centre.y) / box.height
        return math.hypot(across, down) < 0.5 if cell_id in self.ellipses else box.holds(point)


def routes(flows: Sequence[Cell], shapes: Shapes) -> dict[str, list[Point]]:
    """The points of each flow that can be drawn, from outline to outline; parallel ones by their ids."""
    found: dict[str, list[Point]] = {}
    for together in _parallel(flows).values():
        for index, flow in enumerate(sorted(together, key=lambda one: one["id"])):
            route = _route(flow, shapes, index, len(together))
            if route is not None and any(a != b for a, b in itertools.pairwise(route)):
                found[flow["id"]] = route
    return found


def flow_lines(flow: Cell, route: list[Point], theme: Theme) -> str:
    """The line of a flow with its arrow heads."""
    how = look(flow, theme, fill="none")
    line = element("path", d=_path(route), **outlined(how) | {"fill": "none"})
    heads = _head(route[-2], route[-1], how)
    if flow.get("bidirectional") is True:
        heads += _head(route[1], route[0], how)
    return element("g", told(label(flow)), line, heads, data_cell=flow["id"])


def flow_label(
    flow: Cell, route: list[Point], room: Room, theme: Theme, badge: Badge | None = None
) -> tuple[str, Box] | None:
    """The label, its badge beside it, and where they lie: where they cover nothing, if there is such a place.

    Their place is taken from the room. None without a label and a badge.
    """
    how = look(flow, theme, fill=theme.paper)
    how = how._replace(font_size=min(how.font_size, 12))
    lines = wrap(label(flow), LABEL_WIDTH, 3, how.font_size)
    if not lines and badge is None:
        return None
    text = text_box(lines, Point(0, 0), how.font_size).grown(2) if lines else Box(0, 0, 0, 0)
    beside = 0 if badge is None else 2 * BADGE_RADIUS + 8
    best = room.best(_places(route, text._replace(width=text.width + beside)))
    room.take(best)
    drawn = _label(lines, best._replace(width=text.width), how) if lines else ""
    if badge is not None:
        drawn += badge_mark(Point(best.right - beside / 2, best.centre.y), badge, theme)
    return drawn, best


def _places(route: list[Point], size: Box) -> Iterator[Box]:
    for share in ON_LINE:
        yield _moved(size, along(route, share)[0])
    for share in BESIDE_LINE:
        at, across = along(route, share)
        reach = abs(across.x) * size.width / 2 + abs(across.y) * size.height / 2 + 4
        for way in (reach, -reach):
            yield _moved(size, Point(at.x + across.x * way, at.y + across.y * way))


def _moved(size: Box, centre: Point) -> Box:
    return size._replace(x=centre.x - size.width / 2, y=centre.y - size.height / 2)


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


def _route(flow: Cell, shapes: Shapes, index: int, among: int) -> list[Point] | None:
    """The points of one flow, the `index`-th of those it runs along with; None where an end is missing."""
    source, target = _cell_id(flow.get("source")), _cell_id(flow.get("target"))
    start, end = _centre(flow.get("source"), shapes), _centre(flow.get("target"), shapes)
    if start is None or end is None:
        return None
    between = _visible(points_of(flow.get("vertices")), source, target, shapes)
    if between:
        first = _anchor(flow.get("source"), shapes, between[0], start)
        return [first, *between, _anchor(flow.get("target"), shapes, between[-1], end)]
    if source is not None and source == target:
        return _loop(shapes.boxes[source], LOOP + index * NEXT_LOOP)
    offset = (index - (among - 1) / 2) * APART
    if offset == 0:
        return _straight(flow, shapes, start, end)
    # The same side for both directions, so that flows back and forth do not lie on each other.
    forth = source is None or target is None or source < target
    bend = bowed(start, end, offset if forth else -offset)
    first = _anchor(flow.get("source"), shapes, bend, start)
    return arc(first, bend, _anchor(flow.get("target"), shapes, bend, end))


def _straight(flow: Cell, shapes: Shapes, start: Point, end: Point) -> list[Point]:
    """From outline to outline; where one shape lies in the other, the outer end comes first."""
    source, target = flow.get("source"), flow.get("target")
    first, last = _anchor(source, shapes, end, start), _anchor(target, shapes, start, end)
    if _inside(end, source, shapes):
        last = _anchor(target, shapes, first, end)
    elif _inside(start, target, shapes):
        first = _anchor(source, shapes, last, start)
    return [first, last]


def _inside(point: Point, end: object, shapes: Shapes) -> bool:
    cell_id = _cell_id(end)
    return cell_id is not None and shapes.boxes[cell_id].holds(point)


def _visible(points: list[Point], source: str | None, target: str | None, shapes: Shapes) -> list[Point]:
    """Without the points that the shapes at the ends would hide."""
    first, last = 0, len(points)
    while first < last and shapes.hides(source, points[first]):
        first += 1
    while last > first and shapes.hides(target, points[last - 1]):
        last -= 1
    return points[first:last]


def _loop(box: Box, reach: float) -> list[Point]:
    """From the right side of a shape around its corner to its top."""
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
