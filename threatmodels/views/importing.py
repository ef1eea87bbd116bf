"""Bringing a file of another tool in."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from threatmodels.actions.importing import import_file
from threatmodels.forms import ImportForm
from threatmodels.interchange.registry import readable_kinds
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
    context |= {"form": form, "title": _("Import a file"), "readable": readable_kinds()}
    return render(request, "threatmodels/import.html", context, status=400 if form.errors else 200)
