"""File, model, file, model: the two models are the same, for every format that goes both ways."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.threatmodels.interchange.samples import (
    COUNTS,
    SAMPLES,
    drawio_cells,
    files,
    json_of,
    name_of,
    sound_reading,
)
from threatmodels.interchange import threat_table, tmi
from threatmodels.interchange.document import Document
from threatmodels.interchange.registry import WRITERS

# The schema that what goes out must keep; metadata that says only which version wrote the file.
SCHEMAS = {"otm": "otm/otm_schema.json", "tm-bom": "tm-bom/threat-model.schema.json"}
# What a format can hold of a model; more is not compared.
DRAWN = ("name", "description", "diagrams", "cells")
HELD = {
    "drawio": DRAWN,
    "otm": (*DRAWN, "threats", "assets"),
    "tm-bom": (*DRAWN, "threats", "assets"),
    "tmi": (*DRAWN, "threats", "assets"),
}
VERSIONS = {"otm_version"}
TWO_WAY = ["otm", "drawio", "tm-bom"]
EVERY_WRITER = [*TWO_WAY, "tmi"]
SAME_KIND = [(path.parent.name, path) for path in files(*TWO_WAY)]
EVERY_KIND = [(kind, path) for kind in EVERY_WRITER for path in files(*COUNTS)]

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"the sample files are not at {SAMPLES}")


# A date is no time: the schema of TM-BOM wants exactly one of both to hold.
FORMATS = jsonschema.FormatChecker(formats=["date"])
FORMATS.checks("date-time")(lambda text: "T" in str(text))


def named(value: object) -> str:
    return name_of(value) if isinstance(value, Path) else str(value)


def comparable(document: Document) -> Document:
    kept = {key: value for key, value in document.metadata.items() if key not in VERSIONS}
    return replace(document, metadata=kept)


def written(document: Document, kind: str) -> bytes:
    """The file, which keeps its schema."""
    data = WRITERS[kind](document)
    if kind in SCHEMAS:
        schema = json_of(SAMPLES / SCHEMAS[kind])
        kind_of_schema = jsonschema.validators.validator_for(schema)
        kind_of_schema(schema, format_checker=FORMATS).validate(json.loads(data))
    return data


@pytest.mark.parametrize(("kind", "path"), SAME_KIND, ids=named)
def test_every_sample_comes_back_as_it_was(kind: str, path: Path) -> None:
    document = sound_reading(path.read_bytes(), path.name).document
    again = sound_reading(written(document, kind), path.name)
    assert comparable(again.document) == comparable(document)
    assert again.report.left_out == []


def test_the_layers_of_a_page_come_back() -> None:
    box = '<mxGeometry width="90" height="60" as="geometry"/>'
    layers = (
        '<mxCell id="base" value="Base" parent="0"/>'
        '<mxCell id="top" value="Notes" style="locked=1;" visible="0" parent="0"/>'
    )
    cells = (
        f'<mxCell id="a" vertex="1" parent="base">{box}</mxCell>'
        f'<mxCell id="b" vertex="1" parent="top">{box}</mxCell>'
        '<mxCell id="e" edge="1" parent="top" source="a" target="b"/>'
    )
    page = f'<mxGraphModel><root><mxCell id="0"/>{layers}{cells}</root></mxGraphModel>'
    document = sound_reading(page.encode()).document
    data = written(document, "drawio")
    assert [
        (cell["id"], cell.get("value"), cell.get("visible"), cell.get("style"))
        for cell in drawio_cells(data)
        if cell.get("parent") == "0"
    ] == [("base", "Base", None, None), ("top", "Notes", "0", "locked=1;")]
    on = {cell["id"]: cell["parent"] for cell in drawio_cells(data) if cell["id"] in {"a", "b", "e"}}
    assert on == {"a": "base", "b": "top", "e": "top"}
    assert sound_reading(data).document.diagrams == document.diagrams


def test_the_places_of_a_component_in_code_come_back() -> None:
    place = {
        "representation": "code", "id": "web-code", "name": "Web", "package": "shop",
        "file": "web.py", "line": 7, "codeSnippet": "def web():",
    }  # fmt: skip
    value = {
        "otmVersion": "0.2.0",
        "project": {"name": "x", "id": "x"},
        "representations": [
            {"name": "d", "id": "d", "type": "diagram", "size": {"width": 9, "height": 9}},
            {"name": "c", "id": "code", "type": "code", "repository": {"url": "https://example.org/x.git"}},
        ],
        "trustZones": [{"id": "z", "name": "z", "type": "z", "risk": {"trustRating": 1}}],
        "components": [
            {
                "id": "web",
                "name": "Web",
                "type": "web",
                "parent": {"trustZone": "z"},
                "representations": [place],
            }
        ],
    }
    document = sound_reading(json.dumps(value).encode()).document
    [component] = json.loads(written(document, "otm"))["components"]
    assert [one for one in component["representations"] if one["representation"] == "code"] == [place]
    assert [one["representation"] for one in component["representations"]] == ["code", "d"]


def points_of(cell: dict[str, Any]) -> list[tuple[float, float]]:
    points = [cell["position"]] if "position" in cell else cell.get("vertices", [])
    return [(float(point["x"]), float(point["y"])) for point in points]


def said(document: Document) -> dict[str, Any]:
    """What a model says, whatever its ids and the values that formats keep for themselves are."""
    return {
        "name": document.name,
        "description": document.description,
        "diagrams": [diagram.name for diagram in document.diagrams],
        "threats": sorted(
            (
                t.name,
                t.description,
                str(t.severity),
                str(t.threat_type),
                str(t.status),
                t.mitigated,
                t.mitigation,
            )
            for t in document.threats
        ),
        "assets": [(asset.name, asset.type, asset.description) for asset in document.assets],
        "cells": sorted(
            (cell["type"], cell["properties"]["label"], points_of(cell))
            for diagram in document.diagrams
            for cell in diagram.cells
        ),
    }


@pytest.mark.parametrize(("kind", "path"), EVERY_KIND, ids=named)
def test_a_model_of_any_other_tool_goes_through_a_format_and_back(kind: str, path: Path) -> None:
    document = sound_reading(path.read_bytes(), path.name).document
    again = sound_reading(written(document, kind), path.name)
    before, after = said(document), said(again.document)
    if kind == "drawio" and not before["diagrams"]:
        before["diagrams"] = ["Page-1"]  # a file without a page is none
    assert {name: after[name] for name in HELD[kind]} == {name: before[name] for name in HELD[kind]}


@pytest.mark.parametrize("path", files(*COUNTS), ids=name_of)
def test_our_own_json_holds_all_of_a_model_and_keeps_its_schema(path: Path) -> None:
    document = replace(sound_reading(path.read_bytes(), path.name).document, owner_label="")
    data = tmi.write(document)
    jsonschema.Draft202012Validator(tmi.schema()).validate(json.loads(data))
    again = sound_reading(data)
    assert again.document == document
    assert again.report.warnings == []
    assert tmi.write(again.document) == data


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("path", files(*COUNTS, "threat-dragon-v1", "threat-dragon-v2"), ids=name_of)
def test_a_table_of_threats_comes_back_with_every_column(kind: str, path: Path) -> None:
    document = sound_reading(path.read_bytes()).document
    data = WRITERS[kind](document)
    again = sound_reading(data).document
    columns = [name for name in threat_table.COLUMNS if name not in {"diagram", "element", "asset"}]

    def values(document: Document) -> list[list[Any]]:
        return [[getattr(threat, name) for name in columns] for threat in document.threats]

    assert values(again) == values(document)
    assert WRITERS["csv"](again) == WRITERS["csv"](document)
