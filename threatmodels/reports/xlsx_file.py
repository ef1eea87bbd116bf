"""The threats and assets of a report as an Excel workbook."""

from __future__ import annotations

from threatmodels.reports.contents import Report
from threatmodels.reports.table import COLUMNS, rows_of
from tmi.lib.spreadsheet import Sheet, workbook

WIDTHS = {"Name": 42, "Description": 60, "Mitigation": 60, "Element": 26, "Diagram": 24, "Id": 38}


def xlsx_report(report: Report) -> bytes:
    """Two sheets."""
    assets = Sheet("Assets", ["Name", "Facts", "Description"], _assets(report), WIDTHS)
    return workbook([Sheet("Threats", COLUMNS, rows_of(report), WIDTHS), assets])


def _assets(report: Report) -> list[list[str]]:
    return [
        [one.name, "; ".join(f"{title}: {value}" for title, value in one.facts.items()), one.text]
        for one in report.assets
    ]
