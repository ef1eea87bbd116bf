"""The shapes of data-flow diagrams: process, datastore, external entity, trust boundary, text."""

from __future__ import annotations

import math
from collections.abc import Callable

from threatmodels.cells import label
from threatmodels.pictures.geometry import Box, Cell, Point, curves, line_points
from threatmodels.pictures.markup import content, element, number, told
from threatmodels.pictures.style import Look, look
from threatmodels.pictures.text import LINE_HEIGHT, width, wrap
from threatmodels.pictures.theme import Theme

PADDING = 8
# How much wider letters of weight 600 run.
BOLD = 1.08


def shape(cell: Cell, box: Box, theme: Theme) -> str:
    """The drawing of a cell that has a box, its full label as tooltip; an unknown type is a plain box."""
    draw = SHAPES.get(str(cell.get("type")), _external_entity)
    return element("g", told(label(cell)), draw(cell, box, theme), data_cell=cell.get("id"))


def _process(cell: Cell, box: Box, theme: Theme) -> str:
    how = look(cell, theme, fill=theme.process)
    centre = box.centre
    outline = element(
        "ellipse", cx=centre.x, cy=centre.y, rx=box.width / 2, ry=box.height / 2, **outlined(how)
    )
    # The largest rectangle in an ellipse that still has its proportions.
    inner = Box(
        centre.x - box.width / 2 * math.sqrt(0.5) - PADDING / 2,
        centre.y - box.height / 2 * math.sqrt(0.5),
        box.width * math.sqrt(0.5) + PADDING,
        box.height * math.sqrt(0.5),
    )
    return outline + centred(label(cell), inner, how)


def _datastore(cell: Cell, box: Box, theme: Theme) -> str:
    how = look(cell, theme, fill=theme.datastore)
    area = element("rect", x=box.x, y=box.y, width=box.width, height=box.height, fill=how.fill)
    strokes = outlined(how) | {"fill": "none"}
    lines = "".join(
        element("path", d=f"M{number(box.x)} {number(y)}H{number(box.right)}", **strokes)
        for y in (box.y, box.bottom)
    )
    return area + lines + centred(label(cell), box.grown(-PADDING / 2), how)


def _external_entity(cell: Cell, box: Box, theme: Theme) -> str:
    how = look(cell, theme, fill=theme.external_entity)
    outline = element("rect", x=box.x, y=box.y, width=box.width, height=box.height, **outlined(how))
    return outline + centred(label(cell), box.grown(-PADDING / 2), how)


def _trust_boundary(cell: Cell, box: Box, theme: Theme) -> str:
    how = _boundary_look(cell, theme)
    lines, at = _boundary_label(cell, box, how)
    name = text_lines(lines, at, how, anchor="start", weight=600)
    points = line_points(cell, box)
    if len(points) >= 2:
        return element("path", d=smooth(points), **outlined(how) | {"fill": "none"}) + name
    own_fill = isinstance(cell.get("style"), dict) and "fill" in cell["style"]
    strokes = outlined(how) | ({} if own_fill else {"fill_opacity": 0.04})
    return element("rect", x=box.x, y=box.y, width=box.width, height=box.height, rx=8, **strokes) + name


def boundary_label_box(cell: Cell, box: Box, theme: Theme) -> Box | None:
    """The room that the name of a trust boundary takes; None without a name."""
    how = _boundary_look(cell, theme)
    lines, at = _boundary_label(cell, box, how)
    if not lines:
        return None
    wide = max(width(line, how.font_size) for line in lines)
    high = len(lines) * how.font_size * LINE_HEIGHT
    return Box(at.x, at.y - how.font_size, wide * BOLD, high)


def _boundary_look(cell: Cell, theme: Theme) -> Look:
    how = look(cell, theme, fill=theme.boundary_fill, stroke=theme.boundary)
    own_text = isinstance(cell.get("style"), dict) and "text_color" in cell["style"]
    return how._replace(dash=how.dash or "8 5", text=how.text if own_text else how.stroke)


def _boundary_label(cell: Cell, box: Box, how: Look) -> tuple[list[str], Point]:
    """The lines of a name and the baseline of the first: inside a box at its top left, above a curve."""
    points = line_points(cell, box)
    if len(points) >= 2:
        lines = wrap(label(cell), 160, 2, how.font_size)
        above = 6 + max(len(lines) - 1, 0) * how.font_size * LINE_HEIGHT
        return lines, Point(points[0].x + 4, points[0].y - above)
    inner = max(box.width - 2 * PADDING, 20)
    lines = wrap(label(cell), inner / BOLD, 2, how.font_size)
    return lines, Point(box.x + PADDING, box.y + PADDING / 2 + how.font_size)


def _text(cell: Cell, box: Box, theme: Theme) -> str:
    how = look(cell, theme, fill="none")
    most = max(int(box.height / (how.font_size * LINE_HEIGHT)), 1)
    lines = wrap(label(cell), box.width, most, how.font_size)
    return text_lines(lines, Point(box.x, box.y + how.font_size), how, anchor="start")


SHAPES: dict[str, Callable[[Cell, Box, Theme], str]] = {
    "process": _process,
    "datastore": _datastore,
    "external_entity": _external_entity,
    "trust_boundary": _trust_boundary,
    "text": _text,
}


def outlined(how: Look) -> dict[str, object]:
    """The attributes of an outline."""
    return {
        "fill": how.fill,
        "stroke": how.stroke,
        "stroke_width": how.stroke_width,
        "stroke_dasharray": how.dash,
    }


def centred(text: str, box: Box, how: Look) -> str:
    """Text in the middle of a box, broken into lines, shortened where it does not fit."""
    step = how.font_size * LINE_HEIGHT
    lines = wrap(text, max(box.width, how.font_size * 2), max(int(box.height / step), 1), how.font_size)
    top = box.centre.y - step * (len(lines) - 1) / 2 + how.font_size * 0.35
    return text_lines(lines, Point(box.centre.x, top), how, anchor="middle")


def text_lines(lines: list[str], at: Point, how: Look, *, anchor: str, weight: int | None = None) -> str:
    """Lines one below the other; `at` is the baseline of the first."""
    return "".join(
        element(
            "text",
            content(line),
            x=at.x,
            y=at.y + index * how.font_size * LINE_HEIGHT,
            fill=how.text,
            font_size=how.font_size,
            font_weight=weight,
            text_anchor=anchor,
            # Right-to-left text runs from its own side, wherever it stands.
            unicode_bidi="plaintext",
        )
        for index, line in enumerate(lines)
    )


def text_box(lines: list[str], centre: Point, size: float) -> Box:
    """The room that lines take around a point."""
    wide = max(width(line, size) for line in lines)
    high = len(lines) * size * LINE_HEIGHT
    return Box(centre.x - wide / 2, centre.y - high / 2, wide, high)


def smooth(points: list[Point]) -> str:
    """A path through all points without corners."""
    path = [f"M{number(points[0].x)} {number(points[0].y)}"]
    for _, *rest in curves(points):
        path.append("C" + " ".join(number(value) for point in rest for value in point))
    return "".join(path)
