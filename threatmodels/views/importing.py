"""Bringing a file of another tool in."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from threatmodels.actions.importing import import_file
from threatmodels.forms import ImportForm
from threatmodels.interchange.recognise import TITLES
from threatmodels.interchange.registry import READERS
from threatmodels.roles import Role
from threatmodels.views.base import frame, load, page, person
from tmi.lib.errors import DomainError, ValidationFailed


@page("GET", "POST")
def importing(request: HttpRequest, model_id: UUID | None = None) -> HttpResponse:
    """Into a new threat model, or into the one that the address names."""
    target = load(request, model_id, Role.WRITER) if model_id else None
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    context = frame(target) if target else {}
    if form.is_valid():
        upload = form.cleaned_data["file"]
        try:
            imported = import_file(
                actor=person(request), file=upload, filename=upload.name, threat_model=target
            )
        except ValidationFailed as error:
            for problem in error.errors[:20]:
                form.add_error("file", problem.reason)
        except DomainError as error:
            form.add_error("file", error.message)
        else:
            done = context | {"imported": imported, "title": _("File imported")}
            return render(request, "threatmodels/import_done.html", done)
    context |= {"form": form, "title": _("Import a file"), "readable": _readable()}
    return render(request, "threatmodels/import.html", context, status=400 if form.errors else 200)


def _readable() -> list[dict[str, str]]:
    """The kinds of files that can be read, and what is taken from each."""
    taken = {
        "threat-dragon": _("Versions 1 and 2, also templates: diagrams with their threats."),
        "tm7": _("Drawing surfaces with their threats; the knowledge base is not needed."),
        "otm": _("Versions 0.1 and 0.2, JSON or YAML: zones, components, flows, assets, threats."),
        "tm-bom": _("Zones, components, flows, data sets, threats with their controls and risks."),
        "drawio": _("Pages as diagrams; shapes are recognised by their style or their type."),
        "pytm": _("A model as JSON, written by hand or dumped; elements are arranged."),
        "threagile": _("Technical assets, links, boundaries, data assets, risks; elements are arranged."),
        "threat-composer": _("Threats, mitigations and assumptions; pictures are left out."),
        "tmi": _("A threat model that was exported here, without loss."),
        "csv": _("Threats, a row for each; the first row names the columns."),
        "xlsx": _("Threats, a row for each; the first row names the columns."),
    }
    return [{"title": TITLES[kind], "taken": taken[kind]} for kind in READERS]
