"""What PostgreSQL itself says about the tables of a schema."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.apps import apps

OUR_APPS = ("accounts", "threatmodels", "collaboration")

COLUMNS = """
SELECT table_name, column_name, column_default, is_nullable = 'YES',
  udt_name || coalesce('(' || character_maximum_length || ')', '')
  || CASE WHEN udt_name = 'numeric' THEN format('(%%s,%%s)', numeric_precision, numeric_scale) ELSE '' END
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = %s AND table_type = 'BASE TABLE'
"""
CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = %s::regnamespace AND contype IN ('c', 'f', 'p', 'u', 'x')
"""
# Unique, but no constraint: partial, or over expressions.
UNIQUE_INDEXES = """
SELECT indrelid::regclass::text, relname, 'i', substring(pg_get_indexdef(indexrelid) FROM ' USING (.*)')
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE relnamespace = %s::regnamespace AND indisunique
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
"""
FOREIGN_KEYS = """
SELECT c.conname, c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text, c.confdeltype::text,
  c.condeferrable
FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace AND c.conrelid::regclass::text = ANY (%s)
"""
INDEXES = """
SELECT i.indrelid::regclass::text, i.indpred IS NOT NULL, am.amname,
  array(SELECT pg_get_indexdef(i.indexrelid, n, true) FROM generate_series(1, i.indnkeyatts) n)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam
WHERE i.indrelid::regclass::text = ANY (%s)
"""
KINDS = {
    "c": "check",
    "f": "foreign key",
    "p": "primary key",
    "u": "unique",
    "x": "exclusion",
    "i": "unique index",
}
ON_DELETE = {"a": "NO ACTION", "c": "CASCADE", "n": "SET NULL", "r": "RESTRICT", "d": "SET DEFAULT"}


class Column(NamedTuple):
    type: str
    default: str | None
    nullable: bool


class Rule(NamedTuple):
    """A constraint or unique index; `kind` is one of KINDS, `definition` is PostgreSQL's own spelling."""

    kind: str
    definition: str


@dataclass
class Table:
    columns: dict[str, Column] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)


class ForeignKey(NamedTuple):
    name: str
    table: str
    column: str
    target: str
    on_delete: str
    deferrable: bool


class Index(NamedTuple):
    """`keys` are column names or expressions, as PostgreSQL spells them."""

    table: str
    partial: bool
    method: str
    keys: tuple[str, ...]


def our_tables() -> set[str]:
    """The tables of our own models."""
    models = [model for label in OUR_APPS for model in apps.get_app_config(label).get_models()]
    return {model._meta.db_table for model in models if model._meta.managed}


def read_tables(cursor: Any, schema: str) -> dict[str, Table]:
    """The tables of a schema by name; definitions are spelled without the name of the schema."""
    cursor.execute(f"SET LOCAL search_path TO {schema}")
    tables: dict[str, Table] = defaultdict(Table)
    cursor.execute(COLUMNS, [schema])
    for table, column, default, nullable, kind in cursor.fetchall():
        tables[table].columns[column] = Column(kind, default, nullable)
    for query in (CONSTRAINTS, UNIQUE_INDEXES):
        cursor.execute(query, [schema])
        for table, name, kind, definition in cursor.fetchall():
            tables[table].rules[name] = Rule(KINDS[kind], definition)
    return dict(tables)


def read_foreign_keys(cursor: Any) -> list[ForeignKey]:
    """Every foreign key of our tables."""
    cursor.execute(FOREIGN_KEYS, [sorted(our_tables())])
    return [
        ForeignKey(name, table, column, target, ON_DELETE[rule], deferrable)
        for name, table, column, target, rule, deferrable in cursor.fetchall()
    ]


def read_indexes(cursor: Any) -> list[Index]:
    """Every index of our tables, those behind constraints too."""
    cursor.execute(INDEXES, [sorted(our_tables())])
    return [Index(table, partial, method, tuple(keys)) for table, partial, method, keys in cursor.fetchall()]
