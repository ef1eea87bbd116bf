"""Boxes, points and lines of diagrams, in the coordinates of cells: x to the right, y down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from threatmodels.interchange.plain import mapping, number

MIN_WIDTH = 40
MIN_HEIGHT = 30

Number = float | int


@dataclass(frozen=True, slots=True)
class Point:
    x: Number
    y: Number

    def as_json(self) -> dict[str, Number]:
        return {"x": self.x, "y": self.y}


@dataclass(frozen=True, slots=True)
class Box:
    """The upper left corner and the size."""

    x: Number
    y: Number
    width: Number
    height: Number

    @property
    def centre(self) -> Point:
        return Point(self.x + self.width / 2, self.y + self.height / 2)

    @property
    def right(self) -> Number:
        return self.x + self.width

    @property
    def bottom(self) -> Number:
        return self.y + self.height

    def grown(self) -> Box:
        """At least as large as a cell must be, around the same centre."""
        width, height = max(self.width, MIN_WIDTH), max(self.height, MIN_HEIGHT)
        return Box(
            self.x - (width - self.width) / 2 if width > self.width else self.x,
            self.y - (height - self.height) / 2 if height > self.height else self.y,
            width,
            height,
        )

    def as_json(self) -> dict[str, Any]:
        """The `position` and `size` of a cell."""
        return {
            "position": {"x": self.x, "y": self.y},
            "size": {"width": self.width, "height": self.height},
        }


def point_in(value: object) -> Point | None:
    """The point of a JSON object with x and y, else None."""
    x, y = number(mapping(value).get("x")), number(mapping(value).get("y"))
    return None if x is None or y is None else Point(x, y)


def box_in(position: object, size: object) -> Box | None:
    """The box of a JSON position and size, else None; a size is never negative."""
    corner = point_in(position)
    width, height = number(mapping(size).get("width")), number(mapping(size).get("height"))
    if corner is None or width is None or height is None:
        return None
    return Box(corner.x, corner.y, abs(width), abs(height))


def box_around(points: list[Point]) -> Box:
    """The smallest box that holds the points, of which there is at least one."""
    left, top = min(p.x for p in points), min(p.y for p in points)
    return Box(left, top, max(p.x for p in points) - left, max(p.y for p in points) - top)


def fractions_of(box: Box, points: list[Point]) -> list[dict[str, Number]]:
    """The points as fractions of a box that holds them: 0, 0 is its upper left corner and 1, 1 the other."""
    return [{"x": _fraction(p.x - box.x, box.width), "y": _fraction(p.y - box.y, box.height)} for p in points]


def points_of(box: Box, fractions: list[Point]) -> list[Point]:
    """The inverse of `fractions_of`."""
    return [Point(box.x + f.x * box.width, box.y + f.y * box.height) for f in fractions]


def _fraction(distance: Number, length: Number) -> float:
    return round(min(max(distance / length, 0.0), 1.0), 9)
