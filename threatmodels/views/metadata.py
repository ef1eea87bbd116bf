"""Metadata on the pages of its entities."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from threatmodels import access
from threatmodels.actions.metadata import Entity, delete_metadata, set_metadata
from threatmodels.forms import MetadataForm
from threatmodels.models import ThreatModel
from threatmodels.roles import Role
from threatmodels.views.base import load, page, person
from threatmodels.views.kinds import Kind
from threatmodels.views.record import details_url
from tmi.lib.errors import DomainError, ValidationFailed


@page("POST")
def metadata(
    request: HttpRequest, model_id: UUID, record_id: UUID | None = None, kind: Kind | None = None
) -> HttpResponse:
    """Sets an entry, or removes the one that `remove` names."""
    threat_model = load(request, model_id, Role.WRITER)
    entity, back = _entity(threat_model, record_id, kind)
    try:
        _write(request, entity)
    except DomainError as error:
        reasons = [e.reason for e in error.errors] if isinstance(error, ValidationFailed) else [error.message]
        messages.error(request, _("Metadata: %(reason)s") % {"reason": " ".join(reasons)})
    return redirect(f"{back}#metadata")


def _write(request: HttpRequest, entity: Entity) -> None:
    if "remove" in request.POST:
        delete_metadata(entity, actor=person(request), keys=[request.POST["remove"]])
        return
    form = MetadataForm(request.POST)
    if form.is_valid():
        pair = (form.cleaned_data["key"], form.cleaned_data["value"])
        set_metadata(entity, actor=person(request), pairs=[pair], many=False)
    else:
        messages.error(request, " ".join(str(text) for texts in form.errors.values() for text in texts))


def _entity(threat_model: ThreatModel, record_id: UUID | None, kind: Kind | None) -> tuple[Entity, str]:
    if kind is None or record_id is None:
        return (
            Entity(threat_model, "threat_model", threat_model.pk),
            reverse("threat_model", args=[threat_model.pk]),
        )
    record = access.record_in(threat_model, kind.model, record_id)
    return Entity(threat_model, kind.model.kind, record.pk), details_url(record, kind)
