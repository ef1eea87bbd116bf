"""Taking a threat model out as a file."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from threatmodels.export import EXPORTS, export_file
from threatmodels.views.base import frame, load, page, parameters
from tmi.lib.errors import ValidationFailed


@page("GET")
def exporting(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """The kinds of files, or one of them where the address names it."""
    threat_model = load(request, model_id)
    context = frame(threat_model, title=_("Export"), exports=_offered())
    kind = parameters(request).get("format")
    if kind is None:
        return render(request, "threatmodels/export.html", context)
    try:
        file = export_file(threat_model, kind)
    except ValidationFailed as error:
        return render(request, "threatmodels/export.html", context | {"wrong": error.message}, status=400)
    headers = {
        "Content-Disposition": content_disposition_header(True, file.name) or "attachment",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    return HttpResponse(file.content, content_type=file.media_type, headers=headers)


def _offered() -> list[dict[str, str]]:
    """The kinds of files with what each of them holds."""
    held = {
        "tmi": _("Everything. It can be imported here without loss."),
        "threat-dragon": _("Diagrams and threats, for version 2."),
        "otm": _("Diagrams, threats, assets and repositories, version 0.2."),
        "tm-bom": _("Diagrams, threats with controls and risks, assets, version 1.0.2."),
        "drawio": _("Diagrams alone, a page for each."),
        "csv": _("Threats alone, a row for each."),
        "xlsx": _("Threats alone, a row for each."),
        "html": _("The whole report with its pictures, in one file for any browser."),
        "pdf": _("The whole report with its pictures, to print or hand on."),
        "markdown": _("The whole report as text."),
        "sarif": _("Open threats, suggestions and matters of hygiene, for code scanning."),
    }
    return [{"kind": k, "title": e.title, "held": held.get(k, "")} for k, e in EXPORTS.items()]
