"""The page of a threat model and the forms of its own fields."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from threatmodels import access
from threatmodels.actions.threat_model import (
    create_threat_model,
    delete_threat_model,
    restore_threat_model,
    update_threat_model,
)
from threatmodels.audit_words import told
from threatmodels.choices import PRIORITIES, SEVERITIES, THREAT_STATUSES
from threatmodels.forms import MetadataForm, ThreatModelForm
from threatmodels.models import Diagram, Metadata, Threat, ThreatModel
from threatmodels.reports.formats import FORMATS
from threatmodels.roles import Role
from threatmodels.starters.catalogue import starters
from threatmodels.views.base import frame, load, page, parameters, person, saved, wants_part
from threatmodels.views.kinds import KINDS
from tmi.lib.ids import NO_ID, parse_id

THREATS_PER_PAGE = 50
THREAT_FILTERS = ("q", "severity", "priority", "status", "threat_type", "diagram")
THREAT_SORTS = {
    "name": "name",
    "severity": "severity_rank",
    "score": "score",
    "status": "status",
    "priority": "priority_rank",
    "type": "threat_type",
    "changed": "modified_at",
}


@page("GET")
def detail(request: HttpRequest, model_id: UUID) -> HttpResponse:
    threat_model = load(request, model_id)
    context = frame(threat_model, **_threats(request, threat_model))
    if wants_part(request):
        return render(request, "threatmodels/_threats_found.html", context)
    if access.role_of(threat_model) >= Role.WRITER:
        context["form"] = ThreatModelForm(instance=threat_model)
    lists = {
        kind.plural: kind.listed(threat_model) for kind in KINDS if kind.plural not in {"threats", "diagrams"}
    }
    entries = threat_model.audit_entries.select_related("actor").order_by("-created_at", "-id")[:10]
    context |= {
        "diagrams": Diagram.objects.live()
        .without_cells()
        .filter(threat_model=threat_model)
        .order_by("name", "id"),
        "kinds": [kind for kind in KINDS if kind.plural in lists],
        "lists": lists,
        "access_entries": access.entries_of(threat_model),
        "history": told(entries),
        "metadata": Metadata.objects.filter(entity_id=threat_model.pk).order_by("key"),
        "metadata_form": MetadataForm(),
        "formats": FORMATS,
    }
    return render(request, "threatmodels/threat_model_detail.html", context)


def _threats(request: HttpRequest, threat_model: ThreatModel) -> dict[str, Any]:
    """The table of threats: a page of what the filters let through, in the order that is asked for."""
    given = parameters(request)
    every = Threat.objects.live().filter(threat_model=threat_model)
    rows = every.with_severity_rank().with_priority_rank()
    if words := given.get("q", "").strip():
        rows = rows.search(words)
    for name in ("severity", "priority", "status", "threat_type"):
        if value := given.get(name):
            rows = rows.filter(**{f"{name}__iexact": value})
    if diagram := given.get("diagram"):
        rows = rows.filter(diagram_id=parse_id(diagram) or NO_ID)
    sort = given.get("sort", "")
    sort = sort if sort.removeprefix("-") in THREAT_SORTS else "severity"
    column = F(THREAT_SORTS[sort.removeprefix("-")])
    order = column.desc(nulls_last=True) if sort.startswith("-") else column.asc(nulls_last=True)
    rows = rows.select_related("report_row").order_by(order, "id")
    listed = Paginator(rows, THREATS_PER_PAGE)
    is_filtered = any(given.get(name) for name in THREAT_FILTERS)
    return {
        "page": listed.get_page(given.get("page")),
        "total": every.count() if is_filtered else listed.count,
        "sort": sort,
        "filters": request.GET,
        "is_filtered": is_filtered,
        # Translated once, not in every row.
        "severities": [(value, str(title)) for value, title in SEVERITIES],
        "priorities": [(value, str(title)) for value, title in PRIORITIES],
        "statuses": [(value, str(title)) for value, title in THREAT_STATUSES],
    }


@page("GET", "POST")
def create(request: HttpRequest) -> HttpResponse:
    form = ThreatModelForm(request.POST or None)
    if form.is_valid():
        made = saved(form, lambda: create_threat_model(actor=person(request), **form.values()))
        if made is not None:
            return redirect("threat_model", made.pk)
    context = {"form": form, "title": _("New threat model"), "back": "/", "starters": starters()}
    return render(request, "threatmodels/threat_model_new.html", context, status=400 if form.errors else 200)


@page("GET", "POST")
def edit(request: HttpRequest, model_id: UUID) -> HttpResponse:
    threat_model = load(request, model_id, Role.WRITER)
    form = ThreatModelForm(request.POST or None, instance=threat_model)
    if form.is_valid():
        fresh = load(request, model_id, Role.WRITER)
        done = saved(form, lambda: update_threat_model(fresh, actor=person(request), changes=form.changes))
        if done is not None:
            messages.success(request, _("Saved."))
            return redirect("threat_model", model_id)
    context = frame(load(request, model_id), form=form, title=_("Edit threat model"))
    return render(request, "threatmodels/form.html", context, status=400 if form.errors else 200)


@page("GET", "POST")
def delete(request: HttpRequest, model_id: UUID) -> HttpResponse:
    threat_model = load(request, model_id, Role.OWNER)
    if request.method == "POST":
        delete_threat_model(threat_model, actor=person(request))
        messages.success(
            request, _("“%(name)s” was deleted.") % {"name": threat_model.name}, extra_tags="undo-model"
        )
        return redirect("deleted_threat_models")
    context = frame(threat_model, subject=threat_model, deleted_days=settings.CONFIG.retention.deleted_days)
    return render(request, "threatmodels/delete.html", context)


@page("GET")
def deleted(request: HttpRequest) -> HttpResponse:
    """What the person, as an owner, can restore."""
    rows = access.restorable_by(person(request)).order_by("-deleted_at", "-id").select_related("deleted_by")
    listed = Paginator(rows, 50).get_page(request.GET.get("page"))
    return render(request, "threatmodels/threat_model_deleted.html", {"page": listed})


@page("POST")
def restore(request: HttpRequest, model_id: UUID) -> HttpResponse:
    found = access.get_threat_model(person(request), model_id, deleted=True)
    restore_threat_model(found, actor=person(request))
    messages.success(request, _("“%(name)s” is back.") % {"name": found.name})
    return redirect("threat_model", model_id)
