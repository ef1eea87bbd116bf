"""What the OpenAPI document says beyond the serializers."""

from __future__ import annotations

from typing import Any

from threatmodels.cell_schema import CELL


def add_components(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A drf-spectacular hook: the schemas that views refer to by name."""
    result.setdefault("components", {}).setdefault("schemas", {})["Cell"] = CELL
    return result
