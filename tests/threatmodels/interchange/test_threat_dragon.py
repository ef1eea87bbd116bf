"""Threat Dragon files that people published, and what each field becomes."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from threatmodels.cells import validate_cells
from threatmodels.interchange.document import Document
from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.registry import read

SAMPLES = Path(__file__).parents[4] / "shared" / "samples"
MODELS = [
    "threat-dragon-v1/demo-threat-model.json",
    "threat-dragon-v1/enter-the-dragon-1.json",
    "threat-dragon-v1/enter-the-dragon-2.json",
    "threat-dragon-v1/new-model.json",
    "threat-dragon-v2/demo-v2-threat-model.json",
    "threat-dragon-v2/generic-cms.json",
    "threat-dragon-v2/test-template.json",
    "threat-dragon-v2/three-tier-web-app.json",
    "threat-dragon-v2/v2-model.json",
]
SCHEMAS = [
    "threat-dragon-v1/threat-dragon-v1.schema.json",
    "threat-dragon-v2/threat-dragon-v2.schema.json",
]
PLURAL_OF_SHAPE = {
    "tm.Process": "processes",
    "process": "processes",
    "tm.Store": "datastores",
    "store": "datastores",
    "tm.Actor": "external_entities",
    "actor": "external_entities",
    "tm.Boundary": "trust_boundaries",
    "trust-boundary-box": "trust_boundaries",
    "trust-boundary-curve": "trust_boundaries",
    "tm.Flow": "data_flows",
    "flow": "data_flows",
    "td-text-block": "texts",
}

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"the sample files are not at {SAMPLES}")


def raw(name: str) -> Any:
    value = json.loads((SAMPLES / name).read_text(encoding="utf-8"))
    return value.get("model", value)


def raw_cells(name: str) -> list[dict[str, Any]]:
    diagrams = raw(name)["detail"]["diagrams"]
    lists = [d["cells"] if "cells" in d else d.get("diagramJson", {}).get("cells", []) for d in diagrams]
    return [cell for cells in lists for cell in cells]


def document(name: str) -> Document:
    return read((SAMPLES / name).read_bytes(), filename=Path(name).name).document


def cell_called(name: str, label: str) -> dict[str, Any]:
    cells = [cell for diagram in document(name).diagrams for cell in diagram.cells]
    return next(cell for cell in cells if cell["properties"]["label"] == label)


@pytest.mark.parametrize("name", MODELS)
def test_every_element_of_every_sample_is_read(name: str) -> None:
    report = read((SAMPLES / name).read_bytes()).report
    cells = raw_cells(name)
    expected = Counter(PLURAL_OF_SHAPE[cell.get("shape") or cell["type"]] for cell in cells)
    read_cells = {plural: report.counts[plural] for plural in set(PLURAL_OF_SHAPE.values())}
    assert read_cells == {plural: expected[plural] for plural in read_cells}
    threats = [len(cell.get("data", cell).get("threats", [])) for cell in cells]
    assert report.counts["threats"] == sum(threats)
    assert report.counts["diagrams"] == len(raw(name)["detail"]["diagrams"])
    assert report.left_out == []


@pytest.mark.parametrize("name", MODELS)
def test_every_sample_gives_cells_that_a_diagram_takes(name: str) -> None:
    for diagram in document(name).diagrams:
        assert validate_cells(diagram.cells) == []


@pytest.mark.parametrize("name", MODELS)
def test_ids_boxes_and_ends_stay_where_they_were(name: str) -> None:
    cells = {cell["id"]: cell for diagram in document(name).diagrams for cell in diagram.cells}
    for given in raw_cells(name):
        cell = cells[given["id"]]
        if "position" in given:
            assert (cell["position"], cell["size"]) == (given["position"], given["size"])
        if cell["type"] == "data_flow":
            ends = [given[end].get("cell") or given[end].get("id") for end in ("source", "target")]
            assert [cell[end].get("cell") for end in ("source", "target")] == ends
            assert cell.get("vertices", []) == given.get("vertices", [])


@pytest.mark.parametrize("name", MODELS)
def test_every_threat_keeps_its_words_and_its_element(name: str) -> None:
    given = [
        (threat["title"], threat["description"], threat["mitigation"], threat["type"], cell["id"])
        for cell in raw_cells(name)
        for threat in cell.get("data", cell).get("threats", [])
    ]
    read_threats = document(name).threats
    assert [(t.name, t.description, t.mitigation, t.threat_type, t.cell_id) for t in read_threats] == given


@pytest.mark.parametrize("name", MODELS)
def test_reading_a_sample_twice_gives_the_same_document(name: str) -> None:
    assert document(name) == document(name)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_refused_as_no_model(name: str) -> None:
    with pytest.raises(UnreadableFile, match="JSON Schema"):
        read((SAMPLES / name).read_bytes())


def test_a_template_gives_the_model_inside_it() -> None:
    template = document("threat-dragon-v2/test-template.json")
    assert template.name == "New threat model"
    assert template.metadata["threat_dragon_template_name"] == "New threat model"
    assert template.framework is None


def test_people_of_a_model_are_kept_as_metadata() -> None:
    demo = document("threat-dragon-v2/demo-v2-threat-model.json")
    assert (demo.name, demo.owner_label) == ("Demo Threat Model", "Mike Goodwin")
    assert demo.metadata["owner"] == "Mike Goodwin"
    assert demo.metadata["reviewer"] == "Jane Smith"
    assert demo.metadata["contributors"] == "Tom Brown\nAlbert Moneypenny"


def test_flags_of_an_element_become_properties_in_snake_case() -> None:
    flow = cell_called("threat-dragon-v2/demo-v2-threat-model.json", "Web Request")
    properties = flow["properties"]
    assert properties["is_encrypted"] is True
    assert properties["is_public_network"] is True
    assert properties["protocol"] == "HTTP/S"
    assert properties["connector"] == "smooth"
    assert "has_open_threats" not in properties


def test_version_1_flags_stand_beside_the_drawing() -> None:
    store = cell_called("threat-dragon-v1/demo-threat-model.json", "Database")
    assert store["properties"]["is_a_log"] is True
    assert store["z"] == 2
    process = cell_called("threat-dragon-v1/demo-threat-model.json", "Web\nApplication")
    assert process["properties"]["privilege_level"] == "executionContext =Limited"


def test_what_is_out_of_scope_keeps_its_reason() -> None:
    client = cell_called("threat-dragon-v1/enter-the-dragon-2.json", "Client")
    assert client["out_of_scope"] is True
    reason = "We can not predict what browser / client is being used"
    assert client["properties"]["out_of_scope_reason"] == reason


def test_flow_in_both_directions_is_bidirectional() -> None:
    flow = cell_called("threat-dragon-v2/generic-cms.json", "Unsecured mySQL\nconnection")
    assert flow["bidirectional"] is True


def test_port_becomes_the_side_it_is_on() -> None:
    flow = cell_called("threat-dragon-v2/generic-cms.json", "Unsecured mySQL\nconnection")
    given = {cell["id"]: cell for cell in raw_cells("threat-dragon-v2/generic-cms.json")}
    port = given[flow["id"]]["source"]["port"]
    sides = {p["id"]: p["group"] for p in given[flow["source"]["cell"]]["ports"]["items"]}
    assert flow["source"]["port"] == sides[port]


def test_free_end_of_a_flow_stays_a_point() -> None:
    flow = cell_called("threat-dragon-v2/demo-v2-threat-model.json", "Web Request")
    assert flow["source"] == {"x": 180, "y": 70}


def test_curve_gets_the_box_around_its_points_and_its_line_in_fractions() -> None:
    [curve] = [
        cell
        for cell in document("threat-dragon-v2/v2-model.json").diagrams[0].cells
        if cell["type"] == "trust_boundary"
    ]
    assert curve["position"] == {"x": 160, "y": 110}
    assert curve["size"] == {"width": 330, "height": 180}
    line = curve["properties"]["line"]
    assert line[0] == {"x": 0.0, "y": 1.0}
    assert line[-1] == {"x": 1.0, "y": 0.0}
    assert (160 + 330 * line[1]["x"], 110 + 180 * line[1]["y"]) == pytest.approx((260, 150))


def test_label_is_found_where_the_data_has_no_name() -> None:
    assert cell_called("threat-dragon-v2/three-tier-web-app.json", "Internet")["type"] == "trust_boundary"


def test_score_severity_and_status_become_ours() -> None:
    threats = document("threat-dragon-v2/three-tier-web-app.json").threats
    assert Decimal("7.5") in {threat.score for threat in threats}
    demo = document("threat-dragon-v2/demo-v2-threat-model.json").threats
    assert {threat.severity for threat in demo} == {"high", "medium", "low"}
    states = Counter((threat.status, threat.mitigated) for threat in demo)
    given = Counter(
        threat["status"]
        for cell in raw_cells("threat-dragon-v2/demo-v2-threat-model.json")
        for threat in cell["data"].get("threats", [])
    )
    assert states == {("Open", False): given["Open"], ("Resolved", True): given["Mitigated"]}


def test_id_number_and_model_type_of_a_threat_are_metadata() -> None:
    [threat] = document("threat-dragon-v2/v2-model.json").threats
    assert threat.metadata == {
        "threat_dragon_id": "ad9f72de-ff40-48ee-a4f8-aa74228c78d5",
        "threat_dragon_number": "1",
        "threat_dragon_model_type": "STRIDE",
    }


def test_diagrams_of_two_frameworks_make_a_stride_model_and_say_so() -> None:
    reading = read((SAMPLES / "threat-dragon-v1/enter-the-dragon-2.json").read_bytes())
    assert reading.document.framework == "STRIDE"
    assert any("LINDDUN" in finding.message for finding in reading.report.changed)


def test_diagram_keeps_its_description() -> None:
    [diagram] = document("threat-dragon-v2/v2-model.json").diagrams
    assert (diagram.name, diagram.description) == ("Main Request Data Flow", "STRIDE diagram")
