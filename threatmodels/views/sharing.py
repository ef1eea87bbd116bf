"""Giving and taking access."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.models import EVERYONE_ID, Group, User
from threatmodels.access import entries_of
from threatmodels.actions import access as actions
from threatmodels.actions.access import Entry, Grant
from threatmodels.actions.threat_model import transfer_threat_model
from threatmodels.choices import RoleName
from threatmodels.forms import AccessForm, EveryoneForm, RoleForm, TransferForm
from threatmodels.models import ThreatModel
from threatmodels.roles import Role
from threatmodels.views.base import frame, load, page, person
from tmi.lib.errors import DomainError, NotFound


@page("GET", "POST")
def sharing(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """Everybody with a role sees who else has one; owners add."""
    threat_model = load(request, model_id, Role.OWNER if request.method == "POST" else Role.READER)
    form = AccessForm(request.POST or None, actor=person(request))
    if form.is_valid():
        given = form.cleaned_data
        grant = Grant(given["role"], group=given["group"], email=given["email"])
        try:
            actions.grant_access(threat_model, actor=person(request), grant=grant)
        except DomainError as error:
            form.add_error("email", error.message)
        else:
            messages.success(request, _("Access given."))
            return redirect("sharing", model_id)
    context = frame(
        threat_model,
        form=form,
        transfer_form=TransferForm(threat_model=threat_model),
        entries=[e for e in entries_of(threat_model) if not _is_everyone(e)],
        everyone=next((e for e in entries_of(threat_model) if _is_everyone(e)), None),
        roles=RoleName.choices[::-1],
    )
    return render(request, "threatmodels/sharing.html", context, status=400 if form.errors else 200)


def _is_everyone(entry: Entry) -> bool:
    return getattr(entry, "group_id", None) == EVERYONE_ID


def _entry(threat_model: ThreatModel, entry_id: UUID) -> Entry:
    found = next((entry for entry in entries_of(threat_model) if entry.pk == entry_id), None)
    if found is None:
        raise NotFound
    return found


@page("POST")
def change(request: HttpRequest, model_id: UUID, entry_id: UUID) -> HttpResponse:
    threat_model = load(request, model_id, Role.OWNER)
    entry = _entry(threat_model, entry_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        return _no_such_role(request, model_id)
    role = form.cleaned_data["role"]
    actions.change_access(threat_model, actor=person(request), entry=entry, role=role)
    return _done(request, model_id, _("Role changed."))


def _done(request: HttpRequest, model_id: UUID, said: str) -> HttpResponse:
    """The page again, or a word to the script that saves what was chosen."""
    if _is_script(request):
        return JsonResponse({"said": said})
    messages.success(request, said)
    return redirect("sharing", model_id)


def _no_such_role(request: HttpRequest, model_id: UUID) -> HttpResponse:
    said = _("Nothing was changed: there is no such role.")
    if _is_script(request):
        return JsonResponse({"reason": said}, status=400)
    messages.error(request, said)
    return redirect("sharing", model_id)


def _is_script(request: HttpRequest) -> bool:
    return request.headers.get("Accept") == "application/json"


@page("POST")
def revoke(request: HttpRequest, model_id: UUID, entry_id: UUID) -> HttpResponse:
    """An owner removes anybody, everybody else themselves."""
    threat_model = load(request, model_id)
    entry = _entry(threat_model, entry_id)
    own = getattr(entry, "user_id", None) == person(request).pk
    if not own:
        threat_model = load(request, model_id, Role.OWNER)
    actions.revoke_access(threat_model, actor=person(request), entry=entry)
    messages.success(request, _("Access removed."))
    return redirect("dashboard") if own else redirect("sharing", model_id)


@page("POST")
def everyone(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """Switches the role of everyone signed in on or off."""
    threat_model = load(request, model_id, Role.OWNER)
    present = next((e for e in entries_of(threat_model) if _is_everyone(e)), None)
    form = EveryoneForm(request.POST)
    if not form.is_valid():
        return _no_such_role(request, model_id)
    role = RoleName(form.cleaned_data["role"])
    if form.cleaned_data["is_on"]:
        _let_everyone_in(threat_model, person(request), present, role)
        text = _("Everyone signed in has access now: %(role)s.") % {"role": role.label}
    else:
        if present is not None:
            actions.revoke_access(threat_model, actor=person(request), entry=present)
        text = _("Only those who are named here have access now.")
    return _done(request, model_id, text)


def _let_everyone_in(threat_model: ThreatModel, actor: User, present: Entry | None, role: RoleName) -> None:
    if present is not None:
        actions.change_access(threat_model, actor=actor, entry=present, role=role.value)
    else:
        grant = Grant(role.value, group=Group.objects.get(pk=EVERYONE_ID))
        actions.grant_access(threat_model, actor=actor, grant=grant)


@page("POST")
def transfer(request: HttpRequest, model_id: UUID) -> HttpResponse:
    threat_model = load(request, model_id, Role.OWNER)
    form = TransferForm(request.POST, threat_model=threat_model)
    if form.is_valid():
        transfer_threat_model(threat_model, actor=person(request), owner=form.cleaned_data["owner"])
        messages.success(request, _("The threat model was handed over."))
    else:
        messages.error(request, _("Choose a person who has a role on this threat model."))
    return redirect("sharing", model_id)
