"""What the OpenAPI document says beyond the serializers."""

from __future__ import annotations

from typing import Any

from threatmodels.api.serializers import DiagramSerializer
from threatmodels.cell_schema import CELL, CELL_PATCH


def add_components(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A drf-spectacular hook: the schemas that views refer to by name."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas |= {"Cell": CELL, "CellPatch": CELL_PATCH}
    _optional(schemas["Diagram"], DiagramSerializer.detail_only)
    parts = {name: {"type": "array", "items": _reference(part)} for name, part in EXPANDED.items()}
    schemas["ThreatModel"]["properties"] |= parts
    return result


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
