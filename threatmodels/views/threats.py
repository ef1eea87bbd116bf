"""Many threats at once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from threatmodels.actions.record import change_all
from threatmodels.actions.threat import update_threat
from threatmodels.models import Threat
from threatmodels.roles import Role
from threatmodels.views.base import load, page, person
from tmi.lib.errors import DomainError, ValidationFailed
from tmi.lib.ids import parse_id

FIELDS = ("severity", "status", "priority")
MOST = 200
# The part of the page that messages are shown in.
PART = "threats"


@page("POST")
def bulk(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """Gives all chosen threats the same severity, status, priority or mitigation; all of them or none."""
    threat_model = load(request, model_id, Role.WRITER)
    ids = list(dict.fromkeys(one for one in map(parse_id, request.POST.getlist("ids")) if one is not None))
    changes: dict[str, Any] = {name: given for name in FIELDS if (given := request.POST.get(name))}
    if request.POST.get("mitigated") in ("yes", "no"):
        changes["mitigated"] = request.POST["mitigated"] == "yes"
    actor = person(request)
    if not ids or not changes or len(ids) > MOST:
        messages.error(request, _("Choose up to 200 threats, and what to change."), extra_tags=PART)
        return redirect(_back(request, model_id))
    try:
        change_all(
            Threat,
            threat_model=threat_model,
            ids=ids,
            change=lambda threat, _index: update_threat(threat, actor=actor, changes=changes),
        )
    except DomainError as error:
        errors = error.errors if isinstance(error, ValidationFailed) else []
        reason = " ".join(dict.fromkeys(one.reason for one in errors)) or error.message
        messages.error(request, _("Nothing was changed: %(reason)s") % {"reason": reason}, extra_tags=PART)
    else:
        said = ngettext("%(count)s threat was changed.", "%(count)s threats were changed.", len(ids))
        messages.success(request, said % {"count": len(ids)}, extra_tags=PART)
    return redirect(_back(request, model_id))


def _back(request: HttpRequest, model_id: UUID) -> str:
    """The table as it was filtered."""
    own = reverse("threat_model", args=[model_id])
    given = request.POST.get("back", "")
    known = given.startswith(f"{own}?") and url_has_allowed_host_and_scheme(given, allowed_hosts=None)
    return f"{given if known else own}#{PART}"
