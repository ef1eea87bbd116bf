"""/oauth2/authorize: a person lets a program in."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.actions.authorization import CHALLENGE, client_for, give_code
from accounts.models import OAuthClient
from tmi.lib.errors import DomainError
from tmi.lib.uris import form_source

LONGEST_STATE = 1000
ASKED = ("response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method")


class _Back(HttpResponse):
    """A redirect to the program, whatever its scheme."""

    def __init__(self, where: str) -> None:
        super().__init__(status=302)
        self["Location"] = where


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def authorize(request: HttpRequest) -> HttpResponse:
    """Asks the person, and sends the program a code or why there is none (RFC 6749, 7636, 9207)."""
    given = request.POST if request.method == "POST" else request.GET
    asked = {name: given.get(name, "") for name in ASKED}
    client = client_for(asked["client_id"], asked["redirect_uri"])
    if client is None or any(len(given.getlist(name)) > 1 for name in ASKED):
        # Nobody is sent to an address that is not known to be the program's.
        raise DomainError(
            _("This program is not known here, or its address is not."), code="VALIDATION_ERROR"
        )
    problem = _problem(asked)
    if problem:
        return _send(asked, error=problem)
    if request.method == "GET":
        return _ask(request, client, asked)
    if given.get("decision") != "allow":
        return _send(asked, error="access_denied")
    session: Any = request.sign_in_session  # type: ignore[attr-defined]  # whoever is signed in has one
    code = give_code(
        client, session=session, redirect_uri=asked["redirect_uri"], challenge=asked["code_challenge"]
    )
    return _send(asked, code=code)


def _problem(asked: dict[str, str]) -> str:
    if asked["response_type"] != "code":
        return "unsupported_response_type"
    if asked["code_challenge_method"] != "S256" or not CHALLENGE.fullmatch(asked["code_challenge"]):
        return "invalid_request"
    return "invalid_request" if len(asked["state"]) > LONGEST_STATE else ""


def _ask(request: HttpRequest, client: OAuthClient, asked: dict[str, str]) -> HttpResponse:
    answer = render(request, "accounts/authorize.html", {"client": client, "asked": asked})
    # The form leads on to the program, whose address an administrator registered.
    answer._csp_update = {"form-action": [form_source(asked["redirect_uri"])]}  # type: ignore[attr-defined]
    return answer


def _send(asked: dict[str, str], **told: str) -> HttpResponse:
    parts = urlsplit(asked["redirect_uri"])
    state = {"state": asked["state"]} if asked["state"] else {}
    issuer = {"iss": settings.CONFIG.auth.jwt.issuer}
    query = urlencode([*parse_qsl(parts.query), *(told | state | issuer).items()])
    return _Back(urlunsplit(parts._replace(query=query)))
