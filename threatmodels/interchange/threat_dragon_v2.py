"""Where Threat Dragon 2 keeps things: the drawing in the cell, the meaning in its `data`."""

from __future__ import annotations

from typing import Any

from threatmodels.interchange.plain import mapping, sequence
from threatmodels.interchange.threat_dragon_element import Element

# Drawing that follows from the rest, or that this application draws in its own way.
DRAWING = frozenset({
    "id", "shape", "position", "size", "width", "height", "x", "y", "attrs", "labels", "label",
    "visible", "zIndex", "z", "data", "ports", "connector", "router", "source", "target", "vertices",
    "markup", "tools", "view", "children", "parent", "threats",
})  # fmt: skip
MEANING = frozenset(["name", "description", "type", "threats"])


def element(cell: dict[str, Any]) -> Element:
    """The element that a cell of `cells` describes."""
    data = mapping(cell.get("data"))
    return Element(
        raw_id=cell.get("id"),
        shapes=[cell.get("shape"), data.get("type")],
        names=[data.get("name"), *_labels(cell)],
        description=data.get("description"),
        data={key: value for key, value in data.items() if key not in MEANING},
        threats=[*sequence(data.get("threats")), *sequence(cell.get("threats"))],
        rest={key: value for key, value in cell.items() if key not in DRAWING},
        position=cell.get("position", {"x": cell.get("x"), "y": cell.get("y")}),
        size=cell.get("size", {"width": cell.get("width"), "height": cell.get("height")}),
        source=cell.get("source"),
        target=cell.get("target"),
        vertices=sequence(cell.get("vertices")),
        ports=_ports(cell),
        z=cell.get("zIndex"),
        parent=cell.get("parent"),
        smooth=_name(cell.get("connector")) == "smooth",
    )


def _labels(cell: dict[str, Any]) -> list[object]:
    first = mapping(next(iter(sequence(cell.get("labels"))), None))
    places = [mapping(cell.get("attrs")), mapping(first.get("attrs"))]
    names = [
        mapping(place.get(key)).get("text") for place in places for key in ("text", "label", "labelText")
    ]
    return [*names, cell.get("label")]


def _ports(cell: dict[str, Any]) -> dict[str, str]:
    """The side of each port by its id."""
    items = map(mapping, sequence(mapping(cell.get("ports")).get("items")))
    pairs = ((item.get("id"), item.get("group")) for item in items)
    return {port: side for port, side in pairs if isinstance(port, str) and isinstance(side, str)}


def _name(connector: object) -> object:
    return mapping(connector).get("name") if isinstance(connector, dict) else connector
