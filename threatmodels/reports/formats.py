"""The forms that a report comes in, by the names that addresses use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from threatmodels.reports.contents import Report
from threatmodels.reports.csv_file import csv_report
from threatmodels.reports.html_file import html_report
from threatmodels.reports.json_file import json_report
from threatmodels.reports.markdown import markdown_report
from threatmodels.reports.xlsx_file import xlsx_report


@dataclass(frozen=True, slots=True)
class Format:
    """`write` takes the report and the folder of the fonts."""

    title: str
    ending: str
    media_type: str
    write: Callable[[Report, Path], bytes]


# Its library takes a second and much memory to load: not before somebody asks for such a file.
def _pdf(report: Report, fonts: Path) -> bytes:
    from threatmodels.reports.pdf import pdf_report

    return pdf_report(report, fonts=fonts)


FORMATS = {
    "html": Format("HTML", "html", "text/html; charset=utf-8", lambda report, _fonts: html_report(report)),
    "pdf": Format("PDF", "pdf", "application/pdf", _pdf),
    "markdown": Format(
        "Markdown", "md", "text/markdown; charset=utf-8", lambda report, _fonts: markdown_report(report)
    ),
    "csv": Format("CSV", "csv", "text/csv; charset=utf-8", lambda report, _fonts: csv_report(report)),
    "xlsx": Format(
        "Excel",
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        lambda report, _fonts: xlsx_report(report),
    ),
    "json": Format(
        "JSON", "json", "application/vnd.tmi.report+json", lambda report, _fonts: json_report(report)
    ),
}
