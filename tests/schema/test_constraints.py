"""Every CHECK and every unique rule, tried by SQL past the checks of the application."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.schema.catalog import our_tables, read_tables
from tests.schema.constraint_cases import CHECKS, UNIQUES, Check, Unique
from tests.schema.refused import CHECK, UNIQUE, refused
from tests.schema.rows import Parent, Row, Rows, key_of


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_check(check: Check, rows: Rows) -> None:
    for row in check.good:
        rows.add(check.table, **row)
    for row in check.bad:
        with refused(CHECK, by=_refusing(check, row)):
            rows.add(check.table, **row)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_check_holds_for_updates(check: Check, rows: Rows) -> None:
    key = rows.add(check.table, **check.good[0])
    with refused(CHECK, by=_refusing(check, check.bad[0])):
        rows.set(check.table, key, **check.bad[0])


@pytest.mark.parametrize("rule", UNIQUES, ids=lambda rule: rule.name)
def test_unique(rule: Unique, rows: Rows) -> None:
    first = {
        name: rows.add(value) if isinstance(value, Parent) else value for name, value in rule.first.items()
    }
    rows.add(rule.table, **first)
    for row in rule.beside:
        rows.add(rule.table, **{**first, **row})
    for row in rule.again:
        with refused(UNIQUE, by=rule.name):
            rows.add(rule.table, **{**first, **row})


@pytest.mark.parametrize("table", sorted(our_tables()))
def test_primary_key(table: str, rows: Rows) -> None:
    key = rows.add(table)
    rows.add(table)
    with refused(UNIQUE, by=f"{table}_pkey"):
        rows.add(table, **{key_of(table): key})


@pytest.mark.django_db
def test_every_rule_of_the_database_is_tried_here() -> None:
    """Foreign keys are tried in test_on_delete."""
    with connection.cursor() as cursor:
        found = read_tables(cursor, "public")
    rules = {
        name
        for table in our_tables()
        for name, rule in found[table].rules.items()
        if rule.kind not in {"foreign key", "primary key"}
    }
    assert rules == {check.name for check in CHECKS} | {rule.name for rule in UNIQUES}
    keys = {
        name
        for table in our_tables()
        for name, rule in found[table].rules.items()
        if rule.kind == "primary key"
    }
    assert keys == {f"{table}_pkey" for table in our_tables()}


def _refusing(check: Check, row: Row) -> str | None:
    """Which constraint must say no; an unknown subject type breaks two, and either may be named."""
    return None if row.get("subject_type") == "robot" else check.name
