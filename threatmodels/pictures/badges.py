"""Badges: how many open threats an element has, and how bad the worst is, told by shape and colour."""

from __future__ import annotations

import math
from dataclasses import dataclass

from threatmodels.pictures.geometry import Box, Point
from threatmodels.pictures.markup import content, element, number
from threatmodels.pictures.theme import Theme

RADIUS = 11.0
# Corners, the angle of the first, and how far they reach: a shape each, so that black and white print tells
# them apart; the fewer corners, the farther they reach, so that the number always fits. Low is a disc.
CORNERS = {
    "critical": (4, 0.0, 13.0),
    "high": (6, 0.0, 12.33),
    "medium": (4, 45.0, 13.0),
    "informational": (3, 90.0, 17.0),
    "unknown": (5, -90.0, 13.0),
}


@dataclass(frozen=True, slots=True)
class Badge:
    """Open threats of an element: how many, and the worst severity in lower case."""

    count: int
    severity: str


def badge_box(box: Box) -> Box:
    """Where the badge of an element lies: at its upper right corner."""
    return Box(box.right - 4, box.y + 4, 0, 0).grown(RADIUS + 2)


def badge_mark(at: Point, badge: Badge, theme: Theme) -> str:
    """The badge of an element: a shape with the number in it."""
    fill = theme.badge.get(badge.severity, theme.badge["unknown"])
    told = element("title", content(f"{badge.count} ({badge.severity})"))
    mark = severity_shape(at, badge.severity, told, fill=fill, stroke=theme.paper, stroke_width=1.5)
    return mark + _count(at, badge.count)


def severity_shape(at: Point, severity: str, *children: str, **look: object) -> str:
    """The shape of a severity around a point."""
    if severity == "low":
        return element("circle", *children, cx=at.x, cy=at.y, r=RADIUS, **look)
    corners = CORNERS.get(severity, CORNERS["unknown"])
    return element("polygon", *children, points=_polygon(at, *corners), **look)


def _count(at: Point, count: int) -> str:
    many = count > 99
    return element(
        "text",
        content("99+" if many else str(count)),
        x=at.x,
        y=at.y + (3 if many else 4),
        fill="#ffffff",
        font_size=9 if many else 11,
        font_weight=700,
        text_anchor="middle",
    )


def _polygon(at: Point, corners: int, first: float, reach: float) -> str:
    angles = [math.radians(first + 360 / corners * corner) for corner in range(corners)]
    return " ".join(
        f"{number(at.x + reach * math.cos(a))},{number(at.y + reach * math.sin(a))}" for a in angles
    )
