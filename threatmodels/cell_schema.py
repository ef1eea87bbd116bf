"""The cell format as JSON Schema, for documents and clients; the rules are in `cells.py`."""

from __future__ import annotations

from typing import Any

from threatmodels.cells import CELL_TYPES, FARTHEST, LEAST_HEIGHT, LEAST_WIDTH, MOST_CELLS, MOST_VERTICES

Schema = dict[str, Any]

UUID: Schema = {"type": "string", "format": "uuid"}
COORDINATE: Schema = {"type": "number", "minimum": -FARTHEST, "maximum": FARTHEST}
POINT: Schema = {
    "type": "object",
    "required": ["x", "y"],
    "properties": {"x": COORDINATE, "y": COORDINATE},
    "additionalProperties": False,
}
END: Schema = {
    "description": "A cell, with the side at which the flow touches it, or a free point.",
    "oneOf": [
        {
            "type": "object",
            "required": ["cell"],
            "properties": {"cell": UUID, "port": {"type": "string"}},
            "additionalProperties": False,
        },
        POINT,
    ],
}
COLOUR: Schema = {
    "type": "string",
    "description": "#rgb, #rrggbb or the name of a CSS colour.",
    "maxLength": 30,
}
STYLE: Schema = {
    "type": "object",
    "properties": {
        "fill": COLOUR,
        "stroke": COLOUR,
        "text_color": COLOUR,
        "stroke_width": {"type": "number", "minimum": 0},
        "dash": {"type": "string"},
        "font_size": {"type": "number", "exclusiveMinimum": 0},
    },
    "additionalProperties": False,
}
CELL: Schema = {
    "type": "object",
    "description": "An element or a flow. A data_flow has source and target, all others position and size.",
    "required": ["id", "type", "properties"],
    "properties": {
        "id": UUID,
        "type": {"type": "string", "enum": list(CELL_TYPES)},
        "properties": {
            "type": "object",
            "description": "label, description, and any other keys, kept as they are; no null anywhere.",
            "properties": {"label": {"type": "string"}, "description": {"type": "string"}},
            "additionalProperties": True,
        },
        "position": POINT,
        "size": {
            "type": "object",
            "required": ["width", "height"],
            "properties": {
                "width": {"type": "number", "minimum": LEAST_WIDTH, "maximum": FARTHEST},
                "height": {"type": "number", "minimum": LEAST_HEIGHT, "maximum": FARTHEST},
            },
            "additionalProperties": False,
        },
        "parent": UUID,
        "z": {"type": "integer"},
        "source": END,
        "target": END,
        "vertices": {"type": "array", "items": POINT, "maxItems": MOST_VERTICES},
        "bidirectional": {"type": "boolean"},
        "style": STYLE,
        "data_asset_ids": {"type": "array", "items": UUID},
        "out_of_scope": {"type": "boolean"},
    },
    "additionalProperties": False,
}
CELL_PATCH: Schema = {
    "type": "object",
    "description": "A merge patch (RFC 7396) of a cell: null takes a field away.",
    "additionalProperties": True,
}
# How the OpenAPI document refers to it.
CELL_REFERENCE: Schema = {"$ref": "#/components/schemas/Cell"}
CELL_PATCH_REFERENCE: Schema = {"$ref": "#/components/schemas/CellPatch"}
CELLS: Schema = {"type": "array", "items": CELL_REFERENCE, "maxItems": MOST_CELLS}
