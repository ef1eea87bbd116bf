"""Small Threat Dragon models to start from, and one way to read them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from threatmodels.cells import validate_cells
from threatmodels.interchange.registry import read
from threatmodels.interchange.report import Reading

Json = dict[str, Any]


@pytest.fixture
def import_json() -> Callable[[object], Reading]:
    """Reads a JSON value as a file, and insists that every cell it makes is valid."""

    def read_value(value: object) -> Reading:
        reading = read(json.dumps(value).encode(), filename="model.json")
        for diagram in reading.document.diagrams:
            assert validate_cells(diagram.cells) == []
        return reading

    return read_value


@pytest.fixture
def model() -> Callable[..., Json]:
    """A version 2 model with one STRIDE diagram of the given cells."""

    def build(*cells: object, **diagram: object) -> Json:
        return {
            "version": "2.6.0",
            "summary": {"title": "Shop", "owner": "Ada", "description": "Sells things", "id": 3},
            "detail": {
                "contributors": [{"name": "Bo"}, {"name": "Cy"}],
                "reviewer": "Di",
                "diagrams": [
                    {"id": 0, "title": "Main", "diagramType": "STRIDE", "cells": list(cells), **diagram}
                ],
            },
        }

    return build


@pytest.fixture
def node() -> Callable[..., Json]:
    """A version 2 process (or another shape) of 100 by 60 at 10, 20."""

    def build(cell_id: object, name: str = "Web", shape: str = "process", **data: object) -> Json:
        return {
            "id": cell_id,
            "shape": shape,
            "position": {"x": 10, "y": 20},
            "size": {"width": 100, "height": 60},
            "zIndex": 2,
            "data": {"type": "tm.Process", "name": name, **data},
        }

    return build


@pytest.fixture
def flow() -> Callable[..., Json]:
    def build(cell_id: object, source: object, target: object, **cell: object) -> Json:
        data = {"type": "tm.Flow", "name": "Order", "isBidirectional": False}
        return {"id": cell_id, "shape": "flow", "source": source, "target": target, "data": data, **cell}

    return build


@pytest.fixture
def threat() -> Callable[..., Json]:
    def build(**fields: object) -> Json:
        return {
            "title": "Forged order",
            "status": "Open",
            "severity": "High",
            "type": "Tampering",
            "description": "Somebody forges an order.",
            "mitigation": "Sign orders.",
            "modelType": "STRIDE",
            **fields,
        }

    return build
