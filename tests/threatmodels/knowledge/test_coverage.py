"""The matrix of elements and categories."""

from __future__ import annotations

from tests.threatmodels.knowledge.test_engine import FLOW, A, B, shop
from threatmodels.knowledge.coverage import Told, applicable, coverage
from threatmodels.knowledge.packs import builtin_packs

STRIDE = [builtin_packs()["stride"]]


def matrix(threats=(), dismissed=None, cells=None):
    return coverage(cells if cells is not None else shop(), "STRIDE", STRIDE, threats, dismissed or {})


def states(found, cell_id):
    return {c: e.state for row in found.rows if row.cell_id == cell_id for c, e in row.entries.items()}


def test_each_type_has_the_categories_that_stride_gives_it():
    found = matrix()
    assert set(states(found, A)) == {"Spoofing", "Repudiation"}
    assert set(states(found, FLOW)) == {"Tampering", "Information disclosure", "Denial of service"}
    assert len(states(found, B)) == 6
    assert (found.total, found.done, found.percentage) == (11, 0, 0)


def test_threats_and_reasons_fill_the_matrix():
    threats = [Told(B, "tampering", True), Told(B, "Spoofing", False), Told(B, "Spoofing", False)]
    found = matrix(threats, {("repudiation", A): "Not a person"})
    assert states(found, B)["Tampering"] == "threat"
    assert states(found, B)["Spoofing"] == "considered"
    assert states(found, A)["Repudiation"] == "not_applicable"
    assert (found.done, found.percentage) == (3, 27)
    assert next(r for r in found.rows if r.cell_id == A).entries["Repudiation"].reason == "Not a person"


def test_an_open_threat_counts_more_than_a_closed_one_and_than_a_reason():
    threats = [Told(B, "Tampering", False), Told(B, "Tampering", True)]
    found = matrix(threats, {("tampering", B): "no"})
    assert states(found, B)["Tampering"] == "threat"


def test_a_threat_in_an_unusual_category_is_shown_all_the_same():
    assert states(matrix([Told(A, "Tampering", True)]), A)["Tampering"] == "threat"


def test_out_of_scope_is_not_counted_and_an_empty_diagram_is_complete():
    cells = shop()
    cells[2]["out_of_scope"] = True
    assert states(matrix(cells=cells), B) == {}
    assert matrix(cells=[]).percentage == 100


def test_without_a_pack_all_categories_count():
    assert len(applicable("CIA", [])["process"]) == 3
