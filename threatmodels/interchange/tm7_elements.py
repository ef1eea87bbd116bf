"""Elements of a drawing surface of the Microsoft Threat Modeling Tool."""

from __future__ import annotations

import math
from typing import Any
from xml.etree.ElementTree import Element

from threatmodels.interchange.canvas import Canvas
from threatmodels.interchange.draft import End
from threatmodels.interchange.geometry import Box, Point
from threatmodels.interchange.intake import quoted
from threatmodels.interchange.plain import number
from threatmodels.interchange.report import ImportReport
from threatmodels.interchange.xml_file import TYPE, child, children, text_of

NOWHERE = "00000000-0000-0000-0000-000000000000"
TYPES = {
    "GE.P": "process",
    "GE.DS": "datastore",
    "GE.EI": "external_entity",
    "GE.DF": "data_flow",
    "GE.TB.B": "trust_boundary",
    "GE.TB.L": "trust_boundary",
    "GE.TB": "trust_boundary",
    "GE.A": "text",
}
# What the drawing says where the type is one that somebody made.
SHAPES = {
    "StencilEllipse": "process",
    "StencilParallelLines": "datastore",
    "StencilRectangle": "external_entity",
    "Connector": "data_flow",
    "BorderBoundary": "trust_boundary",
    "LineBoundary": "trust_boundary",
    "Annotation": "text",
}
SIDES = {"North": "top", "East": "right", "South": "bottom", "West": "left"}
# A bend nearer to the straight line than this is none.
STRAIGHT = 8
YES = "yes"


def add_element(canvas: Canvas, value: Element, report: ImportReport) -> None:
    """Adds the element of a `Value` to a diagram, or says why not."""
    properties, header = _properties(child(value, "Properties"))
    label = properties.pop("Name", "") or header
    kind = _kind(value, label, canvas, report)
    if kind is None:
        return
    more = {"out_of_scope": True} if properties.pop("Out Of Scope", "").lower() == "true" else {}
    canvas.add(
        text_of(value, "Guid"),
        kind,
        label=label,
        reason=properties.pop("Reason For Out Of Scope", ""),
        properties=_flags(properties),
        own={"type": text_of(value, "TypeId"), "attributes": properties},
        more=more,
        **_drawing(kind, value),
    )


def _kind(value: Element, label: str, canvas: Canvas, report: ImportReport) -> str | None:
    generic, shape = text_of(value, "GenericTypeId"), value.get(TYPE, "").rpartition(":")[2]
    if generic in TYPES:
        return TYPES[generic]
    where = f"{canvas.where}, {quoted(label) or 'element'}"
    if shape not in SHAPES:
        report.leave_out(where, f"Its type {quoted(generic) or 'of no name'} is not known here.")
        return None
    report.change(where, f"Its type {quoted(generic) or 'of no name'} is not known here; its shape decided.")
    return SHAPES[shape]


def _drawing(kind: str, value: Element) -> dict[str, Any]:
    if kind == "data_flow":
        return _flow(value)
    if child(value, "SourceX") is not None and child(value, "Left") is None:
        points = [_point(value, "Source"), _point(value, "Handle"), _point(value, "Target")]
        line = [point for point in points if point is not None]
        return {"line": line if len(line) > 1 else []}
    left, top, width, height = (number(text_of(value, key)) for key in ("Left", "Top", "Width", "Height"))
    if left is None or top is None or width is None or height is None:
        return {}
    return {"box": Box(left, top, abs(width), abs(height))}


def _flow(value: Element) -> dict[str, Any]:
    source, target, handle = (_point(value, name) for name in ("Source", "Target", "Handle"))
    bent = source is not None and target is not None and handle is not None
    if bent and source and target and handle:
        middle = Point((source.x + target.x) / 2, (source.y + target.y) / 2)
        bent = math.dist((middle.x, middle.y), (handle.x, handle.y)) > STRAIGHT
    return {
        "source": _end(text_of(value, "SourceGuid"), source),
        "target": _end(text_of(value, "TargetGuid"), target),
        "ports": (SIDES.get(text_of(value, "PortSource"), ""), SIDES.get(text_of(value, "PortTarget"), "")),
        "vertices": [handle] if bent and handle else [],
    }


def _end(guid: str, point: Point | None) -> End:
    return point if guid in {"", NOWHERE} else guid


def _point(value: Element, name: str) -> Point | None:
    x, y = number(text_of(value, f"{name}X")), number(text_of(value, f"{name}Y"))
    return None if x is None or y is None else Point(x, y)


def _properties(holder: Element | None) -> tuple[dict[str, str], str]:
    """The values by the names that people see, and the first heading: the name of the type."""
    found: dict[str, str] = {}
    header = ""
    for item in children(holder, "anyType"):
        name, value = text_of(item, "DisplayName").strip(), child(item, "Value")
        if item.get(TYPE, "").endswith("HeaderDisplayAttribute"):
            header = header or name
        elif name and value is not None:
            found[name] = _chosen(item, value).strip()
    return found, header


def _chosen(item: Element, value: Element) -> str:
    """The text of a value; of a list the entry that is selected."""
    options = [option.text or "" for option in children(value, "string")]
    if not options:
        return value.text or ""
    index = text_of(item, "SelectedIndex")
    at = int(index) if index.isdecimal() and len(index) < 6 else 0
    return options[at] if at < len(options) else ""


def _flags(properties: dict[str, str]) -> dict[str, Any]:
    """What every format says of a flow or a store, by its general name."""
    said = {name: value.lower() for name, value in properties.items()}
    flags = {
        "is_encrypted": said.get("Provides Confidentiality"),
        "is_signed": said.get("Provides Integrity"),
    }
    return {name: value == YES for name, value in flags.items() if value in {YES, "no"}}
