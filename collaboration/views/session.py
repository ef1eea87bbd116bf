"""What the pages show of people who edit together."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.models import User
from collaboration.live import visible_to

MOST_SHOWN = 12


@require_GET
@login_required
def live_sessions(request: HttpRequest) -> HttpResponse:
    """A part of the dashboard: where somebody is drawing now, each with a way in."""
    assert isinstance(request.user, User)
    found = visible_to(request.user).select_related("diagram", "threat_model")
    sessions = [one for one in found.defer("diagram__cells")[: 2 * MOST_SHOWN] if one.there]  # type: ignore[attr-defined]
    return render(request, "collaboration/_live_sessions.html", {"sessions": sessions[:MOST_SHOWN]})
