"""Threats as an Excel workbook: one sheet with a header, then a row for each."""

from __future__ import annotations

import io
import zipfile
import zlib
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from threatmodels.interchange.document import Document
from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.limits import MEBIBYTE, Limits
from threatmodels.interchange.report import Reading
from threatmodels.interchange.source import Source
from threatmodels.interchange.threat_table import MOST_ROWS, is_header, reading_of, rows_of
from threatmodels.interchange.xml_file import local, too_many
from tmi.lib.spreadsheet import Sheet, workbook

KIND = "xlsx"
DAMAGED = "The workbook is damaged and cannot be read."
MOST_COLUMNS = 200
# Excel knows no more, and the library holds all cells of a row at once.
MOST_CELLS_OF_A_ROW = 16_384
WIDTHS = {"name": 45, "description": 70, "mitigation": 70}


def read(source: Source) -> Reading:
    """The threats in the first sheet that has a table of threats."""
    _refuse_bomb(source.data, source.limits)
    try:
        rows = _table(source.data)
    except Exception as error:
        # The library trips over what is not what it claims to be in a hundred ways.
        raise UnreadableFile(DAMAGED) from error
    if rows is None:
        raise UnreadableFile("The workbook has no sheet whose first row names the columns of threats.")
    return reading_of(source, KIND, rows)


def _table(data: bytes) -> list[tuple[object, ...]] | None:
    """The rows of the sheet; one more than are allowed, so that the reader sees that there are."""
    from openpyxl import load_workbook  # large: not before somebody asks for a workbook

    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    for sheet in book.worksheets:
        # The size that a sheet claims to have may be anything.
        sheet.reset_dimensions()
        rows = sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS, max_row=MOST_ROWS + 1)
        first = next(rows, ())
        if is_header(first):
            return [first, *rows]
    return None


def write(document: Document) -> bytes:
    """The workbook; no cell of it is a formula."""
    head, *rows = rows_of(document)
    return workbook([Sheet("Threats", head, rows, WIDTHS, frozen="B2")])


def _refuse_bomb(data: bytes, limits: Limits) -> None:
    """A part is never unpacked beyond the size that the directory gives it, so that their sum is a bound."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if sum(part.file_size for part in parts) > limits.max_expanded_bytes:
                raise UnreadableFile(
                    f"The workbook unpacks to more than {limits.max_expanded_bytes / MEBIBYTE:g} MiB."
                )
            elements = 0
            for part in parts:
                content = archive.read(part)
                elements += content.count(b"<") - content.count(b"</")
                if elements > limits.max_values:
                    raise too_many(limits)
                _refuse_wide_rows(content)
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, RuntimeError) as error:
        raise UnreadableFile(DAMAGED) from error


def _refuse_wide_rows(content: bytes) -> None:
    parser = DefusedXMLParser(target=_Cells(), forbid_entities=True, forbid_external=True)
    try:
        parser.feed(content)
    except (ParseError, DefusedXmlException, ValueError):
        return  # no XML: the library tells whether that matters


class _Cells:
    """Counts the cells of each row while a parser goes through a sheet."""

    def __init__(self) -> None:
        self._of_row = 0

    def start(self, tag: str, _: dict[str, str], /) -> None:
        name = local(tag)
        if name == "row":
            self._of_row = 0
        elif name == "c":
            self._of_row += 1
            if self._of_row > MOST_CELLS_OF_A_ROW:
                raise UnreadableFile(f"A row of the workbook has more than {MOST_CELLS_OF_A_ROW} cells.")
