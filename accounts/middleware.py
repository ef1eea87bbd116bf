"""The browser's session is only as good as the sign-in behind it."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.contrib.auth import SESSION_KEY, logout
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from accounts.actions.session import seen
from accounts.models import User
from accounts.models.sign_in_session import live_session
from tmi.lib import rows
from tmi.lib.ids import NO_ID, parse_id

# The key under which Django's session holds the id of the sign-in session.
SIGN_IN = "sign_in_session"


class LiveSession:
    """`request.user` is the person of a live sign-in session: found with one query, when somebody asks.

    `request.sign_in_session` is that session. A session that has ended, or a person who was deactivated, is
    signed out.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.user = SimpleLazyObject(lambda: _person(request))  # type: ignore[assignment]
        with rows.scope(rows.NOBODY):
            return self.get_response(request)


class SlowedSignIn:
    """A form that was not looked at because of too many failures answers 429, and when to come back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        wait = getattr(request, "sign_in_wait", None)
        if wait is not None and answer.status_code == HTTPStatus.OK:
            answer.status_code, answer["Retry-After"] = HTTPStatus.TOO_MANY_REQUESTS, wait
        return answer


def _person(request: HttpRequest) -> User | AnonymousUser:
    if SESSION_KEY not in request.session:
        return AnonymousUser()
    live = live_session(parse_id(request.session.get(SIGN_IN)) or NO_ID)
    if live is None or str(live.user_id) != request.session[SESSION_KEY]:
        request.user = AnonymousUser()
        logout(request)
        return AnonymousUser()
    rows.become(live.user_id)
    seen(live)
    request.sign_in_session = live  # type: ignore[attr-defined]
    return live.user
