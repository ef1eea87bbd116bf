"""What this application knows of a thing and another format has no place for, as one JSON object.

Writers put it where their format allows foreign values, below the key `tmi`; readers take from it what is
sound. Nothing that the format itself can say is in it, so that a file which another tool changed is read as
that tool left it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any

from threatmodels.cells import validate_cell
from threatmodels.interchange.canvas import SIDES, Canvas
from threatmodels.interchange.document import ASSET_TYPES, Asset, Cell, Metadata, Threat
from threatmodels.interchange.geometry import Point, box_in, point_in
from threatmodels.interchange.plain import mapping, sequence, without_nulls

KEY = "tmi"
TEXTS = ("label", "description", "out_of_scope_reason")
THREAT_FIELDS = (
    "description", "severity", "likelihood", "risk_level", "priority", "mitigated", "status", "threat_type",
    "issue_uri", "cwe_ids", "cvss_vector", "score", "mitigation", "metadata",
)  # fmt: skip
# As `Assembly.threat` calls them.
ARGUMENTS = {"threat_type": "type", "cwe_ids": "cwes"}
DEFAULTS = Threat(key="", name="-")
# Beside properties, what any cell may have and most formats cannot say.
CELL_FIELDS = ("style", "out_of_scope", "z")
A_CELL: Cell = {
    "id": "00000000-0000-4000-8000-000000000000", "type": "process", "properties": {},
    "position": {"x": 0, "y": 0}, "size": {"width": 40, "height": 30},
}  # fmt: skip


def rest_of_cell(cell: Cell, *, kind: str, held: Collection[str] = ()) -> dict[str, Any]:
    """What is left of a cell: `kind` is the format's own key in it, `held` what else the format can say."""
    known = {"label", "description", kind, *held}
    properties = {key: value for key, value in cell["properties"].items() if key not in known}
    reason = {key: properties.pop(key) for key in ("out_of_scope_reason",) if key in properties}
    fields = {key: cell[key] for key in CELL_FIELDS if key in cell and key not in held}
    return {**({"properties": properties} if properties else {}), **reason, **fields}


def cell_rest(value: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """The properties and the fields in such an object; fields that a cell cannot have are passed over."""
    given = mapping(without_nulls(mapping(value)))
    properties = {key: item for key, item in mapping(given.get("properties")).items() if key not in TEXTS}
    fields = {key: given[key] for key in CELL_FIELDS if key in given and _fits(key, given[key])}
    return properties, fields


def course_of(cell: Cell) -> dict[str, Any]:
    """The sides at which a flow touches its ends, and the points on its way."""
    sides = {end: cell[end]["port"] for end in ("source", "target") if "port" in cell[end]}
    return {**sides, **({"vertices": cell["vertices"]} if cell.get("vertices") else {})}


def course_in(value: dict[str, Any]) -> dict[str, Any]:
    """The same as fields of a draft."""
    given = (value.get(end) for end in ("source", "target"))
    ports = tuple(side if isinstance(side, str) and side in SIDES else "" for side in given)
    points = [point for item in sequence(value.get("vertices")) if (point := point_in(item))]
    return {"ports": ports, "vertices": points}


def text(cell: Cell, key: str) -> str:
    """A property of a cell where it is text, else ""."""
    value = cell["properties"].get(key, "")
    return value if isinstance(value, str) else ""


def rounded(value: float) -> float | int:
    """Without the error that subtracting fractions leaves behind, and whole where it is."""
    near = round(value, 6)
    return int(near) if near == int(near) else near


def parsed(value: str | None) -> Any:
    """What metadata keeps as JSON; None where it is none."""
    try:
        return json.loads(value) if value else None
    except ValueError:
        return None


def extra_of(cell: Cell, refs: Mapping[str, str]) -> dict[str, Any]:
    """A cell that the format has no place for, with the names that its file has for what it refers to."""
    drawn: dict[str, Any] = {
        key: cell[key] for key in ("position", "size", "vertices", "bidirectional") if key in cell
    }
    ends: dict[str, Any] = {
        end: {**cell[end], "cell": refs[cell[end]["cell"]]} if "cell" in cell[end] else cell[end]
        for end in ("source", "target")
        if end in cell
    }
    parent = {"parent": refs[cell["parent"]]} if "parent" in cell else {}
    return {
        "id": refs[cell["id"]],
        "type": cell["type"],
        "label": text(cell, "label"),
        "description": text(cell, "description"),
        **drawn,
        **ends,
        **parent,
        **rest_of_cell(cell, kind=""),
    }


def add_extra(canvas: Canvas, value: object) -> None:
    """Adds such a cell to a diagram, as far as it is sound; its box is absolute."""
    given = mapping(value)
    if given.get("type") not in {"text", "data_flow"}:
        return
    properties, fields = cell_rest(given)
    if given.get("bidirectional") is True:
        fields["bidirectional"] = True
    is_flow = given["type"] == "data_flow"
    sides = {end: mapping(given.get(end)).get("port") for end in ("source", "target")}
    course = course_in({**given, **sides})
    canvas.add(
        str(given.get("id")),
        given["type"],
        label=given.get("label"),
        description=given.get("description"),
        reason=given.get("out_of_scope_reason"),
        properties=properties,
        more=fields,
        absolute=True,
        **(
            {"source": _end_in(given.get("source")), "target": _end_in(given.get("target")), **course}
            if is_flow
            else {
                "box": box_in(given.get("position"), given.get("size")),
                "parent": _name(given.get("parent")),
            }
        ),
    )


def _end_in(value: object) -> str | Point | None:
    return _name(mapping(value).get("cell")) or point_in(value)


def _name(value: object) -> str | None:
    return value if isinstance(value, str) else None


def asset_type(value: object) -> str:
    return value if isinstance(value, str) and value in ASSET_TYPES else "data"


def rest_of_asset(asset: Asset, *, prefix: str) -> dict[str, Any]:
    """What is left of an asset where only its name and description can be said."""
    found = {
        "type": asset.type,
        "criticality": asset.criticality,
        "classification": asset.classification,
        "sensitivity": asset.sensitivity,
        "metadata": without(asset.metadata, prefix),
    }
    return {key: value for key, value in found.items() if value and (key, value) != ("type", "data")}


def rest_of_threat(threat: Threat, *, held: dict[str, Any], prefix: str) -> dict[str, Any]:
    """What is left of a threat: `held` are the values that reading the rest of the file would give.

    Metadata whose key begins with the prefix is the format's own.
    """
    found = {name: getattr(threat, name) for name in THREAT_FIELDS}
    found["metadata"] = without(threat.metadata, prefix)
    expected = {name: held.get(name, getattr(DEFAULTS, name)) for name in THREAT_FIELDS}
    return {name: _json(value) for name, value in found.items() if value != expected[name]}


def threat_rest(value: object) -> Iterator[tuple[str, Any]]:
    """The values in such an object, by the names of `Assembly.threat`; null says that there is none."""
    for name, item in mapping(value).items():
        if name in THREAT_FIELDS:
            yield ARGUMENTS.get(name, name), _sound(name, item)


def without(metadata: Metadata, prefix: str) -> Metadata:
    return {key: value for key, value in metadata.items() if not key.startswith(prefix)}


def _sound(name: str, item: Any) -> Any:
    if name == "mitigated":
        return item is True
    if name == "cwe_ids":
        return sequence(item)
    if name == "metadata":
        return list(mapping(item).items())
    return item if isinstance(item, str) else None


def _json(value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else value


def _fits(key: str, value: object) -> bool:
    return not validate_cell({**A_CELL, key: value})
