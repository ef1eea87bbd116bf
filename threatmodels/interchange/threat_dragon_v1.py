"""Where Threat Dragon 1 keeps things: flags and threats beside the drawing, labels in `attrs`."""

from __future__ import annotations

from typing import Any

from threatmodels.interchange.plain import mapping, sequence
from threatmodels.interchange.threat_dragon_element import Element

DRAWING = frozenset({
    "id", "type", "size", "position", "angle", "z", "attrs", "labels", "smooth", "source", "target",
    "vertices", "threats", "description", "ports", "markup", "router", "connector", "embeds", "parent",
    "manhattan", "name", "$$hashKey",
})  # fmt: skip


def element(cell: dict[str, Any]) -> Element:
    """The element that a cell of `diagramJson.cells` describes."""
    return Element(
        raw_id=cell.get("id"),
        shapes=[cell.get("type")],
        names=_labels(cell),
        description=cell.get("description"),
        data={key: value for key, value in cell.items() if key not in DRAWING},
        threats=sequence(cell.get("threats")),
        position=cell.get("position"),
        size=cell.get("size"),
        source=cell.get("source"),
        target=cell.get("target"),
        vertices=sequence(cell.get("vertices")),
        z=cell.get("z"),
        parent=cell.get("parent"),
        smooth=cell.get("smooth") is True,
    )


def _labels(cell: dict[str, Any]) -> list[object]:
    own = mapping(mapping(cell.get("attrs")).get("text")).get("text")
    first = mapping(next(iter(sequence(cell.get("labels"))), None))
    return [own, mapping(mapping(first.get("attrs")).get("text")).get("text"), cell.get("name")]
