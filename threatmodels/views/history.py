"""Who changed what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Count, Max
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditEntry, User
from threatmodels import access
from threatmodels.actions.history import revert
from threatmodels.audit_words import MODELS, told
from threatmodels.models import Diagram, DiagramOperation, ThreatModel
from threatmodels.roles import Role
from threatmodels.views.base import frame, load, page, parameters, person
from tmi.lib.errors import DomainError, NotFound
from tmi.lib.ids import NO_ID, parse_id

PER_PAGE = 50


@page("GET")
def history(request: HttpRequest, model_id: UUID) -> HttpResponse:
    threat_model = load(request, model_id)
    given = parameters(request)
    entries = threat_model.audit_entries.select_related("actor").order_by("-created_at", "-id")
    if kind := given.get("entity"):
        entries = entries.filter(entity_type=kind)
    if actor := given.get("actor"):
        entries = entries.filter(actor_id=parse_id(actor) or NO_ID)
    listed = Paginator(entries, PER_PAGE).get_page(given.get("page"))
    lines = told(listed) + list(_drawing(threat_model, listed, given))
    actors = User.objects.filter(pk__in=threat_model.audit_entries.values("actor_id")).order_by("name")
    context = frame(
        threat_model,
        page=listed,
        history=sorted(lines, key=lambda line: line["when"], reverse=True),
        actors=actors,
        entities=[(name, MODELS[name]._meta.verbose_name) for name in MODELS],
        filters=given,
        reverts=access.role_of(threat_model) >= Role.WRITER,
    )
    return render(request, "threatmodels/history.html", context)


def _drawing(threat_model: ThreatModel, listed: Page[AuditEntry], given: dict[str, str]) -> Iterator[Any]:
    """How often each diagram was changed on each day that the page reaches; one query."""
    if given.get("entity") not in (None, "", Diagram.kind):
        return
    found = DiagramOperation.objects.filter(
        diagram__threat_model=threat_model, diagram__deleted_at__isnull=True
    )
    if actor := given.get("actor"):
        found = found.filter(actor_id=parse_id(actor) or NO_ID)
    if listed.has_next():
        found = found.filter(created_at__gte=listed[-1].created_at)
    if listed.has_previous():
        newer: Any = listed.paginator.page(listed.previous_page_number()).object_list
        found = found.filter(created_at__lt=list(newer)[-1].created_at)
    days = found.annotate(day=TruncDate("created_at")).values("diagram_id", "diagram__name", "day")
    for row in days.annotate(number=Count("pk"), when=Max("created_at")).order_by("-when"):
        yield {**row, "name": row["diagram__name"]}


@page("POST")
def revert_entry(request: HttpRequest, model_id: UUID, entry_id: UUID) -> HttpResponse:
    """Takes back what one entry tells of, if nobody has changed the same since."""
    threat_model = load(request, model_id, Role.WRITER)
    entry = threat_model.audit_entries.filter(pk=entry_id).first()
    if entry is None:
        raise NotFound
    try:
        revert(threat_model, entry, actor=person(request))
    except DomainError as error:
        messages.error(request, _("This cannot be taken back: %(reason)s") % {"reason": error.message})
    else:
        messages.success(request, _("The change was taken back."))
    return redirect("history", model_id)
