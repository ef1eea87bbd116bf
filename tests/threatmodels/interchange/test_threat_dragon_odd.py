"""Threat Dragon files that are not as they should be: read as far as they make sense, and reported."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from threatmodels.interchange.report import Finding, Reading

A, B, F, T = (str(uuid.UUID(int=number)) for number in (0xA, 0xB, 0xF, 0x7))

Json = dict[str, Any]
Build = Callable[..., Json]
Import = Callable[[object], Reading]
ImportThreat = Callable[..., Reading]


@pytest.fixture
def import_threat(import_json: Import, model: Build, node: Build, threat: Build) -> ImportThreat:
    """Reads a model with one threat that has the given fields."""
    return lambda **fields: import_json(model(node(A, threats=[threat(**fields)])))


def cells(reading: Reading) -> list[Json]:
    return [cell for diagram in reading.document.diagrams for cell in diagram.cells]


def said(findings: list[Finding], words: str) -> bool:
    return any(words in finding.message for finding in findings)


def test_both_ends_of_a_flow_may_be_free(import_json: Import, model: Build, flow: Build) -> None:
    reading = import_json(model(flow(F, {"x": 1, "y": 2}, {"x": 30.5, "y": -4})))
    [cell] = cells(reading)
    assert (cell["source"], cell["target"]) == ({"x": 1, "y": 2}, {"x": 30.5, "y": -4})
    assert reading.report.warnings == []


def test_flow_to_a_missing_cell_ends_where_it_last_was(
    import_json: Import, model: Build, node: Build, flow: Build
) -> None:
    way = [{"x": 200, "y": 50}, {"x": 300, "y": 60}]
    reading = import_json(model(node(A), flow(F, {"cell": A}, {"cell": B}, vertices=way)))
    cell = cells(reading)[1]
    assert cell["target"] == {"x": 300, "y": 60}
    assert cell["vertices"] == [{"x": 200, "y": 50}]
    assert said(reading.report.changed, "target is missing")


def test_straight_flow_to_a_missing_cell_ends_beside_its_other_end(
    import_json: Import, model: Build, node: Build, flow: Build
) -> None:
    reading = import_json(
        model(node(A), flow(F, {"cell": A}, {"cell": B}), flow(T, {"cell": B}, {"cell": A}))
    )
    _, away, towards = cells(reading)
    assert away["target"] == {"x": 230, "y": 50}
    assert towards["source"] == {"x": -110, "y": 50}


def test_flow_without_any_end_is_left_out(import_json: Import, model: Build, flow: Build) -> None:
    reading = import_json(model(flow(F, {"cell": A}, {"cell": B})))
    assert cells(reading) == []
    assert said(reading.report.left_out, "Neither of its ends")


def test_flow_that_hangs_on_a_flow_gets_a_free_end(
    import_json: Import, model: Build, node: Build, flow: Build
) -> None:
    first = flow(F, {"cell": A}, {"x": 300, "y": 300})
    reading = import_json(model(node(A), first, flow(T, {"cell": A}, {"cell": F})))
    assert "cell" not in cells(reading)[2]["target"]
    assert said(reading.report.changed, "cannot hold a flow")


@pytest.mark.parametrize("shape", ["trust-broundary-curve", "trust-boundary-curve", "TRUST-BOUNDARY-CURVE"])
def test_curve_is_read_under_its_historic_spelling(import_json: Import, model: Build, shape: str) -> None:
    curve = {"id": A, "shape": shape, "source": {"x": 0, "y": 0}, "target": {"x": 100, "y": 200}}
    [cell] = cells(import_json(model(curve)))
    assert cell["type"] == "trust_boundary"
    assert cell["properties"]["line"] == [{"x": 0, "y": 0}, {"x": 1, "y": 1}]


def test_straight_curve_gets_the_smallest_box_around_it(import_json: Import, model: Build) -> None:
    curve = {
        "id": A,
        "shape": "trust-boundary-curve",
        "source": {"x": 100, "y": 0},
        "target": {"x": 100, "y": 300},
    }
    [cell] = cells(import_json(model(curve)))
    assert cell["position"] == {"x": 80, "y": 0}
    assert cell["size"] == {"width": 40, "height": 300}
    assert cell["properties"]["line"] == [{"x": 0.5, "y": 0}, {"x": 0.5, "y": 1}]


def test_curve_on_an_element_ends_in_its_middle(import_json: Import, model: Build, node: Build) -> None:
    curve = {"id": B, "shape": "trust-boundary-curve", "source": {"cell": A}, "target": {"x": 400, "y": 400}}
    boundary = cells(import_json(model(node(A), curve)))[1]
    assert boundary["position"] == {"x": 60, "y": 50}


def test_curve_with_one_end_is_left_out(import_json: Import, model: Build) -> None:
    reading = import_json(model({"id": A, "shape": "trust-boundary-curve", "source": {"x": 1, "y": 1}}))
    assert cells(reading) == []
    assert said(reading.report.left_out, "neither a box nor two ends")


def test_ids_that_are_no_uuids_are_replaced_and_references_follow(
    import_json: Import, model: Build, node: Build, flow: Build, threat: Build
) -> None:
    value = model(
        node("web", threats=[threat()]),
        {**node("db", shape="store"), "parent": "web"},
        flow("f", {"cell": "web"}, {"cell": "db"}),
    )
    reading = import_json(value)
    web, db, order = cells(reading)
    assert (order["source"], order["target"]) == ({"cell": web["id"]}, {"cell": db["id"]})
    assert db["parent"] == web["id"]
    assert reading.document.threats[0].cell_id == web["id"]
    assert said(reading.report.changed, "is not a UUID")
    assert [cell["id"] for cell in cells(import_json(value))] == [web["id"], db["id"], order["id"]]


def test_second_cell_with_an_id_gets_another_one(
    import_json: Import, model: Build, node: Build, flow: Build
) -> None:
    reading = import_json(model(node(A, "first"), node(A, "second"), flow(F, {"cell": A}, {"x": 1, "y": 1})))
    first, second, order = cells(reading)
    assert first["id"] == A
    assert uuid.UUID(second["id"]) != uuid.UUID(A)
    assert order["source"] == {"cell": A}
    assert said(reading.report.changed, "stands twice")


def test_id_in_two_diagrams_names_two_cells(
    import_json: Import, model: Build, node: Build, flow: Build
) -> None:
    value = model(node(A), flow(F, {"cell": A}, {"x": 1, "y": 1}))
    value["detail"]["diagrams"] *= 2
    reading = import_json(value)
    assert len({cell["id"] for cell in cells(reading)}) == 4
    copied_node, copied_flow = reading.document.diagrams[1].cells
    assert copied_flow["source"] == {"cell": copied_node["id"]}


def test_cell_without_an_id_gets_one(import_json: Import, model: Build, node: Build) -> None:
    reading = import_json(model(node(None)))
    assert uuid.UUID(cells(reading)[0]["id"])
    assert reading.report.warnings == []


def test_small_element_grows_around_its_centre(import_json: Import, model: Build, node: Build) -> None:
    reading = import_json(model({**node(A), "size": {"width": 10, "height": 10}}))
    [cell] = cells(reading)
    assert cell["position"] == {"x": -5, "y": 10}
    assert cell["size"] == {"width": 40, "height": 30}
    assert said(reading.report.changed, "enlarged")


def test_element_without_a_place_stands_below_the_others(
    import_json: Import, model: Build, node: Build
) -> None:
    lost = {**node(B, "Lost"), "position": None}
    reading = import_json(model(node(A), lost, {**node(T, "Far"), "position": {"x": 1e12, "y": 0}}))
    here, *others = cells(reading)
    bottom = here["position"]["y"] + here["size"]["height"]
    assert all(other["position"]["y"] > bottom for other in others)
    assert others[0]["position"] != others[1]["position"]
    assert said(reading.report.changed, "below the others")


def test_elements_inside_each_other_lose_a_parent(import_json: Import, model: Build, node: Build) -> None:
    reading = import_json(model({**node(A), "parent": B}, {**node(B), "parent": A}))
    assert sum("parent" in cell for cell in cells(reading)) == 1
    assert said(reading.report.changed, "inside itself")


def test_parent_that_is_missing_or_text_is_dropped(import_json: Import, model: Build, node: Build) -> None:
    reading = import_json(
        model({**node(A), "parent": F}, {**node(B), "parent": T}, node(T, shape="td-text-block"))
    )
    assert not any("parent" in cell for cell in cells(reading))
    assert said(reading.report.changed, "What it is in")


@pytest.mark.parametrize(
    ("shape", "expected"),
    [("agent", "process"), ("agent-tool", "process"), ("hexagon", "process"), ("td-text-block", "text")],
)
def test_shape_that_is_not_ours_is_remembered(
    import_json: Import, model: Build, node: Build, shape: str, expected: str
) -> None:
    value = node(A, shape=shape)
    value["data"]["type"] = "tm.Something"
    [cell] = cells(import_json(model(value)))
    assert cell["type"] == expected
    remembered = cell["properties"].get("threat_dragon", {}).get("shape")
    assert remembered == (None if expected == "text" else shape)


def test_shape_that_nobody_can_place_is_left_out(import_json: Import, model: Build) -> None:
    reading = import_json(model({"id": A, "shape": "hexagon"}, 7, None))
    assert cells(reading) == []
    assert said(reading.report.left_out, "“hexagon” is not known")
    assert said(reading.report.left_out, "not an element")


def test_values_nobody_knows_survive_below_threat_dragon(
    import_json: Import, model: Build, node: Build
) -> None:
    value = {**node(A, retention={"days": 3, "by": None}, isEncrypted="maybe"), "angle2": 45}
    [cell] = cells(import_json(model(value)))
    assert cell["properties"]["threat_dragon"] == {
        "data": {"retention": {"days": 3}, "isEncrypted": "maybe"},
        "cell": {"angle2": 45},
    }


def test_values_too_long_for_a_cell_go_to_a_note(import_json: Import, model: Build, node: Build) -> None:
    reading = import_json(model(node(A, log="x" * 40_000)))
    assert "threat_dragon" not in cells(reading)[0]["properties"]
    [note] = reading.document.notes
    assert "x" * 40_000 in note.content
    assert said(reading.report.changed, "a note has them")


@pytest.mark.parametrize(
    ("given", "model_type", "expected"),
    [
        ("Falsificação", "STRIDE", "Spoofing"),
        ("Falsification", "STRIDE", "Tampering"),
        ("Αποποίηση (Repudiation)", "STRIDE", "Repudiation"),
        ("Denial of service / Denegación de servicio", "STRIDE", "Denial of service"),
        ("Elevation of privilege تسلق الامتياز", "STRIDE", "Elevation of privilege"),
        ("Divulgation d'information", "STRIDE", "Information disclosure"),
        ("Divulgation d'information", "LINDDUN", "Data disclosure"),
        ("Linkability", "LINDDUN", "Linking"),
        ("机密性", "CIA", "Confidentiality"),
        ("Efêmero", "DIE", "Ephemeral"),
        ("Ethics & Human Rights", "PLOT4ai", "Ethics and human rights"),
        ("Technique & Processes", "PLOT4ai", "Data and data governance"),
        ("Unawareness", "PLOT4ai", "Transparency and accessibility"),
        ("Security", "PLOT4ai", "Cybersecurity"),
        ("threats.model.stride.informationDisclosure", "STRIDE", "Information disclosure"),
        ("information disclosure", "STRIDE", "Information disclosure"),
    ],
)
def test_translated_type_becomes_english(
    import_threat: ImportThreat, given: str, model_type: str, expected: str
) -> None:
    reading = import_threat(type=given, modelType=model_type)
    [found] = reading.document.threats
    assert found.threat_type == expected
    assert found.metadata["threat_dragon_type"] == given
    assert said(reading.report.changed, f"“{expected}”")


@pytest.mark.parametrize("given", ["Insider risk", "Security of the tampering kind"])
def test_type_of_its_own_is_kept_as_given(import_threat: ImportThreat, given: str) -> None:
    [found] = import_threat(type=given).document.threats
    assert found.threat_type == given
    assert "threat_dragon_type" not in found.metadata


@pytest.mark.parametrize(
    ("given", "status", "mitigated"),
    [
        ("Mitigated", "Resolved", True),
        ("Abgeschwächt", "Resolved", True),
        ("Eliminated", "Resolved", True),
        ("NotApplicable", "Not applicable", False),
        ("N/A", "Not applicable", False),
        ("Accepted", "Accepted", False),
        ("", "Open", False),
        (None, "Open", False),
        ("Parked", "Parked", False),
    ],
)
def test_status_becomes_ours(
    import_threat: ImportThreat, given: str | None, status: str, mitigated: bool
) -> None:
    [found] = import_threat(status=given).document.threats
    assert (found.status, found.mitigated) == (status, mitigated)


@pytest.mark.parametrize(
    ("given", "severity"),
    [("TBD", "unknown"), ("Critical", "critical"), ("Hoch", "high"), ("", None), ("Sev-2", "Sev-2")],
)
def test_severity_becomes_ours(import_threat: ImportThreat, given: str, severity: str | None) -> None:
    [found] = import_threat(severity=given).document.threats
    assert found.severity == severity


@pytest.mark.parametrize(
    ("given", "score"), [("7.5", "7.5"), (10, "10.0"), ("0", "0.0"), (3.5, "3.5"), (" 4.50 ", "4.5")]
)
def test_score_is_read_as_text_or_number(import_threat: ImportThreat, given: object, score: str) -> None:
    [found] = import_threat(score=given).document.threats
    assert found.score == Decimal(score)
    assert "threat_dragon_score" not in found.metadata


@pytest.mark.parametrize("given", ["7.55", "11", "-1", "high", "٣", "AV:N/AC:L", 1e300, True])
def test_score_that_is_none_is_kept_as_metadata(import_threat: ImportThreat, given: object) -> None:
    reading = import_threat(score=given)
    [found] = reading.document.threats
    assert found.score is None
    assert found.metadata["threat_dragon_score"].strip('"').lower() == str(given).lower()
    assert said(reading.report.changed, "score")


def test_long_texts_are_cut_and_kept_whole_in_notes(import_threat: ImportThreat) -> None:
    title, story = "T" * 300, "word " * 1000
    reading = import_threat(title=title, description=story)
    [found] = reading.document.threats
    assert len(found.name) == 200
    assert len(found.description) == 2000
    assert {note.content for note in reading.document.notes} == {title, story}
    assert all(note.name.startswith("Full text of the ") for note in reading.document.notes)
    assert sum("was cut to" in finding.message for finding in reading.report.changed) == 2


def test_control_characters_are_removed_and_reported(import_threat: ImportThreat) -> None:
    reading = import_threat(title="a\x07b\u202ec", description="x\r\ny\tz\x00\ud800")
    [found] = reading.document.threats
    assert (found.name, found.description) == ("abc", "x\ny\tz")
    assert sum("Control characters" in finding.message for finding in reading.report.changed) == 2


def test_line_ends_of_windows_become_those_of_the_web_in_silence(import_threat: ImportThreat) -> None:
    reading = import_threat(mitigation="x\r\ny")
    assert reading.document.threats[0].mitigation == "x\ny"
    assert reading.report.warnings == []


def test_threat_without_a_title_is_called_after_its_type(
    import_json: Import, model: Build, node: Build, threat: Build
) -> None:
    reading = import_json(model(node(A, threats=[threat(title="  "), 5])))
    assert [found.name for found in reading.document.threats] == ["Tampering threat"]
    assert said(reading.report.left_out, "not a threat")


def test_model_without_a_title_is_called_after_its_file(import_json: Import, model: Build) -> None:
    value = model()
    del value["summary"]["title"]
    reading = import_json(value)
    assert reading.document.name == "model"
    assert said(reading.report.changed, "has no name")


@pytest.mark.parametrize(
    ("kind", "framework", "reported"),
    [
        ("LINDDUN", "LINDDUN", False),
        ("PLOT4ai", "PLOT4ai", False),
        ("PLOT4AI", "PLOT4ai", False),
        ("CIADIE", "DIE", False),
        ("Generic", "STRIDE", True),
        ("EOP", "STRIDE", True),
        (None, "STRIDE", True),
        (7, "STRIDE", True),
    ],
)
def test_framework_is_that_of_the_diagrams(
    import_json: Import, model: Build, kind: object, framework: str, reported: bool
) -> None:
    reading = import_json(model(diagramType=kind))
    assert reading.document.framework == framework
    assert said(reading.report.changed, "STRIDE model") is reported


def test_nulls_everywhere_are_dropped(import_json: Import, model: Build, node: Build) -> None:
    value = node(A, protocol=None, outOfScope=None, extra=[None, {"a": None}], threats=None)
    [cell] = cells(import_json(model({**value, "ports": None, "attrs": None})))
    assert cell["properties"] == {"label": "Web", "threat_dragon": {"data": {"extra": [{}]}}}


def test_diagrams_and_cells_of_the_wrong_type_are_left_out(import_json: Import, model: Build) -> None:
    value = model()
    value["detail"]["diagrams"] = ["x", {"title": "Here", "diagramType": "STRIDE", "cells": {"a": 1}}]
    reading = import_json(value)
    assert [diagram.name for diagram in reading.document.diagrams] == ["Here"]
    assert said(reading.report.left_out, "not a diagram")
    assert said(reading.report.left_out, "cells are not a list")


def test_findings_name_the_element_as_a_person_would(import_json: Import, model: Build, node: Build) -> None:
    reading = import_json(model({**node(A, "Shop\nfront"), "size": {"width": 1, "height": 1}}))
    [finding] = reading.report.changed
    assert finding.element == "diagram “Main”, process “Shop front”"
    assert reading.report.warnings == [f"{finding.element}: {finding.message}"]


def test_thousands_of_findings_are_counted_and_not_listed(
    import_json: Import, model: Build, node: Build
) -> None:
    reading = import_json(model(*[node("same") for _ in range(1500)]))
    assert len(reading.report.changed) == 1000
    assert reading.report.warnings[-1] == "500 more findings are not listed."
