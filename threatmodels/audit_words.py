"""What an audit entry says in words, for pages and reports alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditEntry
from threatmodels.choices import RoleName, spelled
from threatmodels.models import Asset, Diagram, Document, Note, Record, Repository, Threat, ThreatModel

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
    "dismiss_suggestions": _("set aside what does not apply in"),
    "withdraw_dismissal": _("opened again what had been set aside in"),
    "remove_participant": _("removed somebody from"),
    "end": _("ended"),
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
    "collaboration_session": _("the session"),
}
# Who has which role, in a sentence with the person in it. Reports, which name nobody, have the words above.
ACCESS = {
    "grant": _("gave %(who)s the role %(role)s"),
    "change": _("gave %(who)s the role %(role)s in place of %(was)s"),
    "revoke": _("took the role %(was)s away from %(who)s"),
    "accept_invitation": _("accepted the invitation to be here with the role %(role)s"),
}
# What entries hold that is no field of a row.
LABELS = {
    "counts": _("contents"),
    "events": _("events"),
    "failures": _("failed deliveries"),
    "kind": _("kind of file"),
    "reason": _("reason"),
    "secret": _("secret"),
    "suggestions": _("suggestions"),
    "url": _("address"),
}
COUNTED = {
    "assets": _("assets"),
    "data_flows": _("data flows"),
    "datastores": _("datastores"),
    "diagrams": _("diagrams"),
    "documents": _("documents"),
    "external_entities": _("external entities"),
    "notes": _("notes"),
    "processes": _("processes"),
    "repositories": _("repositories"),
    "texts": _("texts"),
    "threats": _("threats"),
    "trust_boundaries": _("trust boundaries"),
}
REVERTIBLE = {"create", "update", "delete", "restore", "metadata"}
# Fields whose values are codes.
CODES = {"severity", "priority", "status", "likelihood", "risk_level", "criticality", "sensitivity", "type"}
# Ids say nothing to a person.
HIDDEN = {"id", "threat_model_id", "owner_id", "diagram_id", "asset_id", "cell_id", "user_id", "group_id"}
RECORDS: tuple[type[Record], ...] = (Diagram, Threat, Asset, Document, Note, Repository)
MODELS: dict[str, type[Model]] = {ThreatModel.kind: ThreatModel, **{kind.kind: kind for kind in RECORDS}}


def told(entries: Iterable[AuditEntry]) -> list[dict[str, Any]]:
    """Entries as a person reads them."""
    entries = list(entries)
    names = _names(entries)
    return [
        {
            "entity": entry.entity_type,
            "who": entry.actor.name if entry.actor else entry.actor_label,
            "did": ACTIONS.get(entry.action, entry.action),
            "what": ENTITIES.get(entry.entity_type, entry.entity_type),
            "name": _name(entry) or names.get(entry.entity_id, ""),
            "said": _access(entry) if entry.entity_type == "access" else "",
            "when": entry.created_at,
            "is_change": entry.action != "create",
            "pk": entry.pk,
            "can_revert": entry.action in REVERTIBLE and entry.entity_type not in ("access", "webhook"),
            "changes": list(_changes(entry)),
        }
        for entry in entries
    ]


def _changes(entry: AuditEntry) -> Iterator[tuple[str, str, str]]:
    """What changed, as (name of the field, before, after); what says nothing or was said is left out."""
    if entry.entity_type == "access":
        return
    for name, (before, after) in entry.changes.items():
        told_before, told_after = (_text(value, name) for value in (before, after))
        if name not in HIDDEN and told_before != told_after:
            yield _label(entry, name), told_before, told_after


def _access(entry: AuditEntry) -> str:
    """Who got or lost which role; empty for what is no such change."""
    who = entry.changes.get("subject") or (None, None)
    was, role = (_role(name) for name in entry.changes.get("role") or (None, None))
    told = ACCESS.get(entry.action)
    return str(told) % {"who": who[1] or who[0] or _("somebody"), "was": was, "role": role} if told else ""


def _role(name: str | None) -> str:
    return str(dict(RoleName.choices).get(name or "", name or "–"))


def _label(entry: AuditEntry, name: str) -> str:
    """The name of a field as the forms have it; keys of metadata stay what they are."""
    if entry.action == "metadata":
        return name
    kind = MODELS.get(entry.entity_type)
    try:
        field = kind._meta.get_field(name) if kind else None
    except FieldDoesNotExist:
        field = None
    if field is None:
        return str(LABELS.get(name, name))
    return str(getattr(field, "verbose_name", name))


def _text(value: Any, name: str) -> str:
    if name in CODES and isinstance(value, str):
        return spelled(value)
    if value is True:
        return str(_("yes"))
    if isinstance(value, dict):
        return ", ".join(f"{COUNTED.get(name, name)} {item}" for name, item in value.items() if item)
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return "" if value is None or value is False else str(value)


def _names(entries: Iterable[AuditEntry]) -> dict[UUID, str]:
    """The present names of what was changed: one query a kind."""
    ids: dict[str, set[UUID]] = {}
    for entry in entries:
        ids.setdefault(entry.entity_type, set()).add(entry.entity_id)
    kinds = [kind for kind in RECORDS if kind.kind in ids]
    return {row.pk: str(row) for kind in kinds for row in _named(kind).filter(pk__in=ids[kind.kind])}


def _named(kind: Any) -> QuerySet[Any]:
    """Rows with what their names are made of."""
    return kind.objects.only("pk", *(name for name in ("name", "uri") if hasattr(kind, name)))


def _name(entry: AuditEntry) -> str:
    pair = entry.changes.get("name") or entry.changes.get("subject") or entry.changes.get("url")
    return str(pair[1] or pair[0]) if pair else ""
