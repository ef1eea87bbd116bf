"""The demo threat model, read from its YAML file into the neutral form of files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import yaml

from threatmodels.interchange.document import (
    Asset,
    Cell,
    Diagram,
    Document,
    LinkedDocument,
    Note,
    Repository,
    Threat,
)

FILE = Path(__file__).parent / "web_shop.yaml"
NAMESPACE = UUID("5e0f6b1c-2d57-4c7e-9a55-6d1f0f5d9b10")

Entry = dict[str, Any]


def demo_document() -> Document:
    """The demo as a document; ids are the same each time, for they are made of the keys in the file."""
    return document_of(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def document_of(entry: Mapping[str, Any]) -> Document:
    """A document from the form that the file describes. Raises KeyError or TypeError for another form."""
    lists = {
        "assets": [Asset(**a | {"key": stable_id("asset", a["key"])}) for a in entry["assets"]],
        "diagrams": [_diagram(d) for d in entry["diagrams"]],
        "threats": [_threat(t) for t in entry["threats"]],
        "documents": [LinkedDocument(**d) for d in entry["documents"]],
        "notes": [Note(**n) for n in entry["notes"]],
        "repositories": [Repository(**r) for r in entry["repositories"]],
    }
    return Document(**{**entry, **lists})


def stable_id(scope: str, key: str) -> str:
    """The UUID of an asset (scope `asset`) or of a cell (scope: the key of its diagram)."""
    return str(uuid5(NAMESPACE, f"{scope}/{key}"))


def _diagram(entry: Entry) -> Diagram:
    key = entry["key"]
    elements, flows = entry["elements"], entry["flows"]
    return Diagram(
        key=key,
        name=entry["name"],
        description=entry["about"],
        cells=[_element(key, e) for e in elements] + [_flow(key, f) for f in flows],
        metadata=entry["metadata"],
        cell_metadata={stable_id(key, e["key"]): e["metadata"] for e in elements + flows if "metadata" in e},
    )


def _element(diagram: str, entry: Entry) -> Cell:
    width, height = entry["size"]
    place: Cell = {"position": _point(entry["at"]), "size": {"width": width, "height": height}}
    if "in" in entry:
        place["parent"] = stable_id(diagram, entry["in"])
    return _cell(diagram, entry, {"at", "size", "in"}) | place


def _flow(diagram: str, entry: Entry) -> Cell:
    ends: Cell = {"source": _end(diagram, entry["from"]), "target": _end(diagram, entry["to"])}
    if "via" in entry:
        ends["vertices"] = [_point(at) for at in entry["via"]]
    return _cell(diagram, {"type": "data_flow", **entry}, {"from", "to", "via"}) | ends


def _cell(diagram: str, entry: Entry, placed: set[str]) -> Cell:
    """What elements and flows share; keys without a short form stay as they are."""
    short = {"key", "label", "description", "assets", "metadata"} | placed
    texts = {name: entry[name] for name in ("label", "description") if name in entry}
    cell = {name: value for name, value in entry.items() if name not in short}
    cell |= {"id": stable_id(diagram, entry["key"]), "properties": texts | entry.get("properties", {})}
    if "assets" in entry:
        cell["data_asset_ids"] = [stable_id("asset", key) for key in entry["assets"]]
    return cell


def _end(diagram: str, text: str) -> Cell:
    """`element`, or one of its sides as `element.right`."""
    key, _, side = text.partition(".")
    return {"cell": stable_id(diagram, key)} | ({"port": side} if side else {})


def _point(at: list[float]) -> dict[str, float]:
    x, y = at
    return {"x": x, "y": y}


def _threat(entry: Entry) -> Threat:
    """`cell` is `diagram/cell` of an element or flow, `asset` an asset; without both it is on the model."""
    fields = {name: value for name, value in entry.items() if name not in {"cell", "asset"}}
    if "cell" in entry:
        diagram, _, cell = entry["cell"].partition("/")
        fields |= {"diagram_key": diagram, "cell_id": stable_id(diagram, cell)}
    if "asset" in entry:
        fields["asset_key"] = stable_id("asset", entry["asset"])
    return Threat(**fields)
