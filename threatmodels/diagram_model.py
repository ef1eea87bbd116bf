"""A diagram without its layout, for tools: what there is, what flows where, and what lies in which boundary.

Pure: made from cells alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from threatmodels.cells import Cell, label

Model = dict[str, Any]
GRAPHML = "http://graphml.graphdrawing.org/xmlns"
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What a node or an edge says of itself in GraphML, and the type of each.
KEYS = {
    "type": "string",
    "label": "string",
    "description": "string",
    "parent": "string",
    "out_of_scope": "boolean",
    "bidirectional": "boolean",
    "data_assets": "string",
    "properties": "string",
}


def diagram_model(
    cells: Iterable[Cell], *, about: Mapping[str, Any], assets: Mapping[str, Mapping[str, Any]]
) -> Model:
    """{...about, elements, flows, assets}; `assets` are the live assets of the threat model by id."""
    cells = list(cells)
    elements = [_element(cell, assets) for cell in cells if cell["type"] != "data_flow"]
    flows = [_flow(cell, assets) for cell in cells if cell["type"] == "data_flow"]
    named = {asset for one in [*elements, *flows] for asset in one["data_asset_ids"]}
    return {
        **about,
        "elements": elements,
        "flows": flows,
        "assets": [{"id": pk, **asset} for pk, asset in assets.items() if pk in named],
    }


def graphml(model: Model) -> bytes:
    """The model as a GraphML document; a free end of a flow becomes a node of its own."""
    root = ElementTree.Element("graphml", xmlns=GRAPHML)
    for kind in ("node", "edge"):
        for name, of in KEYS.items():
            attributes = {"id": f"{kind}_{name}", "for": kind, "attr.name": name, "attr.type": of}
            ElementTree.SubElement(root, "key", attributes)
    graph = ElementTree.SubElement(root, "graph", id=str(model["id"]), edgedefault="directed")
    for node in [*model["elements"], *_free_ends(model["flows"])]:
        _described(ElementTree.SubElement(graph, "node", id=node["id"]), "node", node)
    for flow in model["flows"]:
        source, target = flow["source"] or f"{flow['id']}-source", flow["target"] or f"{flow['id']}-target"
        edge = ElementTree.SubElement(graph, "edge", id=flow["id"], source=source, target=target)
        _described(edge, "edge", flow)
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _common(cell: Cell, assets: Mapping[str, Any]) -> Model:
    properties = cell["properties"]
    rest = {name: value for name, value in properties.items() if name not in ("label", "description")}
    return {
        "id": cell["id"],
        "type": cell["type"],
        "label": label(cell),
        "description": properties.get("description", ""),
        "out_of_scope": cell.get("out_of_scope", False),
        "data_asset_ids": [asset for asset in cell.get("data_asset_ids", ()) if asset in assets],
        "properties": rest,
    }


def _element(cell: Cell, assets: Mapping[str, Any]) -> Model:
    return {**_common(cell, assets), "parent": cell.get("parent")}


def _flow(cell: Cell, assets: Mapping[str, Any]) -> Model:
    ends = {end: cell[end].get("cell") for end in ("source", "target")}
    return {**_common(cell, assets), **ends, "bidirectional": cell.get("bidirectional", False)}


def _free_ends(flows: Iterable[Model]) -> Iterator[Model]:
    for flow in flows:
        yield from (
            {"id": f"{flow['id']}-{end}", "type": "free_end"} for end in ("source", "target") if not flow[end]
        )


def _described(at: ElementTree.Element, kind: str, thing: Model) -> None:
    told = {**thing, "data_assets": " ".join(thing.get("data_asset_ids", ()))}
    for name, of in KEYS.items():
        value = told.get(name)
        if value in (None, "", {}):
            continue
        text = json.dumps(value) if of == "boolean" or isinstance(value, dict) else str(value)
        ElementTree.SubElement(at, "data", key=f"{kind}_{name}").text = _clean(text)


def _clean(text: str) -> str:
    """Without what XML 1.0 cannot hold."""
    return NOT_IN_XML.sub("", text)
