"""Client credentials of the person: made, seen once, listed, deleted."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actions.credential import create_credential, delete_credential
from accounts.forms import CredentialForm
from accounts.models import User
from tmi.lib.errors import ValidationFailed


@require_http_methods(["GET", "POST"])
@login_required
@never_cache
def credentials(request: HttpRequest) -> HttpResponse:
    """The list, and a form; the answer to the form shows the secret, and nothing does so again."""
    user = _person(request)
    form, made, secret = CredentialForm(request.POST or None), None, ""
    if form.is_valid():
        try:
            made, secret = create_credential(owner=user, **form.cleaned_data)
            form = CredentialForm()
        except ValidationFailed as error:
            for problem in error.errors:
                form.add_error(problem.field if problem.field in form.fields else None, problem.reason)
    listed = user.client_credentials.order_by("created_at", "pk")
    context = {"form": form, "credentials": listed, "made": made, "secret": secret}
    return render(request, "accounts/credentials.html", context, status=400 if form.errors else 200)


@require_POST
@login_required
def delete(request: HttpRequest, credential_id: UUID) -> HttpResponse:
    user = _person(request)
    found = get_object_or_404(user.client_credentials, pk=credential_id)
    delete_credential(found, actor=user)
    messages.success(request, _("The credential is deleted, and its sign-ins have ended."))
    return redirect("credentials")


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
