"""Reading an archive into an instance that nobody has used."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from tmi.backup import tables
from tmi.backup.archive import ArchiveError, Counted, Manifest, Reader, Table, key_mark

CHUNK = 1024 * 1024
# Rows that are there before anybody has done anything: made by migrations, and the link of the first start.
OWN_ROWS = {"django_migrations", "django_content_type", "auth_permission", "one_time_links"}
ANY_ROW = {
    "groups": "SELECT 1 FROM groups WHERE internal_uuid <> '00000000-0000-0000-0000-000000000000' LIMIT 1",
    "django_session": "SELECT 1 FROM django_session WHERE false",
}
FOREIGN_KEYS = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)
FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY 1, 2
"""


def load(path: Path, *, without_keys: bool = False, using: str = DEFAULT_DB_ALIAS) -> Manifest:
    """Reads an archive and brings the database up to date.

    Raises ArchiveError, and then no row has been stored: what was an empty instance still is one.
    """
    archive = Reader(path)
    try:
        if not without_keys:
            _check_keys(archive.manifest)
        _check_empty(using)
        _migrate_to(archive.manifest, using)
        with tables.session(using, "BEGIN") as cursor:
            _fill(cursor, archive)
        call_command("migrate", database=using, verbosity=0, interactive=False)
        with connections[using].cursor() as cursor:
            cursor.execute("ANALYZE")
    except DatabaseError as problem:
        raise ArchiveError(f"the database: {tables.said(problem)}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise ArchiveError(f"{path}: is damaged") from None
    finally:
        archive.close()
    return archive.manifest


def _check_keys(manifest: Manifest) -> None:
    """Whatever was encrypted under a key that is not here would be lost without a word."""
    missing = set(manifest.encryption_keys) - {key_mark(key) for key in settings.ENCRYPTION_KEYS}
    if missing:
        raise ArchiveError(
            "auth.encryption_keys: the archive was made with keys that are not configured here: bring those "
            "of the old instance (where none were configured: secrets.json of its data directory), or give "
            "--without-keys and do without what they encrypt"
        )


def _check_empty(using: str) -> None:
    with connections[using].cursor() as cursor:
        _refuse_used(cursor, tables.columns(cursor))


def _refuse_used(cursor: Any, columns: dict[str, list[str]]) -> None:
    for table in columns:
        if table not in OWN_ROWS:
            cursor.execute(ANY_ROW.get(table, f"SELECT 1 FROM {tables.quoted(table)} LIMIT 1"))  # noqa: S608  a name of the catalogue
            if cursor.fetchone():
                raise ArchiveError(
                    f"this instance is not empty: {table} has rows; restore into one that nobody has used"
                )


def _migrate_to(manifest: Manifest, using: str) -> None:
    """The tables as they were when the archive was made; later migrations then come with the rows there."""
    executor = MigrationExecutor(connections[using])
    graph, then = executor.loader.graph, set(manifest.migrations)
    unknown = sorted(then - set(graph.nodes) - set(executor.loader.replacements))
    if unknown:
        raise ArchiveError(
            "the archive comes from a newer version of TMI: "
            f"migration {'.'.join(unknown[0])} is not known here"
        )
    # Of each app the migrations that no other one of the archive builds on.
    last = [
        node
        for node in sorted(then)
        if not any(child.key[0] == node[0] and child.key in then for child in graph.node_map[node].children)
    ]
    absent = {app for app, _name in graph.nodes} - {app for app, _name in then}
    targets: list[Any] = [*last, *((app, None) for app in sorted(absent))]
    executor.migrate(targets)


def _fill(cursor: Any, archive: Reader) -> None:
    """All rows, in one transaction. Foreign keys are checked at its end, each in one go."""
    columns = tables.columns(cursor)
    _compare(columns, archive.manifest)
    names = ", ".join(map(tables.quoted, columns))
    cursor.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
    _refuse_used(cursor, columns)
    cursor.execute(FOREIGN_KEYS)
    foreign_keys = cursor.fetchall()
    for table, key, _rule in foreign_keys:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {key}")
    for table in columns:
        cursor.execute(f"ALTER TABLE {tables.quoted(table)} DISABLE TRIGGER USER")
    cursor.execute(f"TRUNCATE {names}")
    for found in archive.manifest.tables:
        _copy_in(cursor, archive, found)
    for table, key, rule in foreign_keys:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {key} {rule}")
    for table in columns:
        cursor.execute(f"ALTER TABLE {tables.quoted(table)} ENABLE TRIGGER USER")
    for sequence, last in archive.manifest.sequences.items():
        if last is not None:
            cursor.execute("SELECT setval(%s::regclass, %s)", [tables.quoted(sequence), last])


def _compare(columns: dict[str, list[str]], manifest: Manifest) -> None:
    there = {table.name: sorted(table.columns) for table in manifest.tables}
    here = {name: sorted(found) for name, found in columns.items()}
    for name in sorted(there.keys() | here.keys()):
        if there.get(name) != here.get(name):
            raise ArchiveError(f"the archive does not fit: table {name} differs from its migrations")


def _copy_in(cursor: Any, archive: Reader, table: Table) -> None:
    counted = Counted()
    with (
        archive.open(table.name) as rows,
        cursor.copy(tables.copy(table.name, table.columns, "FROM STDIN")) as stream,
    ):
        while data := rows.read(CHUNK):
            counted.take(data)
            stream.write(data)
    if (counted.rows, counted.sha256) != (table.rows, table.sha256) or cursor.rowcount != table.rows:
        raise ArchiveError(f"{archive.path}: {table.name} is damaged")
