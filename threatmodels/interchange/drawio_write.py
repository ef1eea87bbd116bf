"""Writes diagrams as draw.io does: a page for each, with shapes that say what they are."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from threatmodels.interchange import drawio_style, ours
from threatmodels.interchange.document import Cell, Diagram, Document
from threatmodels.interchange.drawio import KIND
from threatmodels.interchange.drawio_page import LAYERS
from threatmodels.interchange.drawio_style import Style, written
from threatmodels.interchange.geometry import Point, box_in, point_in, points_of
from threatmodels.interchange.plain import mapping, sequence

Json = dict[str, Any]
ROOT, LAYER = "0", "1"
# Attributes of a layer by what metadata calls them.
OF_LAYERS = {"name": "value", "style": "style"}
# Characters that XML 1.0 has no way to write.
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(document: Document) -> bytes:
    """The diagrams as UTF-8 XML, not packed. The format has no threats, assets, notes and the like."""
    file = Element("mxfile", host="tmi", type="device")
    model = {
        "name": document.name,
        "description": document.description,
        "framework": document.framework,
        "metadata": document.metadata,
    }
    for diagram in document.diagrams or [Diagram(key="0", name="Page-1")]:
        _Page(diagram).write(file, model)
    data: bytes = tostring(file, encoding="utf-8", xml_declaration=True)
    return data


def _set(element: Element, **values: object) -> None:
    for key, value in values.items():
        element.set(key, NOT_IN_XML.sub("", str(value)))


class _Page:
    """One diagram; shapes keep the names that they had in the file they came from."""

    def __init__(self, diagram: Diagram) -> None:
        self._diagram = diagram
        self._cells = {cell["id"]: cell for cell in diagram.cells}
        self._refs: dict[str, str] = {}
        layers = [mapping(one) for one in sequence(ours.parsed(diagram.metadata.get(LAYERS)))]
        named = {one["id"]: one for one in layers if isinstance(one.get("id"), str) and one["id"] != ROOT}
        self._layers: dict[str, Json] = named or {LAYER: {}}
        taken = {ROOT, *self._layers}
        for cell in diagram.cells:
            given = mapping(cell["properties"].get(KIND)).get("id")
            ref = given if isinstance(given, str) and given and given not in taken else cell["id"]
            taken.add(ref)
            self._refs[cell["id"]] = ref

    def write(self, file: Element, model: Json) -> None:
        diagram = self._diagram
        page = SubElement(file, "diagram")
        _set(page, id=diagram.key, name=diagram.name)
        graph = SubElement(page, "mxGraphModel", grid="1", gridSize="10", page="0", math="0", shadow="0")
        root = SubElement(graph, "root")
        mine = {"description": diagram.description, "metadata": diagram.metadata}
        top = SubElement(root, "UserObject", label="", id=ROOT)
        _set(top, **{ours.KEY: _json({"model": model, "diagram": mine})})
        SubElement(top, "mxCell")
        for ref, layer in self._layers.items():
            drawn = SubElement(root, "mxCell", {"parent": ROOT})
            _set(drawn, id=ref, **{key: layer[told] for told, key in OF_LAYERS.items() if layer.get(told)})
            if layer.get("visible") is False:
                drawn.set("visible", "0")
        for cell in diagram.cells:
            self._cell(root, cell)

    def _layer(self, cell: Cell) -> str:
        ref = mapping(cell["properties"].get(KIND)).get("layer")
        return ref if isinstance(ref, str) and ref in self._layers else next(iter(self._layers))

    def _cell(self, root: Element, cell: Cell) -> None:
        own = mapping(cell["properties"].get(KIND))
        rest = ours.rest_of_cell(cell, kind=KIND)
        line = _line_of(cell)
        if line:
            rest |= {"position": cell["position"], "size": cell["size"]}
        style, made = _style(cell, own)
        if made or line:
            rest["made"] = True
        label = ours.text(cell, "label") if line else _label(cell, style)
        item = SubElement(root, "UserObject")
        data = {k: v for k, v in mapping(own.get("data")).items() if re.fullmatch(r"[A-Za-z_][\w.-]*", k)}
        _set(item, **data)
        _set(item, label=label, id=self._refs[cell["id"]], type=cell["type"])
        if description := ours.text(cell, "description"):
            _set(item, description=description)
        _set(item, **{ours.KEY: _json(rest)})
        if cell["type"] == "data_flow":
            self._edge(item, cell, style)
        elif line:
            _curve(item, line, self._layer(cell))
        else:
            self._vertex(item, cell, style)

    def _vertex(self, item: Element, cell: Cell, style: Style) -> None:
        parent = self._cells.get(cell.get("parent", ""))
        drawn = SubElement(item, "mxCell", {"vertex": "1"})
        _set(drawn, style=written(style), parent=self._refs[parent["id"]] if parent else self._layer(cell))
        base = parent["position"] if parent else {"x": 0, "y": 0}
        x, y = cell["position"]["x"] - base["x"], cell["position"]["y"] - base["y"]
        geometry = SubElement(drawn, "mxGeometry", {"as": "geometry"})
        _set(geometry, x=ours.rounded(x), y=ours.rounded(y), **cell["size"])

    def _edge(self, item: Element, cell: Cell, style: Style) -> None:
        drawn = SubElement(item, "mxCell", {"edge": "1", "parent": self._layer(cell)})
        both = style.get("startArrow", "none") != "none" and style.get("endArrow", "classic") != "none"
        if both != bool(cell.get("bidirectional")) or style.get("endArrow") == "none":
            style |= {"endArrow": "classic", "startArrow": "classic" if cell.get("bidirectional") else "none"}
        for end, name in (("source", "exit"), ("target", "entry")):
            _fasten(style, name, cell[end].get("port", ""))
            if "cell" in cell[end]:
                _set(drawn, **{end: self._refs.get(cell[end]["cell"], "")})
        _set(drawn, style=written(style))
        ends = {end: p for end in ("source", "target") if (p := point_in(cell[end])) is not None}
        _course(drawn, ends, [p for item in cell.get("vertices", []) if (p := point_in(item))])


def _fasten(style: Style, name: str, side: str) -> None:
    """Lets an edge leave or enter at a side, unless that is what its style says already."""
    if drawio_style.port(style, name) == side:
        return
    for key in (f"{name}X", f"{name}Y"):
        style.pop(key, None)
    if side in drawio_style.SIDE_OF:
        style[f"{name}X"], style[f"{name}Y"] = drawio_style.SIDE_OF[side]


def _style(cell: Cell, own: Json) -> tuple[Style, bool]:
    """The style of the file that a cell came from, else ours for its type; and whether it is ours."""
    original = own.get("style")
    made = not (isinstance(original, str) and original)
    style = drawio_style.parsed(drawio_style.DRAWN[cell["type"]] if made else str(original))
    for name, colour in mapping(cell.get("style")).items():
        if name in drawio_style.COLOURS:
            style[drawio_style.COLOURS[name]] = str(colour)
    return style, made


def _label(cell: Cell, style: Style) -> str:
    """The label as a style wants it: in HTML, or as it is."""
    label = ours.text(cell, "label")
    return escape(label, quote=False).replace("\n", "<br>") if style.get("html") == "1" else label


def _curve(item: Element, line: list[Point], layer: str) -> None:
    drawn = SubElement(item, "mxCell", {"edge": "1", "parent": layer, "style": drawio_style.CURVE})
    _course(drawn, {"source": line[0], "target": line[-1]}, line[1:-1])


def _course(drawn: Element, ends: dict[str, Point], points: list[Point]) -> None:
    geometry = SubElement(drawn, "mxGeometry", {"relative": "1", "as": "geometry"})
    for end, point in ends.items():
        _set(SubElement(geometry, "mxPoint", {"as": f"{end}Point"}), x=point.x, y=point.y)
    if points:
        array = SubElement(geometry, "Array", {"as": "points"})
        for point in points:
            _set(SubElement(array, "mxPoint"), x=point.x, y=point.y)


def _line_of(cell: Cell) -> list[Point]:
    """The points of a boundary that is a line; nothing for any other cell."""
    if cell["type"] != "trust_boundary":
        return []
    given = [p for item in sequence(cell["properties"].get("line")) if (p := point_in(item))]
    box = box_in(cell["position"], cell["size"])
    return points_of(box, given) if box and len(given) > 1 else []


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
