"""A person takes their data along, or leaves."""

from __future__ import annotations

from datetime import timedelta

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from threatmodels.actions.account import delete_account, export_account, shared_models_of
from threatmodels.views.base import page, person
from tmi.lib.errors import Conflict

FRESH = timedelta(minutes=15)


@page("POST")
def export(request: HttpRequest) -> HttpResponse:
    answer = HttpResponse(export_account(person(request)), content_type="application/zip")
    answer["Content-Disposition"] = 'attachment; filename="tmi-account.zip"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


@page("GET", "POST")
@reauthentication_required(app="tmi")  # type: ignore[untyped-decorator]
def delete(request: HttpRequest) -> HttpResponse:
    """Asks once more; whoever has nothing here to prove themselves with comes freshly from their provider."""
    user = person(request)
    shared = shared_models_of(user)
    is_fresh = user.has_usable_password() or _came_now(request)
    if request.method == "POST" and is_fresh and not shared:
        try:
            delete_account(user)
        except Conflict:
            return redirect("account_delete")
        logout(request)
        messages.success(request, _("Your account is deleted."))
        return redirect("account_login")
    context = {"shared": shared, "is_fresh": is_fresh}
    refused = request.method == "POST"
    return render(request, "accounts/account_delete.html", context, status=409 if refused else 200)


def _came_now(request: HttpRequest) -> bool:
    session = getattr(request, "sign_in_session", None)
    return session is not None and session.created_at > timezone.now() - FRESH
