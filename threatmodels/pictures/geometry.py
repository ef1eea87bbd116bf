"""Points, boxes, and where a line meets the outline of a shape. Pure; coordinates are those of the cells."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeGuard

from threatmodels.cells import FARTHEST

Cell = Mapping[str, Any]


class Point(NamedTuple):
    x: float
    y: float

    def towards(self, other: Point, share: float) -> Point:
        """The point at `share` (0 to 1) of the way to another."""
        return Point(self.x + (other.x - self.x) * share, self.y + (other.y - self.y) * share)


class Box(NamedTuple):
    """Left, top, width and height."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> Point:
        return Point(self.x + self.width / 2, self.y + self.height / 2)

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def grown(self, by: float) -> Box:
        return Box(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)

    def shared(self, other: Box) -> float:
        """The area that both cover."""
        wide = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        high = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return wide * high if wide > 0 and high > 0 else 0

    def holds(self, point: Point) -> bool:
        return self.x < point.x < self.right and self.y < point.y < self.bottom


def box_of(cell: Cell) -> Box | None:
    """The box of a cell that has one and is sound enough to be drawn."""
    position, size = cell.get("position"), cell.get("size")
    if not isinstance(position, Mapping) or not isinstance(size, Mapping):
        return None
    values = [position.get("x"), position.get("y"), size.get("width"), size.get("height")]
    numbers = [float(value) for value in values if is_number(value)]
    return Box(*numbers) if len(numbers) == 4 and min(numbers[2:]) > 0 else None


def point_of(value: object) -> Point | None:
    if isinstance(value, Mapping) and is_number(value.get("x")) and is_number(value.get("y")):
        return Point(float(value["x"]), float(value["y"]))
    return None


def points_of(values: object) -> list[Point]:
    """The sound points of a list."""
    found = [point_of(value) for value in values] if isinstance(values, Sequence) else []
    return [point for point in found if point is not None]


