"""Writes a model as Open Threat Model 0.2, so that its schema and its tools take it."""

from __future__ import annotations

import json
from typing import Any

from threatmodels.interchange import ours
from threatmodels.interchange.document import Asset, Cell, Diagram, Document
from threatmodels.interchange.otm import KIND, NO_ZONE, Json, objects
from threatmodels.interchange.otm_words import TYPE_OF, kind_of
from threatmodels.interchange.otm_write_threats import Threats
from threatmodels.interchange.plain import mapping, number, sequence

VERSION = "0.2.0"
PREFIX = "otm_"
# What a trust zone and an asset have to say of themselves where nobody said it.
USUAL_RATING = 50
USUAL_RISK = {"confidentiality": 50, "integrity": 50, "availability": 50}


def write(document: Document) -> bytes:
    """The document as UTF-8 JSON of version 0.2, indented.

    The format has no notes and no documents. What it has no place for on a diagram, texts and flows with a
    free end, goes to the attributes of the diagram.
    """
    value = Writer(document).value()
    return json.dumps(value, ensure_ascii=False, indent=2).encode()


def attributes(original: Any, rest: Json) -> Json:
    """The attributes of an element with what is left of ours among them, as a field of it."""
    found = {**mapping(original), **({ours.KEY: rest} if rest else {})}
    return {"attributes": found} if found else {}


