"""Threats as CSV: a header, then a row for each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from threatmodels.interchange.document import Document
from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.report import Reading
from threatmodels.interchange.source import Source
from threatmodels.interchange.threat_table import is_header, reading_of, rows_of

KIND = "csv"
DELIMITERS = (",", ";", "\t")
# A header is looked for in anything.
LONGEST_HEADER = 8_192


def matches(text: str) -> bool:
    """Whether a text begins with the header of a table of threats."""
    return delimiter_of(text) is not None


def delimiter_of(text: str) -> str | None:
    first = text[:LONGEST_HEADER].lstrip("\ufeff\r\n").splitlines()[:1]
    for delimiter in DELIMITERS if first else ():
        if is_header(first[0].replace('"', "").split(delimiter)):
            return delimiter
    return None


def read(source: Source) -> Reading:
    """The threats in a table whose delimiter is a comma, a semicolon or a tab."""
    return reading_of(source, KIND, _rows(source.text))


def _rows(text: str) -> Iterator[list[str]]:
    delimiter = delimiter_of(text) or ","
    lines = io.StringIO(text.lstrip("\ufeff\r\n"), newline="")
    try:
        yield from csv.reader(lines, delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise UnreadableFile(f"The table is no valid CSV: {error}.") from error


def write(document: Document) -> bytes:
    """UTF-8 with a byte order mark, without which Excel takes it for another encoding."""
    lines = io.StringIO(newline="")
    csv.writer(lines).writerows(rows_of(document))
    return lines.getvalue().encode("utf-8-sig")
