"""Cells as elements of a Threat Dragon 2 diagram."""

from __future__ import annotations

import uuid
from typing import Any

from threatmodels.interchange.cell_ids import NAMESPACE
from threatmodels.interchange.document import Cell, Diagram
from threatmodels.interchange.geometry import Box, Point, box_in, point_in, points_of
from threatmodels.interchange.plain import mapping, sequence, snake_case
from threatmodels.interchange.threat_dragon_element import THREATS_OF
from threatmodels.interchange.threat_dragon_properties import FLAGS, WORDS

# Shape and type of data by our type of cell; a boundary that is a line is a curve instead.
SHAPES = {
    "process": ("process", "tm.Process"),
    "datastore": ("store", "tm.Store"),
    "external_entity": ("actor", "tm.Actor"),
    "trust_boundary": ("trust-boundary-box", "tm.BoundaryBox"),
    "data_flow": ("flow", "tm.Flow"),
    "text": ("td-text-block", "tm.Text"),
}
CURVE = ("trust-boundary-curve", "tm.Boundary")
SIDES = ("top", "right", "bottom", "left")
BLOCK = (300, 60)


def cell_of(cell: Cell, top: int) -> dict[str, Any]:
    """The element of a cell; lines without a layer of their own lie at `top`."""
    line = _line_of(cell)
    shape, kind = CURVE if line else SHAPES[cell["type"]]
    drawn = _curve(cell, line) if line else _flow(cell) if shape == "flow" else _box(cell, shape)
    original = mapping(cell["properties"].get("threat_dragon")).get("shape")
    return {
        "id": cell["id"],
        "shape": original if isinstance(original, str) else shape,
        "zIndex": round(cell.get("z", top if "source" in drawn else 0)),
        **drawn,
        "data": _data(cell, kind),
    }


def text_block(text: str, scope: str, diagram: Diagram, number: int) -> dict[str, Any]:
    """A text below everything that a diagram has, for threats of the `scope` "diagram" or "model"."""
    boxes = [box for cell in diagram.cells if (box := box_in(cell.get("position"), cell.get("size")))]
    y = max((box.bottom for box in boxes), default=0) + 40 + number * 2 * BLOCK[1]
    cell = {
        "id": str(uuid.uuid5(NAMESPACE, f"{diagram.key}|{text}")),
        "type": "text",
        "properties": {"label": text},
        **Box(min((box.x for box in boxes), default=0), y, *BLOCK).as_json(),
    }
    block = cell_of(cell, 0)
    return {**block, "data": {**block["data"], THREATS_OF: scope}}


def _line_of(cell: Cell) -> list[Point]:
    """The points of a boundary that is a line, in fractions of its box; nothing for any other cell."""
    given = sequence(cell["properties"].get("line")) if cell["type"] == "trust_boundary" else []
    line = [point for item in given if (point := point_in(item))]
    return line if len(line) > 1 else []


def _box(cell: Cell, shape: str) -> dict[str, Any]:
    key = "label" if shape == "trust-boundary-box" else "text"
    drawn: dict[str, Any] = {
        "position": cell["position"],
        "size": cell["size"],
        "attrs": {key: {"text": _text(cell, "label")}},
        "visible": True,
    }
    if "parent" in cell:
        drawn["parent"] = cell["parent"]
    if shape in {"process", "store", "actor"}:
        drawn["ports"] = _ports()
    return drawn


def _ports() -> dict[str, Any]:
    circle = {"r": 4, "magnet": True, "stroke": "#5F95FF", "strokeWidth": 1, "fill": "#fff"}
    attrs = {"circle": {**circle, "style": {"visibility": "hidden"}}}
    return {
        "groups": {side: {"position": side, "attrs": attrs} for side in SIDES},
        "items": [{"group": side, "id": side} for side in SIDES],
    }


def _flow(cell: Cell) -> dict[str, Any]:
    both = {"name": "block"} if cell.get("bidirectional") else {"name": ""}
    line = {"stroke": "#333333", "strokeWidth": 1.5, "targetMarker": {"name": "block"}, "sourceMarker": both}
    return {
        **_line(cell, line),
        "source": _end(cell["source"]),
        "target": _end(cell["target"]),
        "vertices": cell.get("vertices", []),
    }


def _curve(cell: Cell, line: list[Point]) -> dict[str, Any]:
    box = box_in(cell["position"], cell["size"])
    points = points_of(box, line) if box else line
    return {
        **_line(cell, {"targetMarker": "", "sourceMarker": ""}),
        "source": _end(points[0].as_json()),
        "target": _end(points[-1].as_json()),
        "vertices": [_rounded(point) for point in points[1:-1]],
    }


def _line(cell: Cell, attrs: dict[str, Any]) -> dict[str, Any]:
    label = {"attrs": {"labelText": {"text": _text(cell, "label")}}, "position": 0.5}
    return {
        "width": 200,
        "height": 100,
        "connector": _text(cell, "connector") or "normal",
        "attrs": {"line": attrs},
        "labels": [label],
    }


def _end(end: dict[str, Any]) -> dict[str, Any]:
    """An end of a line; where it is free the schema wants whole numbers."""
    return end if "cell" in end else {"x": round(end["x"]), "y": round(end["y"])}


def _rounded(point: Point) -> dict[str, Any]:
    return {"x": round(point.x, 4), "y": round(point.y, 4)}


def _text(cell: Cell, key: str) -> str:
    value = cell["properties"].get(key, "")
    return value if isinstance(value, str) else ""


def _data(cell: Cell, kind: str) -> dict[str, Any]:
    given = cell["properties"]
    data = {"type": kind, "name": _text(cell, "label"), "description": _text(cell, "description")}
    if kind == "tm.Text":
        del data["description"]
    flags = {key: given[snake_case(key)] for key in FLAGS if isinstance(given.get(snake_case(key)), bool)}
    words = {key: word for key in WORDS if (word := _text(cell, snake_case(key)))}
    reason = _text(cell, "out_of_scope_reason")
    scope = {"outOfScope": cell.get("out_of_scope", False), "reasonOutOfScope": reason}
    is_element = cell["type"] not in {"text", "trust_boundary"}
    return {
        **mapping(mapping(given.get("threat_dragon")).get("data")),
        **data,
        **({"isTrustBoundary": True} if cell["type"] == "trust_boundary" else {}),
        **(scope if is_element or any(scope.values()) else {}),
        **({"isBidirectional": cell.get("bidirectional", False)} if kind == "tm.Flow" else {}),
        **dict(sorted({**flags, **words}.items())),
        "hasOpenThreats": False,
    }
