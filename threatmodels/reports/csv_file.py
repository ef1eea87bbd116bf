"""The threats of a report as CSV."""

from __future__ import annotations

import csv
import io

from threatmodels.reports.contents import Report
from threatmodels.reports.table import COLUMNS, rows_of
from tmi.lib.spreadsheet import defused


def csv_report(report: Report) -> bytes:
    """UTF-8 with a byte order mark, by which Excel knows it; a row a threat."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    writer.writerows([defused(value) for value in row] for row in rows_of(report))
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")
