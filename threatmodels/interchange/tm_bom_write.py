"""Writes a model as OWASP TM-BOM 1.0.2; where things stand and what the format lacks goes to an extension."""

from __future__ import annotations

import json

from threatmodels.interchange import ours
from threatmodels.interchange.document import Asset, Cell, Diagram, Document
from threatmodels.interchange.plain import mapping, sequence
from threatmodels.interchange.tm_bom import KIND, PREFIX, Json
from threatmodels.interchange.tm_bom_names import Names
from threatmodels.interchange.tm_bom_words import (
    ACTOR_TYPES,
    EXTENSION,
    SCHEMA,
    SECTIONS,
    SENSITIVITIES,
    STORE_TYPES,
    TYPE_OF,
)
from threatmodels.interchange.tm_bom_write_threats import Threats

OWN = "tm_bom"
HELD = ("is_encrypted", "has_sensitive_data")
# What a scope has to say where nobody said it.
USUAL_SCOPE = {
    "business_criticality": "moderate",
    "data_sensitivity": [],
    "exposure": "internal",
    "tier": "important",
}
NO_ZONE = "no-trust-zone"
ELSEWHERE = frozenset("scope version controls risks threat_personas extensions trust_boundaries".split())


def write(document: Document) -> bytes:
    """The document as UTF-8 JSON, indented. Notes, and links but the first of each kind, are left out."""
    return json.dumps(Writer(document).value(), ensure_ascii=False, indent=2).encode()


