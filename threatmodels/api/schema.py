"""What the OpenAPI document says beyond the serializers."""

from __future__ import annotations

from typing import Any

from threatmodels.api.examples import EXAMPLES
from threatmodels.api.serializers import DiagramSerializer
from threatmodels.cell_schema import CELL, CELL_PATCH


def add_components(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A drf-spectacular hook: the schemas that views refer to by name."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas |= {"Cell": CELL, "CellPatch": CELL_PATCH}
    _optional(schemas["Diagram"], DiagramSerializer.detail_only)
    # Clients may leave it out, answers never do.
    schemas["Diagram"]["required"] = sorted({*schemas["Diagram"]["required"], "type"})
    parts = {name: {"type": "array", "items": _reference(part)} for name, part in EXPANDED.items()}
    schemas["ThreatModel"]["properties"] |= parts
    schemas |= {"IdsRequest": _list_of("ids", "uuid"), "MetadataKeysRequest": _list_of("keys", None)}
    for path, operations in result["paths"].items():
        if path.endswith("/bulk"):
            body = "MetadataKeysRequest" if path.endswith("/metadata/bulk") else "IdsRequest"
            content = {"application/json": {"schema": _reference(body)}}
            operations["delete"]["requestBody"] = {"required": True, "content": content}
    for name, example in EXAMPLES.items():
        schemas[name] = {**schemas[name], "examples": [example]}
    return result


def _list_of(name: str, form: str | None) -> dict[str, Any]:
    """The body of a DELETE of many, which the generator leaves out."""
    item = {"type": "string"} | ({"format": form} if form else {})
    items = {"type": "array", "items": item, "minItems": 1, "maxItems": 200 if form else 100}
    return {"type": "object", "required": [name], "properties": {name: items}}


def _optional(schema: dict[str, Any], names: frozenset[str]) -> None:
    """Lists leave these out."""
    schema["required"] = [name for name in schema["required"] if name not in names]


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


EXPANDED = {
    "diagrams": "Diagram",
    "threats": "Threat",
    "assets": "Asset",
    "documents": "Document",
    "notes": "Note",
    "repositories": "Repository",
    "metadata": "Metadata",
    "access": "AccessEntry",
}
