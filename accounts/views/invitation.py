"""The page behind an invitation."""

from __future__ import annotations

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.actions import invitation as actions
from accounts.forms import InvitedForm
from accounts.views.links import BACKEND, spent
from tmi.lib.errors import NotFound, ValidationFailed


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@never_cache
def sign_up(request: HttpRequest, secret: str) -> HttpResponse:
    """Makes the account of whoever was invited and signs them in."""
    try:
        invited = actions.invitation_of(secret)
    except NotFound:
        return spent(request)
    form = InvitedForm(request.POST or None)
    if form.is_valid():
        try:
            user = actions.sign_up(secret, **form.cleaned_data)
        except ValidationFailed as error:
            for problem in error.errors:
                form.add_error(problem.field if problem.field in form.fields else None, problem.reason)
        except NotFound:
            return spent(request)
        else:
            login(request, user, backend=BACKEND)
            return redirect("/")
    context = {"form": form, "email": invited.email}
    return render(request, "accounts/invitation.html", context, status=400 if form.errors else 200)
