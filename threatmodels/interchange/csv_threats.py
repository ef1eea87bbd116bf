"""Threats as CSV: a header, then a row for each."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from threatmodels.interchange.document import Document
from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.report import Reading
from threatmodels.interchange.source import Source
from threatmodels.interchange.threat_table import is_header, reading_of, rows_of

KIND = "csv"
DELIMITERS = (",", ";", "\t")
# What Excel writes on Windows unless it is asked for UTF-8.
WINDOWS = "windows-1252"
# With this line before the header Excel knows what separates the columns.
SEPARATOR = re.compile(r'\ufeff?"?sep=([,;\t])"?\r?\n', re.IGNORECASE)
# A header is looked for in anything.
LONGEST_HEADER = 8_192


def matches(text: str) -> bool:
    """Whether a text begins with the header of a table of threats."""
    return delimiter_of(text) is not None


def is_windows(source: Source) -> bool:
    """Whether a file that is no text in UTF-8 is a table of threats as Excel writes it on Windows."""
    try:
        return matches(source.data.decode(WINDOWS))
    except UnicodeDecodeError:
        return False


def delimiter_of(text: str) -> str | None:
    told = SEPARATOR.match(text)
    begin = text[told.end() if told else 0 :][:LONGEST_HEADER].lstrip("\ufeff\r\n").splitlines()[:1]
    for delimiter in (told[1] if told else DELIMITERS) if begin else ():
        if is_header(begin[0].replace('"', "").split(delimiter)):
            return delimiter
    return None


def read(source: Source) -> Reading:
    """The threats in a table whose delimiter is a comma, a semicolon or a tab."""
    try:
        text, changes = source.text, []
    except UnreadableFile:
        text, changes = source.data.decode(WINDOWS), [f"It is no UTF-8 and was read as {WINDOWS}."]
    return reading_of(source, KIND, _rows(text), changes)


def _rows(text: str) -> Iterator[list[str]]:
    delimiter = delimiter_of(text) or ","
    lines = io.StringIO(
        text[told.end() if (told := SEPARATOR.match(text)) else 0 :].lstrip("\ufeff\r\n"), newline=""
    )
    try:
        yield from csv.reader(lines, delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise UnreadableFile(f"The table is no valid CSV: {error}.") from error


def write(document: Document) -> bytes:
    """UTF-8 with a byte order mark, without which Excel takes it for another encoding."""
    lines = io.StringIO(newline="")
    csv.writer(lines).writerows(rows_of(document))
    return lines.getvalue().encode("utf-8-sig")
