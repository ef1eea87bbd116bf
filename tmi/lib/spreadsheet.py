"""Text in spreadsheets: cells that no program runs, and workbooks of nothing but text."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# What a spreadsheet takes for a formula or a command, also in full width and after white space.
_FORMULA = re.compile("[\\s\u200b\ufeff]*[=+\\-@|%＝＋－＠\t\r\n]")
_DEFUSED = re.compile(f"'(?:{_FORMULA.pattern}|')")
LONGEST_CELL = 32_767
# Characters that the XML of a workbook has no way to write.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def defused(text: str) -> str:
    """The text as a cell that no spreadsheet runs: an apostrophe stands before what would be a formula.

    What looks as if it had been defused gets another apostrophe, so that `restored` brings everything back.
    """
    return f"'{text}" if _FORMULA.match(text) or _DEFUSED.match(text) else text


def restored(text: str) -> str:
    """The inverse of `defused`."""
    return text[1:] if _DEFUSED.match(text) else text


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of text. `widths` are in characters, by heading; what is left and above of `frozen` stays."""

    title: str
    columns: Sequence[str]
    rows: Iterable[Sequence[str]]
    widths: Mapping[str, int] = field(default_factory=dict)
    frozen: str = "A2"


def workbook(sheets: Iterable[Sheet]) -> bytes:
    """An Excel workbook. Every cell is text, so that nothing in it is a formula or a link."""
    from openpyxl import Workbook  # large: not before somebody asks for a workbook

    book = Workbook(write_only=True)
    for sheet in sheets:
        _write(book, sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _write(book: Any, sheet: Sheet) -> None:
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    made = book.create_sheet(sheet.title)
    made.freeze_panes = sheet.frozen
    for at, name in enumerate(sheet.columns, 1):
        made.column_dimensions[get_column_letter(at)].width = sheet.widths.get(name, 18)
    head, body = Font(bold=True), Alignment(wrap_text=True, vertical="top")
    made.append([_cell(made, name, font=head) for name in sheet.columns])
    rows = list(sheet.rows)
    for row in rows:
        made.append([_cell(made, text, alignment=body) for text in row])
    made.auto_filter.ref = f"A1:{get_column_letter(len(sheet.columns))}{len(rows) + 1}"


def _cell(sheet: Any, text: str, **style: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value=_NOT_IN_XML.sub("", text)[:LONGEST_CELL])
    cell.data_type = "s"
    cell.number_format = "@"
    for name, value in style.items():
        setattr(cell, name, value)
    return cell
