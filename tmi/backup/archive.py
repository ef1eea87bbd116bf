"""The file of a backup: a ZIP with the rows of each table as COPY writes them, and a manifest behind them.

`tables/NAME` holds the text format of COPY, in UTF-8, which every version of PostgreSQL reads.
`manifest.json` says how many rows and which bytes each table has, and which migrations they belong to.
"""

from __future__ import annotations

import hashlib
import hmac
import zipfile
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict, ValidationError

FORMAT = 1
MANIFEST = "manifest.json"
# Of a file of the wrong kind no more than this is read.
LONGEST_MANIFEST = 10_000_000
# Fast, and nearly as small: the rows are mostly JSON.
LEVEL = 3


class ArchiveError(Exception):
    """An archive cannot be written or used; the text is one line that says why."""


class Table(BaseModel):
    """A table of the archive; `sha256` is that of its rows, in hexadecimal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    columns: list[str]
    rows: int
    sha256: str


class Manifest(BaseModel):
    """What an archive holds. `sequences` are the last numbers given out, null where none was."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    made_at: str
    postgres: int
    migrations: list[tuple[str, str]]
    encryption_keys: list[str]
    tables: list[Table]
    sequences: dict[str, int | None]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


def member(table: str) -> str:
    """The name of a table's rows in the ZIP."""
    return f"tables/{table}"


def key_mark(key: str) -> str:
    """What tells two encryption keys apart and gives neither away."""
    return hmac.digest(key.encode(), b"tmi backup", hashlib.sha256).hex()[:16]


class Counted:
    """Bytes on their way: how many lines, and their hash."""

    def __init__(self) -> None:
        self.rows = 0
        self._hash = hashlib.sha256()

    def take(self, data: bytes | memoryview) -> None:
        raw = bytes(data)
        # COPY writes a line end inside a value as \n, so that each row is one line.
        self.rows += raw.count(b"\n")
        self._hash.update(raw)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


class Writer:
    """A new archive."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)

    def open(self, table: str) -> IO[bytes]:
        return self._zip.open(member(table), "w", force_zip64=True)

    def finish(self, manifest: Manifest) -> None:
        self._zip.writestr(MANIFEST, manifest.model_dump_json(indent=1))

    def close(self) -> None:
        self._zip.close()


class Reader:
    """An archive that is there. Raises ArchiveError when it is none, or not whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
            if self._zip.getinfo(MANIFEST).file_size > LONGEST_MANIFEST:
                raise ArchiveError(f"{path}: is no backup of TMI")
            self.manifest = Manifest.model_validate_json(self._zip.read(MANIFEST))
        except OSError as problem:
            raise ArchiveError(f"{path}: {problem.strerror or problem}") from None
        except (zipfile.BadZipFile, KeyError, ValidationError):
            raise ArchiveError(f"{path}: is no backup of TMI, or not all of one") from None
        if self.manifest.format != FORMAT:
            raise ArchiveError(f"{path}: has format {self.manifest.format}, and this version reads {FORMAT}")

    def open(self, table: str) -> IO[bytes]:
        try:
            return self._zip.open(member(table))
        except KeyError:
            raise ArchiveError(f"{self.path}: {table} is missing") from None

    def close(self) -> None:
        self._zip.close()
