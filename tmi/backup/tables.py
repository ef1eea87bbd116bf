"""The tables of the database as its catalogue has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

COLUMNS = """
SELECT c.relname, array_agg(a.attname ORDER BY a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
  AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY 1 ORDER BY 1
"""
SEQUENCES = """
SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1
"""
# Each value as text that every server reads back as the same value.
FORMS = {
    "client_encoding": "UTF8",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    # Rows that a policy hides would be missed by nobody: better an error.
    "row_security": "off",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}


@contextmanager
def session(using: str, begin: str) -> Iterator[Any]:
    """A cursor on a connection of its own, in one transaction that `begin` opens; committed at the end."""
    own: BaseDatabaseWrapper = connections[using].copy()
    try:
        # What COPY raises is not wrapped by the cursor.
        with own.wrap_database_errors, own.cursor() as cursor:
            cursor.execute(begin)
            for name, value in FORMS.items():
                cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
            yield cursor
            cursor.execute("COMMIT")
    finally:
        own.close()


def columns(cursor: Any) -> dict[str, list[str]]:
    """The columns of each table that are stored, not computed."""
    cursor.execute(COLUMNS)
    return dict(cursor.fetchall())


def sequences(cursor: Any) -> dict[str, int | None]:
    cursor.execute(SEQUENCES)
    return dict(cursor.fetchall())


def copy(table: str, names: list[str], direction: str) -> str:
    """COPY of a table; the names come from the catalogue."""
    listed = ", ".join(map(quoted, names))
    return f"COPY {quoted(table)} ({listed}) {direction}"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def said(problem: DatabaseError) -> str:
    """The first line of what the database has against it: the others repeat rows."""
    return str(problem).strip().splitlines()[0]
