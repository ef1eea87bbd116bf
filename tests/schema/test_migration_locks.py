"""Migrations go over a live system: nobody is kept waiting, the version before goes on, all can be undone."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.migrations import RunPython, RunSQL
from django.db.migrations.loader import MigrationLoader

from tests.schema.catalog import OUR_APPS
from tests.schema.locks import problems

# Made before there was an installation whose people could have been kept waiting.
BEFORE_THE_FIRST_RELEASE = {
    "accounts": 8,
    "threatmodels": 6,
    "collaboration": 3,
}


def ours() -> list[tuple[str, str]]:
    return sorted(key for key in MigrationLoader(None).disk_migrations if key[0] in OUR_APPS)


def statements(key: tuple[str, str]) -> list[str]:
    loader = MigrationLoader(connection, replace_migrations=False)
    return loader.collect_sql([(loader.graph.nodes[key], False)])


@pytest.mark.django_db
def test_no_migration_keeps_people_waiting_or_breaks_the_version_before() -> None:
    later = [key for key in ours() if int(key[1][:4]) > BEFORE_THE_FIRST_RELEASE[key[0]]]
    found = {".".join(key): problems(statements(key)) for key in later}
    assert {name: said for name, said in found.items() if said} == {}


@pytest.mark.django_db
def test_the_statements_of_a_migration_are_seen() -> None:
    said = problems(statements(("collaboration", "0002_rules")))
    assert any(one.startswith("collaboration_sessions: checks every row") for one in said)


def test_every_migration_can_be_undone() -> None:
    loader = MigrationLoader(None)
    stuck = [
        f"{app}.{name}: {operation}"
        for app, name in ours()
        for operation in loader.disk_migrations[app, name].operations
        if not can_be_undone(operation)
    ]
    assert stuck == []


def can_be_undone(operation: Any) -> bool:
    if isinstance(operation, RunPython):
        return operation.reverse_code is not None
    if isinstance(operation, RunSQL):
        return operation.reverse_sql is not None
    return bool(operation.reversible)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ('CREATE INDEX "i" ON "threats" ("name")', "CONCURRENTLY"),
        ('CREATE UNIQUE INDEX i ON threats USING gin ("name")', "CONCURRENTLY"),
        ('ALTER TABLE "threats" ADD CONSTRAINT "c" CHECK (score > 0)', "NOT VALID"),
        ('ALTER TABLE "threats" ALTER COLUMN "name" TYPE varchar(9)', "every row anew"),
        ('ALTER TABLE "threats" ALTER COLUMN "name" SET NOT NULL', "every row while"),
        ('ALTER TABLE "threats" ADD COLUMN "x" integer NOT NULL', "no value"),
        ('ALTER TABLE "threats" DROP COLUMN "x" CASCADE', "later release"),
        ('ALTER TABLE "threats" RENAME TO "dangers"', "later release"),
        ('DROP TABLE "threats" CASCADE', "later release"),
    ],
)
def test_what_locks_is_told(statement: str, said: str) -> None:
    [told] = problems([f"-- why\n{statement};"])
    assert told.startswith("threats: ")
    assert said in told


@pytest.mark.parametrize(
    "statement",
    [
        'CREATE INDEX CONCURRENTLY "i" ON "threats" ("name")',
        'ALTER TABLE "threats" ADD CONSTRAINT "c" CHECK (score > 0) NOT VALID',
        'ALTER TABLE "threats" VALIDATE CONSTRAINT "c"',
        'ALTER TABLE "threats" ADD COLUMN "x" integer DEFAULT 0 NOT NULL',
        'ALTER TABLE "threats" ADD COLUMN "x" integer NULL',
        'ALTER TABLE "threats" ALTER COLUMN "x" DROP DEFAULT',
    ],
)
def test_what_does_not_lock_is_left_alone(statement: str) -> None:
    assert problems([statement]) == []


def test_a_new_table_may_have_everything_at_once() -> None:
    made = [
        'CREATE TABLE "new" ("id" uuid NOT NULL)',
        'CREATE INDEX "i" ON "new" ("id")',
        'ALTER TABLE "new" ADD CONSTRAINT "c" FOREIGN KEY ("id") REFERENCES "users" ("id")',
    ]
    assert problems(made) == []
    assert len(problems(made[1:])) == 2
