"""The pages of the parts of a threat model: look, make, change, delete, restore. One set for all kinds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from threatmodels import access
from threatmodels.actions.record import delete_record, restore_record
from threatmodels.audit_words import told
from threatmodels.cells import label
from threatmodels.cvss import VERSIONS
from threatmodels.element_places import places_of
from threatmodels.forms import MetadataForm
from threatmodels.models import Diagram, Metadata, Record, Threat
from threatmodels.risk import risk
from threatmodels.roles import Role
from threatmodels.views.base import frame, load, page, person, saved
from threatmodels.views.kinds import KINDS, Kind

# What scripts ask for alone when a field of a threat was saved.
PARTS = {"risk": "threatmodels/_risk.html", "weaknesses": "threatmodels/_weaknesses.html"}


def url(record: Record, kind: Kind, what: str = "") -> str:
    name = f"{kind.plural}_{what}" if what else kind.plural
    return reverse(name, args=[record.threat_model_id, record.pk])


def details_url(record: Record, kind: Kind) -> str:
    return reverse(kind.details, args=[record.threat_model_id, record.pk])


@page("GET")
def detail(request: HttpRequest, model_id: UUID, record_id: UUID, kind: Kind) -> HttpResponse:
    threat_model = load(request, model_id)
    record = access.record_in(threat_model, kind.model, record_id)
    entries = threat_model.audit_entries.filter(entity_id=record.pk).select_related("actor")
    context = frame(
        threat_model,
        kind=kind,
        record=record,
        metadata=Metadata.objects.filter(entity_type=kind.model.kind, entity_id=record.pk).order_by("key"),
        metadata_form=MetadataForm(),
        history=told(entries.order_by("-created_at", "-id")[:20]),
        **_beside(record),
    )
    if request.htmx and (part := PARTS.get(request.GET.get("part", ""))):  # type: ignore[attr-defined]  # django-htmx
        return render(request, part, context)
    if access.role_of(threat_model) >= Role.WRITER:
        context["form"] = kind.form(instance=record)
    return render(request, f"threatmodels/{kind.model.kind}_detail.html", context)


def _beside(record: Record) -> dict[str, Any]:
    """What a page shows that is no field of the record."""
    if isinstance(record, Threat):
        suggested = risk(record.likelihood, record.severity)
        return {"place": record.report_row, "suggested_risk": suggested, "cvss": VERSIONS}
    if isinstance(record, Diagram):
        return {"elements": _elements(record)}
    return {}


def _elements(diagram: Diagram) -> list[dict[str, Any]]:
    """The cells of a diagram with the threats on them, flows last."""
    threats: dict[str, list[Threat]] = {}
    for threat in diagram.threats.filter(deleted_at=None).order_by("name"):
        threats.setdefault(str(threat.cell_id), []).append(threat)
    cells = sorted(diagram.current_cells, key=lambda cell: (cell["type"] == "data_flow", label(cell).lower()))
    places = places_of(diagram.current_cells)
    return [
        {
            "type": cell["type"],
            "place": str(places[cell["id"]]) if cell["id"] in places else "",
            "label": label(cell),
            "description": cell["properties"].get("description", ""),
            "out_of_scope": cell.get("out_of_scope", False),
            "reason": cell["properties"].get("out_of_scope_reason", ""),
            "threats": threats.get(cell["id"], []),
        }
        for cell in cells
        if cell["type"] != "text"
    ]


@page("GET", "POST")
def create(request: HttpRequest, model_id: UUID, kind: Kind) -> HttpResponse:
    threat_model = load(request, model_id, Role.WRITER)
    form = kind.form(request.POST or None, instance=kind.model(threat_model=threat_model))
    if form.is_valid():
        made = saved(form, lambda: kind.create(threat_model, person(request), **form.values()))
        if made is not None:
            return redirect(url(made, kind))
    context = frame(threat_model, form=form, kind=kind, title=kind.new)
    return render(request, "threatmodels/form.html", context, status=400 if form.errors else 200)


@page("GET", "POST")
def edit(request: HttpRequest, model_id: UUID, record_id: UUID, kind: Kind) -> HttpResponse:
    threat_model = load(request, model_id, Role.WRITER)
    record: Any = access.record_in(threat_model, kind.model, record_id)
    name = str(record)
    form = kind.form(request.POST or None, instance=record)
    if form.is_valid():
        done = saved(form, lambda: kind.update(record, person(request), form.changes))
        if done is not None:
            messages.success(request, _("Saved."))
            return redirect(details_url(record, kind))
    context = frame(threat_model, form=form, kind=kind, record=record, title=name)
    return render(request, "threatmodels/form.html", context, status=400 if form.errors else 200)


@page("GET", "POST")
def delete(request: HttpRequest, model_id: UUID, record_id: UUID, kind: Kind) -> HttpResponse:
    threat_model = load(request, model_id, Role.WRITER)
    record = access.record_in(threat_model, kind.model, record_id)
    if request.method == "POST":
        delete_record(record, actor=person(request))
        messages.success(request, _("“%(name)s” was deleted. It can be restored.") % {"name": record})
        return redirect("deleted_records", model_id)
    days = settings.CONFIG.retention.deleted_days
    context = frame(threat_model, kind=kind, subject=record, deleted_days=days)
    return render(request, "threatmodels/delete.html", context)


@page("POST")
def restore(request: HttpRequest, model_id: UUID, record_id: UUID, kind: Kind) -> HttpResponse:
    threat_model = load(request, model_id, Role.WRITER)
    record = access.record_in(threat_model, kind.model, record_id, deleted=True)
    restore_record(record, actor=person(request))
    messages.success(request, _("“%(name)s” is back.") % {"name": record})
    return redirect(url(record, kind))


@page("GET")
def deleted(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """What was deleted in a threat model and can be restored."""
    threat_model = load(request, model_id, Role.WRITER)
    groups = [
        (kind, list(access.records_in(threat_model, kind.model, deleted=True).order_by("-deleted_at")))
        for kind in KINDS
    ]
    context = frame(threat_model, groups=[(kind, rows) for kind, rows in groups if rows])
    return render(request, "threatmodels/deleted.html", context)
