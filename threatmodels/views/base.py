"""What the pages share: who asks, what they may see, and saving without overwriting others."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import AuditEntry, User
from threatmodels import access
from threatmodels.forms.base import RowForm
from threatmodels.models import Record, ThreatModel
from threatmodels.roles import Role
from tmi.lib.errors import Conflict, ValidationFailed

View = Callable[..., HttpResponse]


def page(*methods: str) -> Callable[[View], View]:
    """A view for signed-in people that takes these methods."""

    def decorate(view: View) -> View:
        guarded = login_required(require_http_methods(list(methods) or ["GET"])(view))
        return wraps(view)(guarded)

    return decorate


def person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def parameters(request: HttpRequest) -> dict[str, str]:
    """The query parameters, each once; PostgreSQL's text holds no NUL."""
    return {name: str(value).replace("\x00", "") for name, value in request.GET.items()}


def wants_part(request: HttpRequest) -> bool:
    """Whether a script asks for a part of the page; Back wants all of it."""
    asked: Any = request.htmx  # type: ignore[attr-defined]  # django-htmx
    return bool(asked) and not asked.boosted and not asked.history_restore_request


def load(request: HttpRequest, model_id: UUID, at_least: Role = Role.READER) -> ThreatModel:
    return access.get_threat_model(person(request), model_id, at_least=at_least)


def may(threat_model: ThreatModel) -> dict[str, bool]:
    """What the pages offer to the person: the server asks again before it does anything."""
    role = access.role_of(threat_model)
    return {"edit": role >= Role.WRITER, "own": role >= Role.OWNER}


def frame(threat_model: ThreatModel, **more: Any) -> dict[str, Any]:
    """The context of every page of a threat model."""
    role = access.role_of(threat_model)
    return {"threat_model": threat_model, "may": may(threat_model), "role": role.label, **more}


def saved(form: RowForm, save: Callable[[], Any]) -> Any:
    """What `save` made, or None with the errors at the form; nothing typed is lost."""
    try:
        return save()
    except ValidationFailed as error:
        form.refuse(error)
    except Conflict as error:
        form.add_error(None, f"{error.message} {who_changed(form.instance)}")
        form.data = {**form.data.dict(), "seen": _seen_now(form.instance)}  # type: ignore[attr-defined]
    return None


def who_changed(row: Record | ThreatModel) -> str:
    """Who changed a row last, which fields, and what to do about it."""
    entry = _last_change(row.pk)
    if entry is None:
        return ""
    names = ", ".join(entry.changes) or "…"
    return _("%(who)s changed: %(names)s. Your text is below; save again to put it in place of theirs.") % {
        "who": _who(entry) or _("Somebody"),
        "names": names,
    }


def last_changed_by(row_id: UUID) -> str:
    """The name of who changed a row last; may be empty."""
    entry = _last_change(row_id)
    return _who(entry) if entry else ""


def _who(entry: AuditEntry) -> str:
    return entry.actor.name if entry.actor else entry.actor_label


def _last_change(row_id: UUID) -> AuditEntry | None:
    entries = AuditEntry.objects.filter(entity_id=row_id).select_related("actor")
    return entries.order_by("-created_at", "-id").first()


def _seen_now(row: Record | ThreatModel) -> str:
    present = type(row)._default_manager.filter(pk=row.pk).values_list("modified_at", flat=True).first()
    return present.isoformat() if present else ""
