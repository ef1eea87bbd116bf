"""What triggers keep: the group of everyone, what is append-only, and metadata that dies with its entity."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from tests.schema.refused import TRIGGER, refused
from tests.schema.rows import Rows

EVERYONE = UUID(int=0)
KINDS = {
    "threat_model": "threat_models",
    "threat": "threats",
    "diagram": "diagrams",
    "document": "documents",
    "repository": "repositories",
    "note": "notes",
    "asset": "assets",
}
CELL = uuid4()


# -- the group of everyone


def test_the_group_of_everyone_is_there(rows: Rows) -> None:
    assert rows.get("groups", EVERYONE, "(provider, group_name)::text") == "(*,everyone)"


def test_the_group_of_everyone_cannot_be_deleted(rows: Rows) -> None:
    with refused(TRIGGER):
        rows.delete("groups", EVERYONE)
    assert rows.has("groups", EVERYONE)


@pytest.mark.parametrize(
    ("column", "value"),
    [("group_name", "nobody"), ("provider", "corp"), ("name", "Nobody"), ("internal_uuid", uuid4())],
)
def test_the_group_of_everyone_cannot_be_renamed(column: str, value: str | UUID, rows: Rows) -> None:
    with refused(TRIGGER):
        rows.set("groups", EVERYONE, **{column: value})


def test_uses_of_the_group_of_everyone_are_counted(rows: Rows) -> None:
    rows.set("groups", EVERYONE, usage_count=8)
    assert rows.get("groups", EVERYONE, "usage_count") == 8


def test_other_groups_can_be_renamed_and_deleted(rows: Rows) -> None:
    group = rows.add("groups")
    rows.set("groups", group, group_name="developers", name="Developers")
    rows.delete("groups", group)
    assert not rows.has("groups", group)


# -- append-only


@pytest.mark.parametrize("column", ["action", "actor_label", "changes", "created_at", "actor_internal_uuid"])
def test_an_audit_entry_cannot_be_changed(column: str, rows: Rows) -> None:
    entry = rows.add("audit_entries")
    other = {"changes": {"a": [1, 2]}, "created_at": "2020-01-01", "actor_internal_uuid": uuid4()}
    with refused(TRIGGER):
        rows.set("audit_entries", entry, **{column: other.get(column, "x")})


def test_an_audit_entry_cannot_be_deleted(rows: Rows) -> None:
    entry = rows.add("audit_entries")
    with refused(TRIGGER):
        rows.delete("audit_entries", entry)
    assert rows.has("audit_entries", entry)


def test_an_audit_entry_outlives_its_actor_and_its_entity(rows: Rows) -> None:
    person, model = rows.add("users"), rows.add("threat_models")
    entry = rows.add("audit_entries", actor_internal_uuid=person, threat_model_id=model, entity_id=model)
    rows.delete("threat_models", model)
    rows.delete("users", person)
    assert rows.get("audit_entries", entry, "actor_internal_uuid") == person


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("sequence_number", 7),
        ("operation_id", uuid4()),
        ("operation", {"type": "patch", "cells": [{}]}),
        ("inverse", {}),
        ("undo_of", uuid4()),
        ("redo_of", uuid4()),
        ("created_at", "2020-01-01"),
    ],
)
def test_an_operation_cannot_be_changed(column: str, value: int | UUID | str, rows: Rows) -> None:
    operation = rows.add("diagram_operations")
    with refused(TRIGGER):
        rows.set("diagram_operations", operation, **{column: value})


def test_an_operation_cannot_be_given_to_another_diagram_or_person(rows: Rows) -> None:
    signed = rows.add("diagram_operations", user_internal_uuid=rows.add("users"))
    unsigned = rows.add("diagram_operations")
    for operation in (signed, unsigned):
        with refused(TRIGGER):
            rows.set("diagram_operations", operation, user_internal_uuid=rows.add("users"))
    with refused(TRIGGER):
        rows.set("diagram_operations", signed, diagram_id=rows.add("diagrams"))


# -- metadata


@pytest.mark.parametrize("kind", KINDS)
def test_metadata_dies_with_its_entity_and_no_other(kind: str, rows: Rows) -> None:
    model = rows.add("threat_models")
    entity = rows.add("threat_models") if kind == "threat_model" else _part(rows, kind, model)
    entry = rows.add("metadata", threat_model_id=model, entity_type=kind, entity_id=entity)
    same_id = "asset" if kind != "asset" else "note"
    others = [
        rows.add("metadata", threat_model_id=model, entity_type=same_id, entity_id=entity),
        rows.add("metadata", threat_model_id=model, entity_type=kind, entity_id=uuid4()),
    ]
    rows.delete(KINDS[kind], entity)
    assert not rows.has("metadata", entry)
    assert all(rows.has("metadata", other) for other in others)


@pytest.mark.parametrize("place", ["checkpoint", "log"])
def test_metadata_of_a_cell_dies_with_the_diagram(place: str, rows: Rows) -> None:
    model = rows.add("threat_models")
    diagram = _diagram_with_cell(rows, model, place)
    entry = rows.add("metadata", threat_model_id=model, entity_type="cell", entity_id=CELL)
    elsewhere = rows.add("metadata", threat_model_id=model, entity_type="cell", entity_id=uuid4())
    rows.delete("diagrams", diagram)
    assert not rows.has("metadata", entry)
    assert rows.has("metadata", elsewhere)


def test_metadata_of_a_cell_stays_while_another_diagram_of_the_model_has_that_cell(rows: Rows) -> None:
    model = rows.add("threat_models")
    diagram, _ = _diagram_with_cell(rows, model), _diagram_with_cell(rows, model)
    entry = rows.add("metadata", threat_model_id=model, entity_type="cell", entity_id=CELL)
    rows.delete("diagrams", diagram)
    assert rows.has("metadata", entry)


def test_metadata_of_a_cell_of_the_same_id_in_another_model_stays(rows: Rows) -> None:
    mine, other = rows.add("threat_models"), rows.add("threat_models")
    diagram = _diagram_with_cell(rows, mine)
    entry = rows.add("metadata", threat_model_id=other, entity_type="cell", entity_id=CELL)
    rows.delete("diagrams", diagram)
    assert rows.has("metadata", entry)


def test_metadata_stays_while_its_entity_is_only_marked_as_deleted(rows: Rows) -> None:
    model = rows.add("threat_models")
    note = rows.add("notes", threat_model_id=model)
    entry = rows.add("metadata", threat_model_id=model, entity_type="note", entity_id=note)
    rows.set("notes", note, deleted_at="2030-01-01")
    assert rows.has("metadata", entry)


def _part(rows: Rows, kind: str, model: UUID) -> UUID:
    return rows.add(KINDS[kind], threat_model_id=model)


def _diagram_with_cell(rows: Rows, model: UUID, place: str = "checkpoint") -> UUID:
    if place == "checkpoint":
        return rows.add("diagrams", threat_model_id=model, cells=[{"id": str(CELL)}])
    diagram = rows.add("diagrams", threat_model_id=model)
    step = {"id": str(CELL), "operation": "add", "data": {"id": str(CELL)}}
    rows.add("diagram_operations", diagram_id=diagram, operation={"type": "patch", "cells": [step]})
    return diagram
