"""The report of a threat model: a page to read and print, and files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from threatmodels.reporting import report_of
from threatmodels.reports.contents import ORDERS, Choices
from threatmodels.reports.formats import FORMATS
from threatmodels.reports.html_file import pictures_of
from threatmodels.views.base import frame, load, page, parameters
from tmi.lib.errors import NotFound

FLAGS = ("summary", "diagrams", "out_of_scope", "mitigated", "empty")


@page("GET")
def report(request: HttpRequest, model_id: UUID) -> HttpResponse:
    threat_model = load(request, model_id)
    given = parameters(request)
    choices = chosen(given)
    made = report_of(threat_model, choices)
    context = frame(
        threat_model,
        report=made,
        pictures=pictures_of(made),
        choices=choices,
        orders=ORDERS,
        formats=FORMATS,
        query=request.GET.urlencode(),
    )
    return render(request, "threatmodels/report.html", context)


@page("GET")
def download(request: HttpRequest, model_id: UUID, name: str) -> HttpResponse:
    """The report as a file."""
    threat_model = load(request, model_id)
    if name not in FORMATS:
        raise NotFound
    form = FORMATS[name]
    written = form.write(report_of(threat_model, chosen(parameters(request))), settings.NODE_MODULES)
    return HttpResponse(
        written, content_type=form.media_type, headers=as_file(threat_model.name, form.ending)
    )


def chosen(given: Mapping[str, str]) -> Choices:
    """The choices in an address: `show` marks that boxes that are missing were cleared."""
    asked = "show" in given
    flags = {name: given.get(name, "off" if asked else "on") == "on" for name in FLAGS}
    order = given.get("order", "severity")
    return Choices(**flags, order=order if order in ORDERS else "severity")


def as_file(name: str, ending: str) -> dict[str, str]:
    """Headers by which a browser saves what it gets, and runs nothing in it."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:60] or "report"
    return {
        "Content-Disposition": f'attachment; filename="{plain}-report.{ending}"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
