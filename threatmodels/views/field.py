"""One field of a threat model or of a part of it, saved as it is typed."""

from __future__ import annotations

import copy
from typing import Any
from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _

from threatmodels import access
from threatmodels.actions.threat_model import update_threat_model
from threatmodels.forms import ThreatModelForm
from threatmodels.forms.base import RowForm
from threatmodels.models import Record, ThreatModel
from threatmodels.roles import Role
from threatmodels.views.base import last_changed_by, load, page, person
from threatmodels.views.kinds import Kind
from tmi.lib.errors import Conflict, FieldError, ValidationFailed


@page("POST")
def field(
    request: HttpRequest, model_id: UUID, record_id: UUID | None = None, kind: Kind | None = None
) -> JsonResponse:
    """Puts `value` into `field`, which the person saw as `was`.

    200 {values}: what all fields say now. 400 {reason}: the value cannot be. 409 {reason, value}: somebody
    else has changed the field since; `value` is theirs.
    """
    threat_model = load(request, model_id, Role.WRITER)
    form = ThreatModelForm if kind is None else kind.form
    edit = _Edit(form, *(request.POST.get(name, "") for name in ("field", "value", "was")))
    try:
        row: Any
        if kind is None:
            row = update_threat_model(threat_model, actor=person(request), changes=edit.changes)
        else:
            record = access.record_in(threat_model, kind.model, _known(record_id))
            row = kind.update(record, person(request), edit.changes)
    except ValidationFailed as error:
        return JsonResponse({"reason": " ".join(one.reason for one in error.errors)}, status=400)
    except Conflict:
        said = _("%(who)s has changed this in the meantime.")
        reason = said % {"who": last_changed_by(record_id or model_id) or _("Somebody")}
        return JsonResponse({"reason": reason, "value": edit.theirs}, status=409)
    return JsonResponse({"values": texts(form(instance=row))})


def texts(form: RowForm) -> dict[str, str]:
    """What the controls of a form say, by the names of the fields."""
    return {bound.name: _text(bound.value()) for bound in form.visible_fields()}


class _Edit:
    """A new value for one field, held against the row once that is locked."""

    def __init__(self, form: type[RowForm], name: str, value: str, was: str) -> None:
        self.form, self.name, self.value, self.was = form, name, value, was
        self.theirs = ""

    def changes(self, locked: Record | ThreatModel) -> dict[str, Any]:
        """Raises Conflict, ValidationFailed."""
        # A copy: a form writes what was typed into its row before anybody has looked at it.
        row = copy.copy(locked)
        known = texts(self.form(instance=row))
        if self.name not in known:
            raise ValidationFailed.of(self.name, _("There is no such field."))
        self.theirs = known[self.name]
        if _plain(self.theirs) not in (_plain(self.was), _plain(self.value)):
            raise Conflict("The field has been changed.")
        form = self.form({**known, self.name: self.value}, instance=row)
        if wrong := form.wrong_with(self.name):
            raise ValidationFailed(FieldError(self.name, one) for one in wrong)
        return {name: form.cleaned_data[name] for name in form.columns(self.name)}


def _known(record_id: UUID | None) -> UUID:
    assert record_id is not None
    return record_id


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(text: str) -> str:
    """As browsers see it: they turn every end of a line into their own."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
