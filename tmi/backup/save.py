"""Writing an archive: everything as it was at one moment, while people go on working."""

from __future__ import annotations

import os
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError

from tmi.backup import tables
from tmi.backup.archive import FORMAT, ArchiveError, Counted, Manifest, Table, Writer, key_mark
from tmi.lib.clock import now_text

SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"


def save(path: Path, *, using: str = DEFAULT_DB_ALIAS) -> Manifest:
    """Writes the archive under its name when it is whole and on the disk. Raises ArchiveError."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        if path.exists():
            raise ArchiveError(f"{path}: is there already")
        with _private(unfinished) as file:
            made = _write(file, using)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        _sync(path.parent)
    except OSError as problem:
        raise ArchiveError(f"{problem.filename or path}: {problem.strerror or problem}") from None
    except DatabaseError as problem:
        raise ArchiveError(f"the database: {tables.said(problem)}") from None
    finally:
        with suppress(OSError):
            unfinished.unlink()
    return made


def _private(path: Path) -> IO[bytes]:
    """A new file for us alone: whoever reads it has everything."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")


def _write(file: IO[bytes], using: str) -> Manifest:
    with closing(Writer(file)) as archive, tables.session(using, SNAPSHOT) as cursor:
        columns = tables.columns(cursor)
        if "django_migrations" not in columns:
            raise ArchiveError("the database has no tables: there is nothing to back up")
        manifest = Manifest(
            format=FORMAT,
            made_at=now_text(),
            postgres=cursor.connection.info.server_version,
            migrations=_migrations(cursor),
            encryption_keys=[key_mark(key) for key in settings.ENCRYPTION_KEYS],
            tables=[_table(cursor, archive, name, names) for name, names in columns.items()],
            sequences=tables.sequences(cursor),
        )
        archive.finish(manifest)
    return manifest


def _migrations(cursor: Any) -> list[tuple[str, str]]:
    cursor.execute("SELECT app, name FROM django_migrations ORDER BY 1, 2")
    found: list[tuple[str, str]] = cursor.fetchall()
    return found


def _table(cursor: Any, archive: Writer, name: str, columns: list[str]) -> Table:
    counted = Counted()
    with archive.open(name) as rows, cursor.copy(tables.copy(name, columns, "TO STDOUT")) as stream:
        for data in stream:
            counted.take(data)
            rows.write(data)
    return Table(name=name, columns=columns, rows=counted.rows, sha256=counted.sha256)


def _sync(folder: Path) -> None:
    """The name is on the disk too."""
    held = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)
