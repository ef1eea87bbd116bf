"""How the pages look to a person: theme, language, time zone."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actions.user import set_preferences
from accounts.forms import PreferencesForm
from accounts.models import User


@require_http_methods(["GET", "POST"])
@login_required
def preferences(request: HttpRequest) -> HttpResponse:
    """Changes what the form knows; what programs keep beside it stays."""
    assert isinstance(request.user, User)
    present = request.user.preferences
    form = PreferencesForm(request.POST or None, initial=present)
    if form.is_valid():
        set_preferences(request.user, {**present, **form.cleaned_data})
        messages.success(request, _("Saved."))
        answer = redirect("preferences")
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            form.cleaned_data["language"],
            max_age=365 * 24 * 3600,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
            samesite=settings.LANGUAGE_COOKIE_SAMESITE,  # type: ignore[arg-type]  # one of them
        )
        return answer
    return render(request, "accounts/preferences.html", {"form": form}, status=400 if form.errors else 200)
