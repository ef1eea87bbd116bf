"""Writes a model as Threat Dragon 2 does, so that its schema and its editor take it."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from threatmodels.interchange.document import Diagram, Document, Metadata, Threat
from threatmodels.interchange.plain import snake_case, whole
from threatmodels.interchange.threat_dragon_words import OF_DETAIL, OF_SUMMARY, OF_TEMPLATE, others_in
from threatmodels.interchange.threat_dragon_write_cells import cell_of, text_block
from threatmodels.interchange.threat_dragon_write_threats import is_open, threat_of

Places = dict[tuple[str, str], list[Threat]]

VERSION = "2.6.0"
DIAGRAM_TYPE = "STRIDE"
LOOSE = "Threats of the whole diagram"
MODEL_WIDE = "Threats of the whole model"
SCOPE_OF_BLOCK = {LOOSE: "diagram", MODEL_WIDE: "model"}
PLACED = (OF_SUMMARY, OF_DETAIL, OF_TEMPLATE)
# What metadata keeps for fields that are written from it one by one.
NOT_OTHERS = frozenset(["version", "id", "diagram_top", "threat_top"])
NOT_OTHERS_OF_DIAGRAM = frozenset(["version", "id", "diagram_type"])


def write(document: Document) -> bytes:
    """The document as UTF-8 JSON of version 2, indented.

    The format has no assets, notes, documents and repositories, and no threat without an element: threats of
    a diagram or of the model as a whole go to a text block of their own.
    """
    diagrams = document.diagrams or ([Diagram(key="", name=document.name)] if document.threats else [])
    threats = _threats_by_place(document, diagrams)
    model = {
        "version": _version(document.metadata),
        "summary": {
            **others_in(document.metadata, (), OF_SUMMARY),
            "title": document.name,
            "owner": document.owner_label or document.metadata.get("owner", ""),
            "description": document.description,
            "id": whole(document.metadata.get("threat_dragon_id"), 0),
        },
        "detail": {
            **others_in(document.metadata, (), OF_DETAIL),
            "contributors": [{"name": n} for n in document.metadata.get("contributors", "").split("\n") if n],
            "diagrams": [_diagram(document, d, at, threats) for at, d in enumerate(diagrams)],
            "diagramTop": whole(document.metadata.get("threat_dragon_diagram_top"), len(diagrams)),
            "reviewer": document.metadata.get("reviewer", ""),
            "threatTop": max([_top(document.metadata), *(_number(t) for t in document.threats)]),
        },
    }
    released = {
        key: document.metadata[key] for key in ("release_version", "released_at") if key in document.metadata
    }
    others = {key: value for key, value in document.metadata.items() if not key.startswith(PLACED)}
    model = others_in(others, NOT_OTHERS) | model
    return json.dumps({**model, **released}, ensure_ascii=False, indent=2).encode()


def _threats_by_place(document: Document, diagrams: list[Diagram]) -> Places:
    """Threats by diagram key and cell id, or by the key and the text of the block that they go to."""
    cells = {diagram.key: {cell["id"] for cell in diagram.cells} for diagram in diagrams}
    found: Places = defaultdict(list)
    for threat in document.threats:
        key = threat.diagram_key if threat.diagram_key in cells else None
        cell_id = threat.cell_id if key is not None and threat.cell_id in cells[key] else None
        place = (diagrams[0].key, MODEL_WIDE) if key is None else (key, cell_id or LOOSE)
        found[place].append(threat)
    return found


def _diagram(document: Document, diagram: Diagram, at: int, threats: Places) -> dict[str, Any]:
    original = diagram.metadata.get("threat_dragon_diagram_type", "")
    kind = original if len(original) >= 3 else document.framework or DIAGRAM_TYPE
    return {
        **others_in(diagram.metadata, NOT_OTHERS_OF_DIAGRAM),
        "id": whole(diagram.metadata.get("threat_dragon_id"), at),
        "title": diagram.name,
        "description": diagram.description,
        "diagramType": kind,
        "thumbnail": f"./public/content/images/thumbnail.{snake_case(kind)}.jpg",
        "version": _version(diagram.metadata),
        "cells": _cells(diagram, kind, threats),
    }


def _cells(diagram: Diagram, kind: str, threats: Places) -> list[dict[str, Any]]:
    blocks = [text for text in SCOPE_OF_BLOCK if (diagram.key, text) in threats]
    cells = [(cell["id"], cell_of(cell, len(diagram.cells))) for cell in diagram.cells]
    cells += [(text, text_block(text, SCOPE_OF_BLOCK[text], diagram, at)) for at, text in enumerate(blocks)]
    for place, cell in cells:
        of_cell = threats.get((diagram.key, place), [])
        cell["data"]["hasOpenThreats"] = any(map(is_open, of_cell))
        if of_cell or cell["shape"] in {"process", "store", "actor", "flow"}:
            cell["data"]["threats"] = [threat_of(threat, kind) for threat in of_cell]
    return [cell for _, cell in cells]


def _version(metadata: Metadata) -> str:
    version = metadata.get("threat_dragon_version", "")
    return version if version.startswith("2.") and len(version) <= 10 else VERSION


def _top(metadata: Metadata) -> int:
    return whole(metadata.get("threat_dragon_threat_top"), 0)


def _number(threat: Threat) -> int:
    return whole(threat.metadata.get("threat_dragon_number"), 0)