class Writer:
    """One document. Elements that several diagrams show are one component with several representations."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._extension = mapping(document.extensions.get(KIND))
        self._refs = _refs(document)
        self._asset_refs = _asset_refs(document.assets)
        self._zones: dict[str, Json] = {}
        self._components: dict[str, Json] = {}
        self._flows: dict[str, Json] = {}
        self._threats = Threats(document, self._extension, self._asset_refs)

    def value(self) -> Json:
        for diagram in self._document.diagrams:
            self._diagram(diagram)
        self._threats.write(self._elements_by_cell())
        if any(c["parent"] == {"trustZone": NO_ZONE} for c in self._components.values()):
            self._zones[NO_ZONE] = {"id": NO_ZONE, "name": "No trust zone", "risk": {"trustRating": 0}}
        known = ("mitigations",)
        return {
            "otmVersion": VERSION,
            "project": self._project(),
            "representations": self._representations(),
            "assets": [self._asset(asset) for asset in self._document.assets],
            "trustZones": list(self._zones.values()),
            "components": list(self._components.values()),
            "dataflows": list(self._flows.values()),
            "threats": self._threats.definitions,
            "mitigations": self._threats.mitigations,
            **{k: v for k, v in self._extension.items() if k not in (*known, "representations")},
        }

    def _project(self) -> Json:
        document, known = self._document, self._document.metadata
        begin = f"{PREFIX}project_"
        original = {key.removeprefix(begin): value for key, value in known.items() if key.startswith(begin)}
        rest = {k: v for k, v in known.items() if not k.startswith(PREFIX) and k != "owner"}
        return {
            "name": document.name,
            "id": original.get("id", "threat-model"),
            "description": document.description,
            "owner": document.owner_label or known.get("owner", ""),
            **({"ownerContact": original["owner_contact"]} if "owner_contact" in original else {}),
            **({"tags": ours.parsed(original["tags"])} if ours.parsed(original.get("tags")) else {}),
            **attributes(ours.parsed(original.get("attributes")), {"metadata": rest} if rest else {}),
        }

    def _representations(self) -> list[Json]:
        diagrams = [self._representation(diagram) for diagram in self._document.diagrams]
        code = [
            {
                "name": one.name or one.uri,
                "id": one.metadata.get("otm_id", f"repository-{number}"),
                "type": "code",
                "description": one.description,
                "repository": {"url": one.uri},
            }
            for number, one in enumerate(self._document.repositories, 1)
        ]
        return diagrams + code + objects(self._extension.get("representations"))

    def _representation(self, diagram: Diagram) -> Json:
        rest = ours.without(diagram.metadata, PREFIX)
        original = ours.parsed(diagram.metadata.get("otm_attributes"))
        made: Json = {} if "otm_id" in diagram.metadata else {"made": True}
        cells = {cell["id"]: cell for cell in diagram.cells}
        if extra := [ours.extra_of(c, self._refs) for c in diagram.cells if _is_extra(c, cells)]:
            made["cells"] = extra
        return {
            "name": diagram.name,
            "id": _diagram_ref(diagram),
            "type": "diagram",
            "description": diagram.description,
            "size": ours.parsed(diagram.metadata.get("otm_size")) or _extent(diagram),
            **attributes(original, {**({"metadata": rest} if rest else {}), **made}),
        }

    def _asset(self, asset: Asset) -> Json:
        known = asset.metadata
        risk = {name: number(known.get(f"otm_{name}")) for name in USUAL_RISK}
        others = {
            key: value
            for key in ("comment", "risk_comments")
            if (value := known.get(f"otm_{key}")) is not None
        }
        return {
            "name": asset.name,
            "id": self._asset_refs[asset.key],
            "description": asset.description,
            "risk": {name: USUAL_RISK[name] if v is None else ours.rounded(v) for name, v in risk.items()}
            | ({"comment": others["comment"]} if "comment" in others else {})
            | ({"riskComments": others["risk_comments"]} if "risk_comments" in others else {}),
            **attributes(ours.parsed(known.get("otm_attributes")), ours.rest_of_asset(asset, prefix=PREFIX)),
        }

    def _diagram(self, diagram: Diagram) -> None:
        cells = {cell["id"]: cell for cell in diagram.cells}
        for cell in diagram.cells:
            if cell["type"] == "trust_boundary":
                self._element(self._zones, cell, cells, diagram)
            elif cell["type"] in TYPE_OF:
                self._element(self._components, cell, cells, diagram)
        for cell in diagram.cells:
            if cell["type"] == "data_flow" and not _is_extra(cell, cells):
                self._flow(cell, diagram)

    def _element(
        self, elements: dict[str, Json], cell: Cell, cells: dict[str, Cell], diagram: Diagram
    ) -> None:
        ref = self._refs[cell["id"]]
        if ref not in elements:
            zone = cell["type"] == "trust_boundary"
            elements[ref] = self._zone(cell, cells) if zone else self._component(cell, cells)
        shown = objects(elements[ref].get("representations"))
        drawn = {"representation": _diagram_ref(diagram), "id": f"{ref}-{len(shown) + 1}"}
        elements[ref]["representations"] = [*shown, drawn | _drawn(cell, cells)]

    def _zone(self, cell: Cell, cells: dict[str, Cell]) -> Json:
        own = mapping(cell["properties"].get(KIND))
        rating = cell["properties"].get("trust_rating")
        rated = isinstance(rating, int | float) and not isinstance(rating, bool)
        parent = self._parent(cell, cells)
        return {
            **_base(
                self._refs[cell["id"]], cell, own, ours.rest_of_cell(cell, kind=KIND, held=["trust_rating"])
            ),
            "risk": {"trustRating": rating if rated else USUAL_RATING},
            **({"parent": parent} if parent else {}),
        }

    def _component(self, cell: Cell, cells: dict[str, Cell]) -> Json:
        own = mapping(cell["properties"].get(KIND))
        given = own.get("type")
        fits = isinstance(given, str) and kind_of(given) == cell["type"]
        refs = [self._asset_refs[key] for key in cell.get("data_asset_ids", []) if key in self._asset_refs]
        stored = [ref for ref in sequence(own.get("stored")) if ref in refs]
        assets = {"processed": refs, "stored": stored}
        return {
            **_base(self._refs[cell["id"]], cell, own, ours.rest_of_cell(cell, kind=KIND)),
            "type": given if fits else TYPE_OF[cell["type"]],
            "parent": self._parent(cell, cells) or {"trustZone": NO_ZONE},
            **({"assets": assets} if refs else {}),
        }

    def _parent(self, cell: Cell, cells: dict[str, Cell]) -> Json | None:
        parent = cells.get(cell.get("parent", ""))
        if parent is None:
            return None
        kind = "trustZone" if parent["type"] == "trust_boundary" else "component"
        return {kind: self._refs[parent["id"]]}

    def _flow(self, cell: Cell, diagram: Diagram) -> None:
        ref, own = self._refs[cell["id"]], mapping(cell["properties"].get(KIND))
        drawing = {_diagram_ref(diagram): course} if (course := ours.course_of(cell)) else {}
        if ref in self._flows:
            tmi = self._flows[ref].setdefault("attributes", {}).setdefault(ours.KEY, {})
            tmi.setdefault("drawing", {}).update(drawing)
            return
        rest = ours.rest_of_cell(cell, kind=KIND) | ({"drawing": drawing} if drawing else {})
        assets = [self._asset_refs[key] for key in cell.get("data_asset_ids", []) if key in self._asset_refs]
        self._flows[ref] = {
            **_base(ref, cell, own, rest),
            "source": self._refs[cell["source"]["cell"]],
            "destination": self._refs[cell["target"]["cell"]],
            "bidirectional": cell.get("bidirectional", False),
            **({"assets": assets} if assets else {}),
        }

    def _elements_by_cell(self) -> dict[str, Json]:
        """The component, zone or flow that each cell became."""
        every = {**self._zones, **self._components, **self._flows}
        return {cell_id: every[ref] for cell_id, ref in self._refs.items() if ref in every}


def _base(ref: str, cell: Cell, own: Json, rest: Json) -> Json:
    others = {k: v for k, v in own.items() if k not in {"id", "type", "attributes", "stored"}}
    given = {"type": own["type"]} if isinstance(own.get("type"), str) and own["type"] else {}
    return {
        **others,
        "id": ref,
        "name": ours.text(cell, "label"),
        **({"description": text} if (text := ours.text(cell, "description")) else {}),
        **given,
        **attributes(own.get("attributes"), rest),
    }


def _drawn(cell: Cell, cells: dict[str, Cell]) -> Json:
    """Position and size; the position counts from the corner of what the element is in."""
    above = cells.get(cell.get("parent", ""))
    base = above["position"] if above else {"x": 0, "y": 0}
    x, y = cell["position"]["x"] - base["x"], cell["position"]["y"] - base["y"]
    return {"position": {"x": ours.rounded(x), "y": ours.rounded(y)}, "size": cell["size"]}


def _is_extra(cell: Cell, cells: dict[str, Cell]) -> bool:
    """Whether the format has no place for a cell: a text, or a flow with an end that is no element."""
    if cell["type"] != "data_flow":
        return bool(cell["type"] == "text")
    ends = [cells.get(cell[end].get("cell", "")) for end in ("source", "target")]
    return any(end is None or end["type"] in {"text", "data_flow"} for end in ends)


def _refs(document: Document) -> dict[str, str]:
    """What each cell is called: as in the file it came from, where that name is still free on its diagram."""
    found: dict[str, str] = {}
    for diagram in document.diagrams:
        taken: set[str] = set()
        for cell in diagram.cells:
            given = mapping(cell["properties"].get(KIND)).get("id")
            ref = given if isinstance(given, str) and given and given not in taken else cell["id"]
            taken.add(ref)
            found[cell["id"]] = ref
    return found


def _asset_refs(assets: list[Asset]) -> dict[str, str]:
    found: dict[str, str] = {}
    taken: set[str] = set()
    for asset in assets:
        given = asset.metadata.get("otm_id", asset.key)
        found[asset.key] = asset.key if given in taken else given
        taken.add(found[asset.key])
    return found


def _diagram_ref(diagram: Diagram) -> str:
    return diagram.metadata.get("otm_id") or f"diagram-{diagram.key}"


def _extent(diagram: Diagram) -> Json:
    boxed = [cell for cell in diagram.cells if "size" in cell]
    right = max((cell["position"]["x"] + cell["size"]["width"] for cell in boxed), default=1000)
    bottom = max((cell["position"]["y"] + cell["size"]["height"] for cell in boxed), default=1000)
    return {"width": max(1, ours.rounded(right)), "height": max(1, ours.rounded(bottom))}
