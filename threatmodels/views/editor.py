"""The diagram editor: a page of its own; its scripts do the rest, over the socket and the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import User
from threatmodels import access
from threatmodels.choices import (
    CLOSED_STATUSES,
    PRIORITIES,
    SEVERITIES,
    THREAT_STATUSES,
    THREAT_TYPES,
    Framework,
)
from threatmodels.models import Diagram
from threatmodels.roles import Role
from threatmodels.views.base import frame, load, page, person

# The authors of so many last operations are named in the history.
NAMED = 5_000
TOOLS = [
    ("select", "V", "cursor"),
    ("hand", "H", "hand-index"),
    ("process", "P", None),
    ("datastore", "D", None),
    ("external_entity", "E", None),
    ("trust_boundary", "B", None),
    ("data_flow", "F", None),
    ("text", "T", "fonts"),
]


@page("GET")
def editor(request: HttpRequest, model_id: UUID, record_id: UUID) -> HttpResponse:
    """The page around an empty canvas: the cells come by the socket."""
    threat_model = load(request, model_id)
    diagram = access.record_in(threat_model, Diagram, record_id)
    context = frame(threat_model, record=diagram, tools=TOOLS, settings=_settings(request, diagram))
    return render(request, "threatmodels/editor.html", context)


def _settings(request: HttpRequest, diagram: Diagram) -> dict[str, Any]:
    """What the scripts have to know before they ask anything."""
    threat_model = diagram.threat_model
    limits = settings.CONFIG.collaboration
    role = access.role_of(threat_model)
    path = f"/threat_models/{threat_model.pk}/diagrams/{diagram.pk}"
    return {
        "user_id": str(person(request).pk),
        "model_id": str(threat_model.pk),
        "diagram_id": str(diagram.pk),
        "diagram_name": diagram.name,
        "socket": request.build_absolute_uri(f"/ws/diagrams/{diagram.pk}"),
        # Less than the server takes of a person, who may have a second page.
        "pace": {
            "burst": max(1, limits.operations_burst // 2),
            "per_second": 0.8 * limits.operations_per_second,
        },
        "authors": _authors(diagram),
        # Below the root of the API.
        "suggestions": f"{path}/suggestions",
        "coverage": f"{path}/coverage",
        "may_edit": role >= Role.WRITER,
        "may_own": role >= Role.OWNER,
        "severities": _spelled(SEVERITIES),
        "priorities": _spelled(PRIORITIES),
        "statuses": _spelled(THREAT_STATUSES),
        "closed_statuses": CLOSED_STATUSES,
        "threat_types": _spelled(THREAT_TYPES[Framework(threat_model.threat_model_framework)]),
    }


def _authors(diagram: Diagram) -> dict[str, str]:
    """The names of those who drew it, also of those who are gone, by id."""
    last = diagram.operations.order_by("-sequence_number").values("actor_id")[:NAMED]
    return {str(pk): name for pk, name in User.objects.filter(pk__in=last).values_list("pk", "name")}


def _spelled(choices: Any) -> list[tuple[str, str]]:
    """In the language of the page."""
    return [(value, str(label)) for value, label in choices]
