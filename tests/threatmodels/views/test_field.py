"""Fields that save themselves: one field at a time, over what the person saw."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import AuditEntry
from tests.threatmodels.views.furniture import CELL, url
from threatmodels.actions.record import delete_record, update_record
from threatmodels.actions.threat_model import create_threat_model
from threatmodels.models import Repository


@pytest.fixture
def put(cast, browse, threat_model, parts):
    """`put(kind, field, value, was)` is the answer to the writer."""

    def send(kind, field, value, was="", by=cast.writer):
        rest = f"/{kind}/{parts[kind].pk}/field" if kind else "/field"
        return browse(by).post(url(threat_model, rest), {"field": field, "value": value, "was": was})

    return send


@pytest.mark.parametrize(
    ("kind", "field", "was"),
    [
        ("", "name", "Web shop"),
        ("", "description", "Sells things"),
        ("threats", "name", "Forged"),
        ("assets", "name", "Cards"),
        ("documents", "name", "Plan"),
        ("notes", "content", "We met."),
        ("repositories", "name", "shop"),
        ("diagrams", "name", "Overview"),
    ],
)
def test_a_field_is_saved_by_itself_and_the_history_tells_of_it_alone(
    put, threat_model, parts, kind, field, was
):
    answer = put(kind, field, "New words", was)
    assert (answer.status_code, answer.json()["values"][field]) == (200, "New words")
    row = parts[kind] if kind else threat_model
    row.refresh_from_db()
    assert getattr(row, field) == "New words"
    entry = AuditEntry.objects.filter(entity_id=row.pk).latest("created_at")
    assert entry.changes == {field: [was, "New words"]}


def test_what_somebody_else_has_changed_is_not_overwritten_and_both_texts_are_told(cast, put, parts):
    update_record(parts["threats"], actor=cast.owner, changes={"description": "Theirs"})
    answer = put("threats", "description", "Mine", was="")
    assert answer.status_code == 409
    assert answer.json() == {"reason": "Owner has changed this in the meantime.", "value": "Theirs"}
    parts["threats"].refresh_from_db()
    assert parts["threats"].description == "Theirs"
    assert put("threats", "description", "Mine", was="Theirs").status_code == 200


def test_two_people_change_different_fields_of_one_row_and_both_win(cast, put, parts):
    update_record(parts["threats"], actor=cast.owner, changes={"description": "Theirs"})
    assert put("threats", "mitigation", "Mine").status_code == 200
    parts["threats"].refresh_from_db()
    assert (parts["threats"].description, parts["threats"].mitigation) == ("Theirs", "Mine")


def test_the_same_change_twice_is_no_conflict(put):
    assert [put("threats", "mitigation", "TLS").status_code for _ in range(2)] == [200, 200]


def test_ends_of_lines_are_no_conflict(cast, put, parts):
    update_record(parts["notes"], actor=cast.owner, changes={"content": "One\nTwo"})
    assert put("notes", "content", "One\r\nTwo\r\nThree", was="One\r\nTwo").status_code == 200
    parts["notes"].refresh_from_db()
    assert parts["notes"].content == "One\nTwo\nThree"


@pytest.mark.parametrize(
    ("kind", "field", "value", "was", "said"),
    [
        ("", "name", "", "Web shop", "required"),
        ("", "issue_uri", "javascript:alert(1)", "", ""),
        ("threats", "score", "11", "", "10"),
        ("threats", "cvss_vector", "CVSS:3.1/nonsense", "", "CVSS"),
        ("threats", "cwe_ids", "seventy-nine", "", ""),
        ("threats", "element", "nothing/nothing", "", ""),
        ("threats", "owner", "x", "", "no such field"),
        ("threats", "", "x", "", "no such field"),
        ("documents", "uri", "javascript:alert(1)", "https://example.org/", ""),
        ("notes", "content", "", "We met.", "required"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason_and_nothing_is_stored(put, kind, field, value, was, said):
    before = AuditEntry.objects.count()
    if field == "element":
        was = f"{put('threats', 'name', 'Forged', 'Forged').json()['values']['element']}"
    answer = put(kind, field, value, was)
    assert answer.status_code == 400
    assert said in answer.json()["reason"]
    assert answer.json()["reason"]
    assert AuditEntry.objects.count() == before


def test_a_vector_brings_its_score(put, parts):
    vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    assert put("threats", "cvss_vector", vector).json()["values"]["score"] == "9.8"
    weaker = vector.replace("C:H", "C:N").replace("I:H", "I:N")
    assert put("threats", "cvss_vector", weaker, was=vector).json()["values"]["score"] == "7.5"
    parts["threats"].refresh_from_db()
    assert parts["threats"].score == Decimal("7.5")


def test_the_element_of_a_threat_is_a_diagram_and_a_cell(put, parts):
    place = f"{parts['diagrams'].pk}/{CELL['id']}"
    assert put("threats", "element", "", was=place).status_code == 200
    parts["threats"].refresh_from_db()
    assert (parts["threats"].diagram_id, parts["threats"].cell_id) == (None, None)
    assert put("threats", "element", place).status_code == 200
    parts["threats"].refresh_from_db()
    assert str(parts["threats"].cell_id) == CELL["id"]


def test_parameters_of_a_repository_that_no_field_shows_stay(cast, put, parts):
    update_record(parts["repositories"], actor=cast.owner, changes={"parameters": {"depth": 1}})
    assert put("repositories", "ref_value", "main").status_code == 200
    assert Repository.objects.get(pk=parts["repositories"].pk).parameters == {"depth": 1, "ref_value": "main"}


def test_a_box_is_ticked_and_lists_are_separated_by_commas(put, parts):
    assert put("threats", "mitigated", "true", was="false").json()["values"]["mitigated"] == "true"
    assert put("threats", "cwe_ids", "CWE-79, CWE-352").json()["values"]["cwe_ids"] == "CWE-79,CWE-352"
    parts["threats"].refresh_from_db()
    assert (parts["threats"].mitigated, parts["threats"].cwe_ids) == (True, ["CWE-79", "CWE-352"])


def test_only_writers_save_and_only_in_their_own_model(cast, browse, put, parts):
    statuses = [
        put("threats", "name", "Taken over", "Forged", by=person).status_code
        for person in (cast.reader, cast.outsider, None)
    ]
    assert statuses == [403, 404, 302]
    other = create_threat_model(actor=cast.writer, name="Other")
    there = url(other, f"/threats/{parts['threats'].pk}/field")
    given = {"field": "name", "value": "Taken over", "was": "Forged"}
    assert browse(cast.writer).post(there, given).status_code == 404
    parts["threats"].refresh_from_db()
    assert parts["threats"].name == "Forged"


@pytest.mark.parametrize("gone", ["assets", "diagrams"])
@pytest.mark.parametrize("place", ["element", "whole"])
def test_a_threat_whose_asset_or_diagram_was_deleted_is_edited_like_any_other(cast, put, parts, gone, place):
    if place == "whole":
        update_record(parts["threats"], actor=cast.owner, changes={"cell_id": None})
    before = put("threats", "name", "Forged", "Forged").json()["values"]
    delete_record(parts[gone], actor=cast.owner)
    answer = put("threats", "mitigation", "TLS")
    assert (answer.status_code, answer.json()["values"]["mitigation"]) == (200, "TLS")
    # What is gone is offered as long as it is said, and can be taken away.
    field = {"assets": "asset", "diagrams": "element"}[gone]
    assert answer.json()["values"][field] == before[field]
    assert put("threats", field, before[field], was=before[field]).status_code == 200
    cleared = put("threats", field, "", was=before[field])
    assert (cleared.status_code, cleared.json()["values"][field]) == (200, "")
    assert put("threats", field, before[field]).status_code == 400


def test_what_is_gone_is_named_in_the_form_of_a_threat(cast, browse, threat_model, parts):
    update_record(parts["threats"], actor=cast.owner, changes={"cell_id": None})
    delete_record(parts["diagrams"], actor=cast.owner)
    page = browse(cast.writer).get(url(threat_model, f"/threats/{parts['threats'].pk}"))
    assert b"a diagram that was removed" in page.content
