"""Every foreign key: what it refuses, what becomes of its rows, and that an index serves it."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from django.apps import apps
from django.db import connection

from tests.schema.catalog import OUR_APPS, ForeignKey, read_foreign_keys, read_indexes
from tests.schema.refused import FOREIGN_KEY, RESTRICT, refused
from tests.schema.rows import Rows
from tmi.lib.ids import NO_ID
from tmi.lib.migrations import SQL_RULE, own_foreign_keys


class Reference(NamedTuple):
    table: str
    column: str
    target: str
    on_delete: str


PARTS = ("assets", "diagrams", "documents", "notes", "repositories", "threats")
REFERENCES = [
    Reference("refresh_tokens", "user_internal_uuid", "users", "CASCADE"),
    Reference("refresh_tokens", "session_id", "sign_in_sessions", "CASCADE"),
    Reference("sign_in_sessions", "user_internal_uuid", "users", "CASCADE"),
    Reference("sign_in_sessions", "credential_id", "client_credentials", "SET NULL"),
    Reference("sign_in_sessions", "client_id", "oauth_clients", "SET NULL"),
    Reference("authorization_codes", "client_id", "oauth_clients", "CASCADE"),
    Reference("authorization_codes", "session_id", "sign_in_sessions", "CASCADE"),
    Reference("authorization_codes", "made_id", "sign_in_sessions", "CASCADE"),
    Reference("authorization_codes", "user_internal_uuid", "users", "CASCADE"),
    Reference("sign_up_invitations", "invited_by_internal_uuid", "users", "SET NULL"),
    Reference("client_credentials", "owner_internal_uuid", "users", "CASCADE"),
    Reference("socket_tickets", "session_id", "sign_in_sessions", "CASCADE"),
    Reference("skipped_undos", "diagram_id", "diagrams", "CASCADE"),
    Reference("skipped_undos", "user_internal_uuid", "users", "CASCADE"),
    Reference("kept_answers", "user_internal_uuid", "users", "CASCADE"),
    Reference("group_members", "group_internal_uuid", "groups", "CASCADE"),
    Reference("group_members", "user_internal_uuid", "users", "CASCADE"),
    Reference("group_members", "added_by_internal_uuid", "users", "SET NULL"),
    Reference("threat_models", "owner_internal_uuid", "users", "RESTRICT"),
    Reference("threat_models", "created_by_internal_uuid", "users", "RESTRICT"),
    Reference("threat_models", "deleted_by_internal_uuid", "users", "SET NULL"),
    *(Reference(table, "threat_model_id", "threat_models", "CASCADE") for table in PARTS),
    *(Reference(table, "deleted_by_internal_uuid", "users", "SET NULL") for table in PARTS),
    Reference("threats", "diagram_id", "diagrams", "SET NULL"),
    Reference("threats", "asset_id", "assets", "SET NULL"),
    Reference("diagram_operations", "diagram_id", "diagrams", "CASCADE"),
    Reference("diagram_operations", "user_internal_uuid", "users", "SET NULL"),
    Reference("suggestion_decisions", "threat_model_id", "threat_models", "CASCADE"),
    Reference("suggestion_decisions", "diagram_id", "diagrams", "CASCADE"),
    Reference("suggestion_decisions", "threat_id", "threats", "SET NULL"),
    Reference("suggestion_decisions", "user_internal_uuid", "users", "SET NULL"),
    Reference("webhooks", "threat_model_id", "threat_models", "CASCADE"),
    Reference("webhooks", "user_internal_uuid", "users", "CASCADE"),
    Reference("webhook_deliveries", "webhook_id", "webhooks", "CASCADE"),
    Reference("metadata", "threat_model_id", "threat_models", "CASCADE"),
    Reference("threat_model_access", "threat_model_id", "threat_models", "CASCADE"),
    Reference("threat_model_access", "user_internal_uuid", "users", "CASCADE"),
    Reference("threat_model_access", "group_internal_uuid", "groups", "CASCADE"),
    Reference("threat_model_access", "granted_by_internal_uuid", "users", "SET NULL"),
    Reference("access_invitations", "threat_model_id", "threat_models", "CASCADE"),
    Reference("access_invitations", "granted_by_internal_uuid", "users", "SET NULL"),
    Reference("collaboration_sessions", "threat_model_id", "threat_models", "CASCADE"),
    Reference("collaboration_sessions", "diagram_id", "diagrams", "CASCADE"),
    Reference("collaboration_sessions", "host_internal_uuid", "users", "SET NULL"),
    Reference("collaboration_sessions", "presenter_internal_uuid", "users", "SET NULL"),
    Reference("session_participants", "session_id", "collaboration_sessions", "CASCADE"),
    Reference("session_participants", "user_internal_uuid", "users", "CASCADE"),
    Reference("session_removals", "session_id", "collaboration_sessions", "CASCADE"),
    Reference("session_removals", "user_internal_uuid", "users", "CASCADE"),
    Reference("session_removals", "removed_by_internal_uuid", "users", "SET NULL"),
]
# What else a row needs so that it may hold the reference.
WITH = {
    ("threat_model_access", "group_internal_uuid"): {"subject_type": "group", "user_internal_uuid": None},
}


def name_of(reference: Reference) -> str:
    return f"{reference.table}.{reference.column}"


of_every_reference = pytest.mark.parametrize("reference", REFERENCES, ids=name_of)


@pytest.fixture
def foreign_keys(db: None) -> list[ForeignKey]:
    with connection.cursor() as cursor:
        return read_foreign_keys(cursor)


@of_every_reference
def test_a_reference_to_nothing_is_refused_at_once(
    reference: Reference, rows: Rows, foreign_keys: list[ForeignKey]
) -> None:
    table, column = reference.table, reference.column
    name = next(key.name for key in foreign_keys if (key.table, key.column) == (table, column))
    given = WITH.get((table, column), {})
    rows.add(table, **{**given, column: rows.add(reference.target)})
    with refused(FOREIGN_KEY, by=name):
        rows.add(table, **{**given, column: NO_ID})


@of_every_reference
def test_deleting_what_a_row_refers_to(reference: Reference, rows: Rows) -> None:
    table, column = reference.table, reference.column
    target = rows.add(reference.target)
    referring = rows.add(table, **{**WITH.get((table, column), {}), column: target})
    other = rows.add(table)
    if reference.on_delete == "RESTRICT":
        # Before version 18 PostgreSQL gives RESTRICT the same state as any foreign key.
        with refused(RESTRICT, FOREIGN_KEY):
            rows.delete(reference.target, target)
        assert rows.get(table, referring, column) == target
        rows.delete(table, referring)
    rows.delete(reference.target, target)
    assert rows.has(table, referring) == (reference.on_delete == "SET NULL")
    if reference.on_delete == "SET NULL":
        assert rows.get(table, referring, column) is None
    assert rows.has(table, other)


def test_every_foreign_key_of_the_database_is_tried_here(foreign_keys: list[ForeignKey]) -> None:
    found = [Reference(key.table, key.column, key.target, key.on_delete) for key in foreign_keys]
    assert sorted(found) == sorted(REFERENCES)


def test_every_foreign_key_has_the_rule_of_its_field_and_is_checked_at_once(
    foreign_keys: list[ForeignKey],
) -> None:
    models = [model for label in OUR_APPS for model in apps.get_app_config(label).get_models()]
    fields = {
        (model._meta.db_table, field.column): SQL_RULE[field.remote_field.on_delete]
        for model in models
        for field in own_foreign_keys(model)
    }
    assert {(key.table, key.column): key.on_delete for key in foreign_keys} == fields
    assert [key for key in foreign_keys if key.deferrable] == []


def test_every_foreign_key_is_the_beginning_of_an_index(foreign_keys: list[ForeignKey]) -> None:
    """Else deleting what it refers to reads the whole table."""
    with connection.cursor() as cursor:
        indexes = read_indexes(cursor)
    served = {(index.table, index.keys[0]) for index in indexes if not index.partial}
    assert [key for key in foreign_keys if (key.table, key.column) not in served] == []


def test_a_threat_model_takes_everything_in_it_along(rows: Rows) -> None:
    model = rows.add("threat_models")
    diagram = rows.add("diagrams", threat_model_id=model)
    asset = rows.add("assets", threat_model_id=model)
    threat = rows.add("threats", threat_model_id=model, diagram_id=diagram, asset_id=asset)
    operation = rows.add("diagram_operations", diagram_id=diagram)
    session = rows.add("collaboration_sessions", threat_model_id=model, diagram_id=diagram)
    entry = rows.add("metadata", threat_model_id=model, entity_type="cell")
    rows.delete("threat_models", model)
    inside = {
        "diagrams": diagram,
        "assets": asset,
        "threats": threat,
        "diagram_operations": operation,
        "collaboration_sessions": session,
        "metadata": entry,
    }
    assert [table for table, key in inside.items() if rows.has(table, key)] == []
