"""The database has the tables of the seed: column for column, constraint for constraint."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction

from tests.schema import seed
from tests.schema.catalog import OUR_APPS, Table, our_tables, read_tables

pytestmark = pytest.mark.django_db

TABLES = (
    "assets",
    "collaboration_sessions",
    "diagrams",
    "documents",
    "groups",
    "metadata",
    "notes",
    "refresh_tokens",
    "repositories",
    "session_participants",
    "threat_model_access",
    "threat_models",
    "threats",
    "users",
)

SET = "a reference or a time that the application always sets"
TWO_VALUED = "true or false, with the seed's default; a third value would mean nothing"
COUNTED = "a count, with the seed's default"
TIMES = {"created_at": SET, "modified_at": SET}
PART = {"threat_model_id": SET, **TIMES}

# NOT NULL where the seed has none.
STRICTER: dict[str, dict[str, str]] = {
    "assets": PART,
    "collaboration_sessions": {"threat_model_id": SET, "diagram_id": SET, "created_at": SET},
    "diagrams": {
        **PART,
        "type": "always set: the only type there is",
        "cells": "a checkpoint always is a list, an empty one for an empty diagram",
    },
    "documents": PART,
    "groups": {"first_used": SET, "last_used": SET, "usage_count": COUNTED},
    "metadata": TIMES,
    "notes": PART,
    "refresh_tokens": {"user_internal_uuid": SET, "created_at": SET},
    "repositories": PART,
    "session_participants": {"session_id": SET, "user_internal_uuid": SET, "joined_at": SET},
    "threat_model_access": PART,
    "threat_models": {"owner_internal_uuid": SET, "created_by_internal_uuid": SET, **TIMES},
    "threats": {**PART, "mitigated": TWO_VALUED},
    "users": {"email_verified": TWO_VALUED, **TIMES},
}
# Defaults where the seed has none.
DEFAULTS = {"diagrams": {"cells": "'[]'::jsonb"}}

SOFT = "deleted rows: a soft delete that an owner can undo"
SOFT_DELETE = {"deleted_at": SOFT, "deleted_by_internal_uuid": SOFT}
EXTRA_COLUMNS: dict[str, dict[str, str]] = {
    "assets": SOFT_DELETE,
    "collaboration_sessions": {
        "host_internal_uuid": "collaboration_sessions: host",
        "presenter_internal_uuid": "collaboration_sessions: presenter",
        "ended_at": "collaboration_sessions: ended_at",
        "active_at": "collaboration.md: a session ends five minutes after the last person left",
    },
    "diagrams": {"cells_vector": "diagrams: the operation up to which `cells` goes", **SOFT_DELETE},
    "documents": SOFT_DELETE,
    "metadata": {"threat_model_id": "metadata: entries die with their entity; row-level security"},
    "notes": SOFT_DELETE,
    "refresh_tokens": {
        "session_id": "refresh_tokens: the family is a sign-in session",
        "used_at": "refresh_tokens: rotation on every use",
        "revoked_at": "refresh_tokens: reuse revokes the family",
    },
    "repositories": SOFT_DELETE,
    "threat_models": {"extensions": "interchange: what no column holds survives a round trip", **SOFT_DELETE},
    "threats": {"cwe_ids": "threats: cwe_ids", "cvss_vector": "threats: cvss_vector", **SOFT_DELETE},
    "users": {
        "password": "users: password accounts",
        "is_active": "users: the Django user model",
        "is_admin": "groups made here are managed by administrators",
        "preferences": "api.md: /me/preferences",
    },
}
# Foreign keys of extra columns come with these; all other extra rules stand here.
EXTRA_RULES: dict[str, dict[str, str]] = {
    "collaboration_sessions": {"collaboration_sessions_live_key": "at most one live session a diagram"},
    "users": {"users_local_email_key": "an email names one local account, compared without case"},
}
EXTRA_TABLES = {
    "access_invitations": "sharing by email",
    "authorization_codes": "accounts.md: authorization_code with PKCE",
    "audit_entries": "who did what to which entity when",
    "client_credentials": "for integrators",
    "diagram_operations": "history, undo stack and resend buffer",
    "group_members": "user, group, added_by, added_at",
    "kept_answers": "api.md: the same Idempotency-Key gets the first answer again",
    "oauth_clients": "accounts.md: native and single-page clients",
    "one_time_links": "accounts.md: the link that makes the first administrator",
    "rule_packs": "interchange.md: packs of administrators, and what they switched off",
    "session_removals": "people removed from a collaboration session",
    "sign_in_sessions": "the `sid` of tokens",
    "sign_up_invitations": "accounts.md: who may sign up where it takes an invitation",
    "skipped_undos": "collaboration.md: what others have changed is skipped",
    "suggestion_decisions": "interchange.md: what was accepted, and why something does not apply",
    "webhook_deliveries": "operations.md: retries, delivery log, dead letters",
    "webhooks": "operations.md: subscriptions",
    "socket_tickets": "accounts.md: a single-use ticket for a WebSocket",
}

Tables = dict[str, Table]


@pytest.fixture(scope="module")
def wanted(django_db_setup: None, django_db_blocker: Any) -> Tables:
    """The seed's tables, made in a schema of their own that is gone afterwards."""
    statements = seed.statements()
    with django_db_blocker.unblock(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA seed; SET LOCAL search_path TO seed")
        for sql in statements.values():
            cursor.execute(sql)
        found = read_tables(cursor, "seed")
        transaction.set_rollback(True)
    return found


@pytest.fixture(scope="module")
def live(django_db_setup: None, django_db_blocker: Any) -> Tables:
    with django_db_blocker.unblock(), transaction.atomic(), connection.cursor() as cursor:
        return read_tables(cursor, "public")


def test_the_seed_has_the_fourteen_tables(wanted: Tables) -> None:
    assert sorted(wanted) == sorted(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_columns_have_the_types_of_the_seed(table: str, wanted: Tables, live: Tables) -> None:
    found = live[table].columns
    assert {name: found[name].type for name in wanted[table].columns if name in found} == {
        name: column.type for name, column in wanted[table].columns.items()
    }


@pytest.mark.parametrize("table", TABLES)
def test_columns_have_the_defaults_of_the_seed(table: str, wanted: Tables, live: Tables) -> None:
    ours = {name: live[table].columns[name].default for name in wanted[table].columns}
    theirs = {name: column.default for name, column in wanted[table].columns.items()}
    assert ours == theirs | DEFAULTS.get(table, {})


@pytest.mark.parametrize("table", TABLES)
def test_columns_are_as_strict_as_in_the_seed_or_stricter_for_a_reason(
    table: str, wanted: Tables, live: Tables
) -> None:
    optional = {name for name, column in wanted[table].columns.items() if column.nullable}
    ours = {name for name in wanted[table].columns if live[table].columns[name].nullable}
    assert ours == optional - STRICTER.get(table, {}).keys()
    assert STRICTER.get(table, {}).keys() <= optional, "listed as stricter, but the seed says NOT NULL too"


@pytest.mark.parametrize("table", TABLES)
def test_every_constraint_of_the_seed_is_there_in_the_same_words(
    table: str, wanted: Tables, live: Tables
) -> None:
    missing = set(wanted[table].rules.values()) - set(live[table].rules.values())
    assert not missing


@pytest.mark.parametrize("table", TABLES)
def test_what_the_seed_does_not_have_is_here_for_a_reason(table: str, wanted: Tables, live: Tables) -> None:
    ours, theirs = live[table], wanted[table]
    columns = ours.columns.keys() - theirs.columns.keys()
    assert columns == EXTRA_COLUMNS.get(table, {}).keys()
    implied = {f"FOREIGN KEY ({column})" for column in columns}
    rules = {
        name
        for name, rule in ours.rules.items()
        if rule not in theirs.rules.values() and rule.definition.partition(" REFERENCES ")[0] not in implied
    }
    assert rules == EXTRA_RULES.get(table, {}).keys()


def test_there_are_no_tables_but_those_of_the_seed_the_listed_ones_and_other_peoples(live: Tables) -> None:
    libraries = [config for config in apps.get_app_configs() if config.label not in OUR_APPS]
    models = [model for config in libraries for model in config.get_models(include_auto_created=True)]
    theirs = {model._meta.db_table for model in models} | {"django_migrations"}
    assert live.keys() - theirs == {*TABLES, *EXTRA_TABLES}
    assert our_tables() == {*TABLES, *EXTRA_TABLES}