class Writer:
    """One document; an element that several diagrams show is written once and placed on each."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._kept = mapping(document.extensions.get(KIND))
        self._names = Names(document, OWN, PREFIX)
        self._assets = {asset.key: self._names.assets[asset.key] for asset in document.assets}
        self._sections: dict[str, dict[str, Json]] = {
            key: {} for key in ("trust_zones", *SECTIONS, "data_flows")
        }
        self._made: list[str] = []

    def value(self) -> Json:
        diagrams = [self._diagram(diagram) for diagram in self._document.diagrams]
        threats = Threats(self._document, self._kept, self._names, self._made)
        written = threats.value()
        zones = self._sections["trust_zones"]
        found: Json = {
            "$schema": SCHEMA,
            "version": self._kept.get("version", "1.0"),
            "scope": self._scope(),
            **{key: value for key, value in self._kept.items() if key not in ELSEWHERE},
            **self._links(),
            **{key: list(entries.values()) for key, entries in self._sections.items()},
            "trust_boundaries": [
                one
                for one in map(mapping, sequence(self._kept.get("trust_boundaries")))
                if str(one.get("trust_zone_a")) in zones and str(one.get("trust_zone_b")) in zones
            ],
            "data_sets": [self._data_set(asset) for asset in self._document.assets],
            **{key: value for key, value in written.items() if value},
        }
        mine = {
            "framework": self._document.framework,
            "metadata": ours.without(self._document.metadata, PREFIX),
            "made": self._made,
            "diagrams": diagrams,
            "threats": threats.rest,
            "assets": {
                self._assets[asset.key]: rest
                for asset in self._document.assets
                if (rest := self._asset_rest(asset))
            },
        }
        found["extensions"] = {
            **mapping(self._kept.get("extensions")),
            EXTENSION: {key: value for key, value in mine.items() if value},
        }
        return found

    def _scope(self) -> Json:
        document, given = self._document, mapping(self._kept.get("scope"))
        whole = given.get("description")
        # What was too long for us is still what the file said, unless somebody changed it.
        cut = isinstance(whole, str) and document.description.endswith("…")
        same = cut and str(whole).startswith(document.description[:-1])
        return {
            **USUAL_SCOPE,
            **given,
            "title": document.name,
            "description": whole if same else document.description,
        }

    def _links(self) -> Json:
        found: Json = {}
        for document in self._document.documents:
            if document.metadata.get(f"{PREFIX}section") == "release_docs_link":
                found["release_docs_link"] = document.uri
        for repository in self._document.repositories[:1]:
            found["repo_link"] = repository.uri
        return found

    def _data_set(self, asset: Asset) -> Json:
        known = asset.metadata
        count = known.get(f"{PREFIX}record_count", "")
        methods = sequence(ours.parsed(known.get(f"{PREFIX}access_control_methods")))
        return {
            "symbolic_name": self._assets[asset.key],
            "title": asset.name,
            "description": asset.description,
            "placements": self._placements(asset),
            "data_sensitivity": [word for word in asset.classification if word in SENSITIVITIES],
            **({"record_count": int(count)} if count.isdecimal() and len(count) < 16 else {}),
            **({"access_control_methods": methods} if methods else {}),
        }

    def _placements(self, asset: Asset) -> list[Json]:
        """The stores that hold an asset; those of the file come first and keep what they say."""
        given = [mapping(one) for one in sequence(ours.parsed(asset.metadata.get(f"{PREFIX}placements")))]
        holding = {
            self._names.cells[cell["id"]]: cell
            for diagram in self._document.diagrams
            for cell in diagram.cells
            if cell["type"] == "datastore" and asset.key in cell.get("data_asset_ids", [])
        }
        stores = self._sections["data_stores"]
        kept = [o for o in given if _store(o) in holding or _store(o) not in stores]
        named = {_store(one) for one in kept}
        return kept + [
            {"data_store": name, "encrypted": cell["properties"].get("is_encrypted") is True}
            for name, cell in holding.items()
            if name not in named
        ]

    def _asset_rest(self, asset: Asset) -> Json:
        rest = ours.rest_of_asset(asset, prefix=PREFIX)
        others = [word for word in asset.classification if word not in SENSITIVITIES]
        rest.pop("classification", None)
        return rest | ({"classification": others} if others else {})

    def _diagram(self, diagram: Diagram) -> Json:
        cells = {cell["id"]: cell for cell in diagram.cells}
        return {
            "name": diagram.name,
            "description": diagram.description,
            "metadata": diagram.metadata,
            "cells": [self._cell(cell, cells) for cell in diagram.cells],
        }

    def _cell(self, cell: Cell, cells: dict[str, Cell]) -> Json:
        """Writes a cell to its section and gives its entry in the extension."""
        if cell["type"] in TYPE_OF:
            return self._element(cell, cells)
        if cell["type"] == "data_flow" and all(self._end(cell, end, cells) for end in ("source", "target")):
            return self._flow(cell, cells)
        refs = {pk: _ref(one, self._names.cells[pk]) for pk, one in cells.items()}
        return {"extra": ours.extra_of(cell, refs)}

    def _element(self, cell: Cell, cells: dict[str, Cell]) -> Json:
        name, own = self._names.cells[cell["id"]], mapping(cell["properties"].get(OWN))
        parent = cells.get(cell.get("parent", ""))
        entry: Json = {
            **{key: value for key, value in own.items() if key != "id"},
            "symbolic_name": name,
            "title": ours.text(cell, "label"),
            "description": ours.text(cell, "description"),
        }
        noted: Json = {"ref": _ref(cell, name), "position": cell["position"], "size": cell["size"]}
        if cell["type"] == "trust_boundary":
            self._sections["trust_zones"].setdefault(name, entry)
        else:
            entry["trust_zone"] = self._zone(cell, cells)
            self._typed(cell, entry)
            if cell["type"] == "process" and parent is not None and parent["type"] == "process":
                entry["parent_component"] = self._names.cells[parent["id"]]
            section = next(key for key, (_, kind) in SECTIONS.items() if kind == cell["type"])
            self._sections[section].setdefault(name, entry)
        noted["parent"] = _ref(parent, self._names.cells[parent["id"]]) if parent else ""
        return {**noted, **self._assets_of(cell), **ours.rest_of_cell(cell, kind=OWN)}

    def _typed(self, cell: Cell, entry: Json) -> None:
        if cell["type"] == "external_entity" and str(entry.get("type")) not in ACTOR_TYPES:
            entry["type"] = "third_party"
        if cell["type"] == "datastore" and str(entry.get("type")) not in STORE_TYPES:
            entry["type"] = "document"

    def _zone(self, cell: Cell, cells: dict[str, Cell]) -> str:
        """The boundary around an element; the format wants one for each."""
        above = cells.get(cell.get("parent", ""))
        while above is not None:
            if above["type"] == "trust_boundary":
                return self._names.cells[above["id"]]
            above = cells.get(above.get("parent", ""))
        if NO_ZONE not in self._sections["trust_zones"]:
            self._made.append(NO_ZONE)
            self._sections["trust_zones"][NO_ZONE] = {
                "symbolic_name": NO_ZONE,
                "title": "No trust zone",
                "description": "What is inside no trust boundary.",
            }
        return NO_ZONE

    def _assets_of(self, cell: Cell) -> Json:
        """The assets of a cell that no placement says."""
        names = [self._assets[key] for key in cell.get("data_asset_ids", []) if key in self._assets]
        return {"assets": names} if names and cell["type"] != "datastore" else {}

    def _end(self, cell: Cell, end: str, cells: dict[str, Cell]) -> Json | None:
        """A typed reference to what a flow ends on, or the one that led nowhere in the file it came from."""
        at = cells.get(cell[end].get("cell", ""))
        if at is not None:
            known = at["type"] in TYPE_OF
            return {"type": TYPE_OF[at["type"]], "object": self._names.cells[at["id"]]} if known else None
        given = mapping(mapping(cell["properties"].get(OWN)).get(f"{end}_given"))
        return given if isinstance(given.get("type"), str) and isinstance(given.get("object"), str) else None

    def _flow(self, cell: Cell, cells: dict[str, Cell]) -> Json:
        name, given = self._names.cells[cell["id"]], cell["properties"]
        sensitive = given.get("has_sensitive_data")
        own = {k: v for k, v in mapping(given.get(OWN)).items() if not k.endswith("_given") and k != "id"}
        self._sections["data_flows"].setdefault(
            name,
            {
                **own,
                "symbolic_name": name,
                "title": ours.text(cell, "label"),
                "description": ours.text(cell, "description"),
                "source": self._end(cell, "source", cells),
                "destination": self._end(cell, "target", cells),
                "has_sensitive_data": (
                    sensitive if isinstance(sensitive, bool) else bool(cell.get("data_asset_ids"))
                ),
                "encrypted": given.get("is_encrypted") is True,
            },
        )
        both = {"bidirectional": True} if cell.get("bidirectional") else {}
        rest = ours.rest_of_cell(cell, kind=OWN, held=HELD)
        noted = {"ref": _ref(cell, name), **ours.course_of(cell), **both}
        return {**noted, **self._assets_of(cell), **rest}


def _store(placement: Json) -> str:
    return str(placement.get("data_store"))


def _ref(cell: Cell, name: str) -> str:
    return f"{TYPE_OF.get(cell['type'], cell['type'])}:{name}"
