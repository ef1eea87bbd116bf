"""The pages behind one-time links."""

from __future__ import annotations

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.actions import links
from accounts.forms import FirstAdminForm
from accounts.models import User
from tmi.address import is_loopback
from tmi.lib.errors import DomainError, NotFound, ValidationFailed

BACKEND = "accounts.backend.LocalPasswords"


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def first_admin(request: HttpRequest, secret: str) -> HttpResponse:
    """Makes the first administrator and signs them in."""
    if not links.is_open(links.FIRST_ADMIN, secret):
        return spent(request)
    form = FirstAdminForm(request.POST or None)
    if form.is_valid():
        try:
            user = links.make_first_admin(secret, **form.cleaned_data)
        except ValidationFailed as error:
            for problem in error.errors:
                form.add_error(problem.field if problem.field in form.fields else None, problem.reason)
        except NotFound:
            return spent(request)
        else:
            return _enter(request, user)
    context = {"form": form, "title": _("Make the first administrator")}
    return render(request, "accounts/first_admin.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET"])
def demo(request: HttpRequest, secret: str) -> HttpResponse:
    """Signs in as the demo user, on this machine only."""
    if not is_loopback(request):
        return spent(request)
    try:
        return _enter(request, links.demo_by_link(secret))
    except NotFound:
        return spent(request)


def _enter(request: HttpRequest, user: User) -> HttpResponse:
    login(request, user, backend=BACKEND)
    return redirect("/")


def spent(request: HttpRequest) -> HttpResponse:
    error = DomainError(_("This link was used, or a newer one was made."), code="NOT_FOUND")
    context = {
        "title": _("This link is not valid any more"),
        "message": error.message,
        "status": error.status,
    }
    return render(request, "accounts/link_spent.html", context, status=error.status)
