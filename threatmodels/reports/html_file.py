"""The report as one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64

from django.template.loader import render_to_string

from threatmodels.reports.contents import Report


def html_report(report: Report) -> bytes:
    context = {"report": report, "choices": report.choices, "pictures": pictures_of(report)}
    return render_to_string("threatmodels/report_file.html", context).encode()


def pictures_of(report: Report) -> dict[str, str]:
    """The pictures of the diagrams, as addresses that hold them, by the ids of the diagrams."""
    return {one.id: _as_data(one.svg) for one in report.diagrams} if report.choices.diagrams else {}


def _as_data(svg: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