def is_number(value: object) -> TypeGuard[float]:
    """A number that can be drawn: finite, and not beyond what a cell may hold."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= FARTHEST


def line_points(cell: Cell, box: Box) -> list[Point]:
    """The points of a boundary that is a line: `properties.line` holds fractions of the box."""
    properties = cell.get("properties")
    shares = points_of(properties.get("line")) if isinstance(properties, Mapping) else []
    return [Point(box.x + p.x * box.width, box.y + p.y * box.height) for p in shares]


def curves(points: Sequence[Point]) -> list[tuple[Point, Point, Point, Point]]:
    """A line through all points without corners, as cubic curves: start, two controls, end. Catmull-Rom."""
    padded = [points[0], *points, points[-1]]
    return [
        (
            start,
            Point(start.x + (end.x - before.x) / 6, start.y + (end.y - before.y) / 6),
            Point(end.x - (after.x - start.x) / 6, end.y - (after.y - start.y) / 6),
            end,
        )
        for before, start, end, after in zip(padded, padded[1:], padded[2:], padded[3:], strict=False)
    ]


def curved(points: Sequence[Point], steps: int = 8) -> list[Point]:
    """Points on that line, near enough to each other to stand for it."""
    inner = [_on(curve, step / steps) for curve in curves(points) for step in range(1, steps + 1)]
    return [points[0], *inner]


def _on(curve: tuple[Point, ...], share: float) -> Point:
    """De Casteljau: halfway between points halfway, and so on."""
    while len(curve) > 1:
        curve = tuple(a.towards(b, share) for a, b in itertools.pairwise(curve))
    return curve[0]


def meet(one: Sequence[Point], other: Sequence[Point]) -> bool:
    """Whether two lines of straight parts have a point in common."""
    return _overlap(one, other) and any(
        _overlap(a, b) and _apart(a, b) and _apart(b, a)
        for a in itertools.pairwise(one)
        for b in itertools.pairwise(other)
    )


def _overlap(one: Sequence[Point], other: Sequence[Point]) -> bool:
    """Whether the boxes around two lines do."""
    a, b = around(one), around(other)
    if a is None or b is None:
        return False
    return a.x <= b.right and b.x <= a.right and a.y <= b.bottom and b.y <= a.bottom


def _apart(line: tuple[Point, Point], ends: tuple[Point, Point]) -> bool:
    """Whether two points lie on different sides of an endless line, or one of them on it."""
    start, end = line
    sides = [(end.x - start.x) * (p.y - start.y) - (end.y - start.y) * (p.x - start.x) for p in ends]
    return min(sides) <= 0 <= max(sides)


def bounds(cells: Iterable[Cell]) -> Box | None:
    """The box around everything, free ends and vertices of flows included."""
    points: list[Point] = []
    for cell in cells:
        box = box_of(cell)
        points += box_corners(box) if box is not None else ()
        free = [point_of(cell.get(end)) for end in ("source", "target")]
        points += [point for point in free if point is not None]
        points += points_of(cell.get("vertices"))
    return around(points)


def box_corners(box: Box) -> tuple[Point, Point]:
    """The upper left and the lower right one."""
    return Point(box.x, box.y), Point(box.right, box.bottom)


def around(points: Sequence[Point]) -> Box | None:
    """The smallest box that holds the points."""
    if not points:
        return None
    xs, ys = [point.x for point in points], [point.y for point in points]
    return Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))


def edge_of_box(box: Box, outside: Point) -> Point:
    """Where the line from the centre towards a point, and on where it is inside, leaves the rectangle."""
    centre = box.centre
    dx, dy = outside.x - centre.x, outside.y - centre.y
    if dx == 0 and dy == 0:
        return Point(centre.x, box.y)
    scale = min(
        box.width / 2 / abs(dx) if dx else math.inf,
        box.height / 2 / abs(dy) if dy else math.inf,
    )
    return Point(centre.x + dx * scale, centre.y + dy * scale)


def edge_of_ellipse(box: Box, outside: Point) -> Point:
    """Where the line from the centre towards a point, and on where it is inside, leaves the ellipse."""
    centre = box.centre
    dx, dy = outside.x - centre.x, outside.y - centre.y
    reach = math.hypot(dx / (box.width / 2), dy / (box.height / 2))
    if reach == 0:
        return Point(centre.x, box.y)
    return Point(centre.x + dx / reach, centre.y + dy / reach)


def side_of(box: Box, port: object) -> Point | None:
    """The middle of the side that a port names."""
    middle = box.centre
    sides = {
        "top": Point(middle.x, box.y),
        "bottom": Point(middle.x, box.bottom),
        "left": Point(box.x, middle.y),
        "right": Point(box.right, middle.y),
    }
    return sides.get(port) if isinstance(port, str) else None


def along(points: Sequence[Point], share: float) -> tuple[Point, Point]:
    """The point at `share` of the length of a path, and the unit vector across it there."""
    lengths = [math.dist(a, b) for a, b in itertools.pairwise(points)]
    wanted = sum(lengths) * share
    for a, b, length in zip(points, points[1:], lengths, strict=False):
        if wanted <= length and length > 0:
            across = Point(-(b.y - a.y) / length, (b.x - a.x) / length)
            return a.towards(b, wanted / length), across
        wanted -= length
    return points[-1], Point(0, -1)


def bowed(start: Point, end: Point, offset: float) -> Point:
    """A point beside the middle of a line, `offset` to its left."""
    length = math.dist(start, end) or 1
    middle = start.towards(end, 0.5)
    return Point(
        middle.x + (end.y - start.y) / length * offset, middle.y - (end.x - start.x) / length * offset
    )


def arc(start: Point, bend: Point, end: Point, steps: int = 12) -> list[Point]:
    """Points on the quadratic curve from start to end that `bend` pulls aside, both ends included."""
    shares = [step / steps for step in range(1, steps)]
    inner = [start.towards(bend, t).towards(bend.towards(end, t), t) for t in shares]
    return [start, *inner, end]
