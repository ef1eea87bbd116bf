"""What a cell's own style and its being out of scope mean for its strokes and fills."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from threatmodels.colours import COLOUR_NAMES
from threatmodels.pictures.geometry import Cell, is_number
from threatmodels.pictures.theme import FONT_SIZE, Theme

COLOUR = re.compile(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
DASH = re.compile(r"\d{1,3}([ ,]+\d{1,3}){0,7}")
OUT_OF_SCOPE_DASH = "6 4"


class Look(NamedTuple):
    """Attributes of a shape's outline and text."""

    stroke: str
    fill: str
    stroke_width: float
    dash: str | None
    text: str
    font_size: float


def look(cell: Cell, theme: Theme, *, fill: str, stroke: str = "") -> Look:
    """The look of a cell: its style over the theme; out of scope it is dashed and muted."""
    own = cell.get("style")
    style: Mapping[str, Any] = own if isinstance(own, Mapping) else {}
    outside = cell.get("out_of_scope") is True
    ink = theme.muted if outside else stroke or theme.ink
    return Look(
        stroke=_colour(style.get("stroke"), ink),
        fill=_colour(style.get("fill"), theme.paper if outside else fill),
        stroke_width=_number(style.get("stroke_width"), 1.5, 0, 50),
        dash=_dash(style.get("dash")) or (OUT_OF_SCOPE_DASH if outside else None),
        text=_colour(style.get("text_color"), theme.muted if outside else theme.ink),
        font_size=_number(style.get("font_size"), FONT_SIZE, 4, 200),
    )


def _colour(value: object, fallback: str) -> str:
    sound = isinstance(value, str) and (COLOUR.fullmatch(value) or value.lower() in COLOUR_NAMES)
    return str(value) if sound else fallback


def _number(value: object, fallback: float, least: float, most: float) -> float:
    return float(value) if is_number(value) and least <= value <= most else fallback


def _dash(value: object) -> str | None:
    return value if isinstance(value, str) and DASH.fullmatch(value) else None
