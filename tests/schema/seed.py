"""The tables of the seed, as SQL that PostgreSQL accepts."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SEED = Path(__file__).resolve().parents[3] / "shared" / "seed.md"
TABLE = re.compile(r"^(\w+) \(\n(.*?)^\);", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"```sql\n(.*?)```", re.DOTALL)
# Two lines of the seed need another form: NULLS NOT DISTINCT taken literally lets a model have one user row
# and one group row; UNIQUE ... WHERE is an index in PostgreSQL, not a table constraint.
NULLS_NOT_DISTINCT = re.compile(r",?\s*UNIQUE NULLS NOT DISTINCT \((\w+), (\w+), subject_type\)")
UNIQUE_WHERE = re.compile(r",?\s*UNIQUE\(([\w, ]+)\) WHERE ([^\n]+)")


def statements() -> dict[str, str]:
    """The seed's `CREATE TABLE` and `CREATE UNIQUE INDEX` statements by table, referenced tables first.

    Skips the test where the seed is not beside the project.
    """
    if not SEED.is_file():
        pytest.skip(f"the seed is not beside the project: ../shared/{SEED.name} is missing")
    blocks = "".join(BLOCK.findall(_core(SEED.read_text(encoding="utf-8"))))
    bodies = dict(TABLE.findall(blocks))
    order = {name: set(re.findall(r"REFERENCES (\w+)", body)) for name, body in bodies.items()}
    return {name: _create(name, bodies[name]) for name in TopologicalSorter(order).static_order()}


def _create(table: str, body: str) -> str:
    """The statements that make one table, its partial unique constraints as indexes."""
    keys = [f"({a}, {b}) WHERE {b} IS NOT NULL" for a, b in NULLS_NOT_DISTINCT.findall(body)]
    keys += [f"({columns}) WHERE {condition}" for columns, condition in UNIQUE_WHERE.findall(body)]
    rest = UNIQUE_WHERE.sub("", NULLS_NOT_DISTINCT.sub("", body))
    indexes = [f"CREATE UNIQUE INDEX ON {table} {key};" for key in keys]
    return "\n".join([f"CREATE TABLE {table} ({rest});", *indexes])


def _core(text: str) -> str:
    return text.partition("## Core Data Entities")[2].partition("\n## ")[0]
