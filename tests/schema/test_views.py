"""The two SQL views tell the truth about what is live."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.schema.rows import Rows
from threatmodels.choices import CLOSED_STATUSES, SEVERITIES, THREAT_STATUSES
from threatmodels.models import Threat, ThreatModel, ThreatModelSummary, ThreatReportRow

DELETED = "2030-01-01"
COUNTS = {
    "diagrams": "diagram_count",
    "threats": "threat_count",
    "assets": "asset_count",
    "documents": "document_count",
    "notes": "note_count",
    "repositories": "repository_count",
}


@pytest.fixture
def model(rows: Rows) -> UUID:
    rows.add("threats")  # of another model: never counted
    return rows.add("threat_models", name="Web shop")


def summary(model: UUID) -> ThreatModelSummary:
    return ThreatModelSummary.objects.get(pk=model)


# -- threat_model_summary


def test_an_empty_model_has_counts_of_zero_and_no_severity(model: UUID) -> None:
    found = summary(model)
    assert {getattr(found, name) for name in [*COUNTS.values(), "open_threat_count"]} == {0}
    assert found.highest_severity is None


@pytest.mark.parametrize(("table", "count"), COUNTS.items())
def test_what_is_live_is_counted_and_what_is_deleted_is_not(
    table: str, count: str, rows: Rows, model: UUID
) -> None:
    for deleted in (None, None, DELETED):
        rows.add(table, threat_model_id=model, deleted_at=deleted)
    found = summary(model)
    assert getattr(found, count) == 2
    assert {getattr(found, name) for name in COUNTS.values() if name != count} == {0}


@pytest.mark.parametrize("mitigated", [False, True])
@pytest.mark.parametrize("status", [None, "", "in our own words", *dict(THREAT_STATUSES)])
def test_the_view_and_the_queryset_agree_on_what_is_open(
    status: str | None, mitigated: bool, rows: Rows, model: UUID
) -> None:
    for text in (status, status and status.upper()):
        rows.add("threats", threat_model_id=model, status=text, mitigated=mitigated)
    is_open = not mitigated and (status or "").lower() not in CLOSED_STATUSES
    assert summary(model).open_threat_count == (2 if is_open else 0)
    assert Threat.objects.live().open().filter(threat_model=model).count() == (2 if is_open else 0)


def test_a_deleted_threat_is_not_open(rows: Rows, model: UUID) -> None:
    rows.add("threats", threat_model_id=model, severity="critical", deleted_at=DELETED)
    assert (summary(model).open_threat_count, summary(model).highest_severity) == (0, None)


@pytest.mark.parametrize(("higher", "lower"), list(pairwise(dict(SEVERITIES))))
def test_the_highest_severity_is_that_of_the_worst_open_threat(
    higher: str, lower: str, rows: Rows, model: UUID
) -> None:
    rows.add("threats", threat_model_id=model, severity=lower)
    worst = rows.add("threats", threat_model_id=model, severity=higher.upper())
    assert summary(model).highest_severity == higher
    rows.set("threats", worst, status="Resolved")
    assert summary(model).highest_severity == lower
    rows.set("threats", worst, status="Active", deleted_at=DELETED)
    assert summary(model).highest_severity == lower


@pytest.mark.parametrize("severity", [None, "", "gigantic"])
def test_a_severity_outside_the_vocabulary_counts_as_unknown(
    severity: str | None, rows: Rows, model: UUID
) -> None:
    rows.add("threats", threat_model_id=model, severity=severity)
    assert summary(model).highest_severity == "unknown"
    rows.add("threats", threat_model_id=model, severity="informational")
    assert summary(model).highest_severity == "informational"


def test_the_last_change_is_that_of_the_model(rows: Rows, model: UUID) -> None:
    rows.set("threat_models", model, modified_at="2031-05-06 07:08Z")
    assert summary(model).last_change.isoformat() == "2031-05-06T07:08:00+00:00"


def test_the_list_reads_the_summary_with_the_models_in_one_query(
    rows: Rows, model: UUID, django_assert_num_queries: Any
) -> None:
    rows.add("notes", threat_model_id=model)
    with django_assert_num_queries(1):
        found = ThreatModel.objects.with_summary().get(pk=model)
        assert found.summary.note_count == 1


# -- threat_report

CELL, FLOW = uuid4(), uuid4()


def step(operation: str, cell: UUID = CELL, **data: Any) -> dict[str, Any]:
    return {"id": str(cell), "operation": operation, **({"data": data} if operation != "remove" else {})}


def labelled(label: str, cell: UUID = CELL) -> dict[str, Any]:
    return {"id": str(cell), "type": "process", "properties": {"label": label}}


class Drawn:
    """A threat on a cell of a diagram, with an asset."""

    def __init__(self, rows: Rows, model: UUID, cells: Any) -> None:
        self.rows = rows
        self.diagram = rows.add(
            "diagrams", threat_model_id=model, name="Checkout", cells=cells, cells_vector=3, update_vector=3
        )
        self.asset = rows.add("assets", threat_model_id=model, name="Card numbers")
        self.threat = rows.add(
            "threats", threat_model_id=model, diagram_id=self.diagram, cell_id=CELL, asset_id=self.asset
        )

    def log(self, number: int, *steps: dict[str, Any]) -> None:
        operation = {"type": "patch", "cells": list(steps)}
        self.rows.add(
            "diagram_operations", diagram_id=self.diagram, sequence_number=number, operation=operation
        )

    @property
    def report(self) -> ThreatReportRow:
        return ThreatReportRow.objects.get(pk=self.threat)

    @property
    def label(self) -> str | None:
        return self.report.cell_label


@pytest.fixture
def drawn(rows: Rows, model: UUID) -> Drawn:
    return Drawn(rows, model, [labelled("Other", FLOW), labelled("Pay")])


def test_the_report_names_model_diagram_element_and_asset(drawn: Drawn, model: UUID) -> None:
    row = drawn.report
    assert row.threat_model_id == model
    assert (row.threat_model_name, row.diagram_name) == ("Web shop", "Checkout")
    assert (row.cell_label, row.asset_name) == ("Pay", "Card numbers")


def test_the_report_has_the_threat_itself(rows: Rows, model: UUID) -> None:
    threat = rows.add("threats", threat_model_id=model, name="Theft", score="7.5", cwe_ids="{CWE-79}")
    columns = "name || ' ' || score || ' ' || status || ' ' || cwe_ids[1]"
    rows.cursor.execute(f"SELECT {columns} FROM threat_report WHERE threat_id = %s", [threat])
    assert rows.cursor.fetchone() == ("Theft 7.5 Active CWE-79",)


def test_a_threat_without_diagram_and_asset_is_in_the_report(rows: Rows, model: UUID) -> None:
    row = ThreatReportRow.objects.get(pk=rows.add("threats", threat_model_id=model))
    assert (row.diagram_name, row.cell_label, row.asset_name) == (None, None, None)


def test_a_deleted_diagram_shows_as_nothing_and_comes_back(drawn: Drawn, rows: Rows) -> None:
    rows.set("diagrams", drawn.diagram, deleted_at=DELETED)
    row = drawn.report
    assert (row.diagram_name, row.cell_label, row.asset_name) == (None, None, "Card numbers")
    rows.set("diagrams", drawn.diagram, deleted_at=None)
    assert drawn.report.diagram_name == "Checkout"


def test_a_deleted_asset_shows_as_nothing(drawn: Drawn, rows: Rows) -> None:
    rows.set("assets", drawn.asset, deleted_at=DELETED)
    assert (drawn.report.asset_name, drawn.report.diagram_name) == (None, "Checkout")


def test_deleted_threats_and_threats_of_deleted_models_are_not_in_the_report(
    drawn: Drawn, rows: Rows, model: UUID
) -> None:
    deleted = rows.add("threats", threat_model_id=model, deleted_at=DELETED)
    mine = ThreatReportRow.objects.filter(threat_model_id=model)
    assert [row.pk for row in mine] == [drawn.threat]
    assert not mine.filter(pk=deleted).exists()
    rows.set("threat_models", model, deleted_at=DELETED)
    assert not mine.all().exists()


def test_a_label_changed_after_the_checkpoint_is_the_new_one(drawn: Drawn) -> None:
    drawn.log(3, step("update", properties={"label": "before the checkpoint"}))
    assert drawn.label == "Pay"
    drawn.log(4, step("update", properties={"label": "Pay by card"}))
    drawn.log(5, step("update", FLOW, properties={"label": "another cell"}))
    drawn.log(6, step("update", position={"x": 1, "y": 2}), step("update", properties={"colour": "red"}))
    assert drawn.label == "Pay by card"
    drawn.log(
        7, step("update", properties={"label": "first"}), step("update", properties={"label": "second"})
    )
    assert drawn.label == "second"


@pytest.mark.parametrize(
    "last",
    [step("remove"), step("update", properties={"label": None}), step("update", properties=None)],
    ids=["the cell", "the label", "all properties"],
)
def test_what_was_removed_after_the_checkpoint_has_no_label(last: dict[str, Any], drawn: Drawn) -> None:
    drawn.log(4, last)
    assert drawn.label is None


def test_a_cell_added_after_the_checkpoint_has_its_label(rows: Rows, model: UUID) -> None:
    drawn = Drawn(rows, model, [])
    assert drawn.label is None
    drawn.log(4, step("add", **labelled("New")))
    assert drawn.label == "New"


@pytest.mark.parametrize("cells", [{}, "text", {"id": "x"}, [1, None, {"id": 7}, {"id": str(CELL)}]])
def test_cells_that_make_no_sense_do_not_break_the_report(cells: Any, rows: Rows, model: UUID) -> None:
    as_json = f'"{cells}"' if isinstance(cells, str) else cells
    drawn = Drawn(rows, model, as_json)
    assert (drawn.report.diagram_name, drawn.label) == ("Checkout", None)
    rows.delete("diagrams", drawn.diagram)
    assert drawn.report.diagram_name is None
