"""Who changed what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import FieldDoesNotExist
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditEntry, User
from threatmodels import access
from threatmodels.actions.history import revert
from threatmodels.models import ThreatModel
from threatmodels.roles import Role
from threatmodels.views.base import frame, load, page, parameters, person
from threatmodels.views.kinds import KINDS
from tmi.lib.errors import DomainError, NotFound
from tmi.lib.ids import NO_ID, parse_id

PER_PAGE = 50
ACTIONS = {
    "create": _("created"),
    "update": _("changed"),
    "delete": _("deleted"),
    "restore": _("restored"),
    "purge": _("removed for good"),
    "import": _("imported a file into"),
    "duplicate": _("copied another threat model into"),
    "metadata": _("changed the metadata of"),
    "transfer": _("handed over"),
    "grant": _("gave access to"),
    "change": _("changed access to"),
    "revoke": _("took away access to"),
    "accept_invitation": _("accepted an invitation to"),
    "disable": _("disabled"),
    "administrator_access": _("as an administrator took access to"),
}
ENTITIES = {
    "threat_model": _("the threat model"),
    "threat": _("the threat"),
    "diagram": _("the diagram"),
    "document": _("the document"),
    "repository": _("the repository"),
    "note": _("the note"),
    "asset": _("the asset"),
    "access": _("the threat model"),
    "webhook": _("the webhook"),
}
REVERTIBLE = {"create", "update", "delete", "restore", "metadata"}
# Ids say nothing to a person.
HIDDEN = {"id", "threat_model_id", "owner_id", "diagram_id", "asset_id", "cell_id", "user_id", "group_id"}
MODELS: dict[str, type[Model]] = {
    "threat_model": ThreatModel,
    **{kind.model.kind: kind.model for kind in KINDS},
}


def told(entries: Iterable[AuditEntry]) -> list[dict[str, Any]]:
    """Entries as a person reads them."""
    entries = list(entries)
    names = _names(entries)
    return [
        {
            "who": entry.actor.name if entry.actor else entry.actor_label,
            "did": ACTIONS.get(entry.action, entry.action),
            "what": ENTITIES.get(entry.entity_type, entry.entity_type),
            "name": _name(entry) or names.get(entry.entity_id, ""),
            "when": entry.created_at,
            "is_change": entry.action != "create",
            "pk": entry.pk,
            "can_revert": entry.action in REVERTIBLE and entry.entity_type not in ("access", "webhook"),
            "changes": list(_changes(entry)),
        }
        for entry in entries
    ]


def _changes(entry: AuditEntry) -> Iterator[tuple[str, str, str]]:
    """What changed, as (name of the field, before, after); what says nothing is left out."""
    for name, (before, after) in entry.changes.items():
        told_before, told_after = _text(before), _text(after)
        if name not in HIDDEN and told_before != told_after:
            yield _label(entry.entity_type, name), told_before, told_after


def _label(entity_type: str, name: str) -> str:
    """The name of a field as the forms have it; keys of metadata stay what they are."""
    if entity_type not in MODELS:
        return name
    try:
        field = MODELS[entity_type]._meta.get_field(name)
    except FieldDoesNotExist:
        return name
    return str(getattr(field, "verbose_name", name))


def _text(value: Any) -> str:
    if value is True:
        return str(_("yes"))
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {item}" for name, item in value.items() if item)
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return "" if value is None or value is False else str(value)


def _names(entries: Iterable[AuditEntry]) -> dict[UUID, str]:
    """The present names of what was changed: one query a kind."""
    ids: dict[str, set[UUID]] = {}
    for entry in entries:
        ids.setdefault(entry.entity_type, set()).add(entry.entity_id)
    kinds = [kind.model for kind in KINDS if kind.model.kind in ids]
    return {row.pk: str(row) for kind in kinds for row in _named(kind).filter(pk__in=ids[kind.kind])}


def _named(kind: Any) -> QuerySet[Any]:
    """Rows with what their names are made of."""
    return kind.objects.only("pk", *(name for name in ("name", "uri") if hasattr(kind, name)))


def _name(entry: AuditEntry) -> str:
    pair = entry.changes.get("name") or entry.changes.get("subject") or entry.changes.get("url")
    return str(pair[1] or pair[0]) if pair else ""


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
    actors = User.objects.filter(pk__in=threat_model.audit_entries.values("actor_id")).order_by("name")
    context = frame(
        threat_model,
        page=listed,
        history=told(listed),
        actors=actors,
        entities=[(name, MODELS[name]._meta.verbose_name) for name in MODELS],
        filters=given,
        reverts=access.role_of(threat_model) >= Role.WRITER,
    )
    return render(request, "threatmodels/history.html", context)


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
