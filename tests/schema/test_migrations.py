"""All migrations, ours and those of libraries, forth and back with rows in every table."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from tests.schema.catalog import OUR_APPS, our_tables
from tests.schema.rows import Rows

SCRATCH = "scratch"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
# What a migration can leave behind: tables, views, sequences, indexes, functions, types of their own.
LEFT = """
SELECT relkind::text || ' ' || relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""
LIBRARY_ROWS = {
    "account_emailaddress": """(email, verified, "primary", user_id)
        SELECT email, true, true, internal_uuid FROM users""",
    "account_emailconfirmation": """(created, key, email_address_id)
        SELECT now(), id, id FROM account_emailaddress""",
    "auth_group": "(name) VALUES ('staff')",
    "auth_group_permissions": """(group_id, permission_id)
        SELECT g.id, p.id FROM auth_group g, auth_permission p""",
    "django_admin_log": """(action_time, user_id, object_repr, action_flag, change_message)
        SELECT now(), internal_uuid, 'x', 1, '' FROM users""",
    "django_session": "VALUES ('s', '', now())",
    "mfa_authenticator": """(type, data, created_at, user_id)
        SELECT 'totp', '{}', now(), internal_uuid FROM users""",
    "socialaccount_socialaccount": """(provider, uid, last_login, date_joined, extra_data, user_id)
        SELECT 'x', internal_uuid, now(), now(), '{}', internal_uuid FROM users""",
    "socialaccount_socialapp": """(provider, provider_id, name, client_id, secret, key, settings)
        VALUES ('x', '', 'x', 'x', 'x', 'x', '{}')""",
    "socialaccount_socialtoken": """(token, token_secret, account_id, app_id)
        SELECT 'x', 'x', c.id, a.id FROM socialaccount_socialaccount c, socialaccount_socialapp a""",
}


@pytest.fixture
def scratch(django_db_setup: None, django_db_blocker: Any, db: None) -> Iterator[Any]:
    """A connection to an empty database of its own."""
    settings = connection.settings_dict
    name = f"{settings['NAME']}_scratch"
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
        connections.databases[SCRATCH] = {**connections.databases["default"], "NAME": name}
        try:
            yield connections[SCRATCH]
        finally:
            connections[SCRATCH].close()
            del connections[SCRATCH], connections.databases[SCRATCH]
            cursor.execute(f"DROP DATABASE {name}")


def test_zero_to_head_to_zero_to_head_with_rows_in_every_table(scratch: Any) -> None:
    call_command("migrate", database=SCRATCH, verbosity=0)
    made = structure(scratch)
    fill(scratch)
    to_zero(scratch)
    assert asked(scratch, LEFT) <= {
        "r django_migrations",
        "i django_migrations_pkey",
        "S django_migrations_id_seq",
    }
    assert asked(scratch, "SELECT app FROM django_migrations") == set()
    call_command("migrate", database=SCRATCH, verbosity=0)
    assert structure(scratch) == made
    fill(scratch)


def test_categories_of_plot4ai_get_their_names_of_today_and_back(db: None) -> None:
    step = import_module("threatmodels.migrations.0008_plot4ai_categories")
    decisions = "SELECT reason || ': ' || category FROM suggestion_decisions"
    types = "SELECT threat_type FROM threats"
    with connection.cursor() as cursor:
        rows = Rows(cursor)
        model = rows.add("threat_models", threat_model_framework="PLOT4ai")
        other = rows.add("threat_models", threat_model_framework="LINDDUN")
        for home, name in (
            (model, "Security"),
            (model, "Odd one"),
            (model, "Ethics and human rights"),
            (other, "Non-compliance"),
        ):
            rows.add("threats", threat_model_id=home, threat_type=name)
        diagram, cell = rows.add("diagrams", threat_model_id=model), uuid4()
        for reason, name in (("first", "Accessibility"), ("second", "Unawareness"), ("third", "Safety")):
            rows.add(
                "suggestion_decisions",
                threat_model_id=model,
                diagram_id=diagram,
                cell_id=cell,
                category=name,
                verdict="not_applicable",
                reason=reason,
            )
        cursor.execute(step.renamed(step.NEW_OF_OLD))
    assert asked(connection, types) == {
        "Cybersecurity",
        "Odd one",
        "Ethics and human rights",
        "Non-compliance",
    }
    assert asked(connection, decisions) == {
        "first: Transparency and accessibility",
        "third: Safety and environmental impact",
    }
    with connection.cursor() as cursor:
        cursor.execute(step.renamed(step.OLD_OF_NEW))
    assert asked(connection, types) == {"Security", "Odd one", "Ethics and human rights", "Non-compliance"}
    assert asked(connection, decisions) == {"first: Accessibility", "third: Safety"}


def test_migrations_say_what_the_models_say(db: None) -> None:
    loader = MigrationLoader(None)
    detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
    changes = detector.changes(graph=loader.graph)
    assert {app: found for app, found in changes.items() if app in OUR_APPS} == {}


def to_zero(database: Any) -> None:
    executor = MigrationExecutor(database)
    executor.migrate([(app, None) for app in sorted(executor.loader.migrated_apps)])


def fill(database: Any) -> None:
    """Puts a row into every table that has none."""
    with database.cursor() as cursor:
        rows = Rows(cursor)
        for table in sorted(our_tables()):
            rows.add(table)
        for table, row in LIBRARY_ROWS.items():
            cursor.execute(f"INSERT INTO {table} {row}")
    empty = {t for t in asked(database, TABLES) if not asked(database, f"SELECT 1 FROM {t} LIMIT 1")}
    assert empty == set()


def structure(database: Any) -> set[str]:
    """Everything that migrations made, with its definition."""
    return (
        asked(database, LEFT)
        | asked(
            database,
            "SELECT conrelid::regclass || ' ' || conname || pg_get_constraintdef(oid) FROM pg_constraint",
        )
        | asked(database, "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'")
        | asked(database, "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal")
        | asked(
            database, "SELECT pg_get_viewdef(viewname::regclass) FROM pg_views WHERE schemaname = 'public'"
        )
        | asked(
            database,
            "SELECT table_name || '.' || column_name || ' ' || udt_name || coalesce(column_default, '')"
            " || is_nullable FROM information_schema.columns WHERE table_schema = 'public'",
        )
    )


def asked(database: Any, query: str) -> set[str]:
    with database.cursor() as cursor:
        cursor.execute(query)
        return {row[0] for row in cursor.fetchall()}
