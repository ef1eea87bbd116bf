"""Who changed what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditEntry
from threatmodels.views.base import frame, load, page

PER_PAGE = 50
ACTIONS = {
    "create": _("created"),
    "update": _("changed"),
    "delete": _("deleted"),
    "restore": _("restored"),
    "import": _("imported a file into"),
    "metadata": _("changed the metadata of"),
    "transfer": _("handed over"),
    "grant": _("gave access to"),
    "change": _("changed access to"),
    "revoke": _("took away access to"),
    "accept_invitation": _("accepted an invitation to"),
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
}
# Ids say nothing to a person.
HIDDEN = {"threat_model_id", "owner_id", "diagram_id", "asset_id", "cell_id", "user_id"}


def told(entries: Iterable[AuditEntry]) -> list[dict[str, Any]]:
    """Entries as a person reads them."""
    return [
        {
            "who": entry.actor.name if entry.actor else entry.actor_label,
            "did": ACTIONS.get(entry.action, entry.action),
            "what": ENTITIES.get(entry.entity_type, entry.entity_type),
            "name": _name(entry),
            "when": entry.created_at,
            "changes": [(n, *pair) for n, pair in entry.changes.items() if n not in HIDDEN],
        }
        for entry in entries
    ]


def _name(entry: AuditEntry) -> str:
    pair = entry.changes.get("name") or entry.changes.get("subject")
    return str(pair[1] or pair[0]) if pair else ""


@page("GET")
def history(request: HttpRequest, model_id: UUID) -> HttpResponse:
    threat_model = load(request, model_id)
    entries = threat_model.audit_entries.select_related("actor").order_by("-created_at", "-id")
    listed = Paginator(entries, PER_PAGE).get_page(request.GET.get("page"))
    context = frame(threat_model, page=listed, history=told(listed))
    return render(request, "threatmodels/history.html", context)
