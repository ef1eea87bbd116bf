"""Who asks: a bearer token, or the browser's session with its CSRF token."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.request import Request

from accounts import tokens
from accounts.actions.session import seen
from accounts.models import SignInSession, User
from accounts.models.sign_in_session import live_session
from tmi.lib import rows
from tmi.lib.errors import PermissionDenied, ValidationFailed

SCHEME = "Bearer"


class BearerOrSession(BaseAuthentication):
    """The bearer counts; a cookie that names somebody else beside it is a mistake of the client."""

    def authenticate(self, request: Request) -> tuple[User, SignInSession | None] | None:
        token = _bearer(request)
        if token is not None:
            session = session_of(token)
            _refuse_two_people(request, session.user)
            return session.user, session
        return self._by_cookie(request)

    def authenticate_header(self, request: Request) -> str:
        return f'{SCHEME} realm="TMI"'

    def _by_cookie(self, request: Request) -> tuple[User, SignInSession | None] | None:
        user = _cookie_user(request)
        if user is None:
            return None
        check = CSRFCheck(lambda _request: HttpResponse())
        check.process_request(request._request)
        if check.process_view(request._request, lambda _request: HttpResponse(), (), {}) is not None:
            raise PermissionDenied("The CSRF token is missing or wrong.")
        return user, getattr(request._request, "sign_in_session", None)


def session_of(token: str) -> SignInSession:
    """The live session, with its active person, behind an access token. One query."""
    found = live_session(tokens.session_id(token))
    if found is None:
        raise tokens.invalid()
    rows.become(found.user_id)
    seen(found, tokens.fingerprint(token))
    return found


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == SCHEME.lower() else None


def _cookie_user(request: Request) -> User | None:
    django_request: HttpRequest = request._request
    user: Any = getattr(django_request, "user", None)
    return user if user is not None and user.is_authenticated and user.is_active else None


def _refuse_two_people(request: Request, user: User) -> None:
    other = _cookie_user(request) if request._request.COOKIES else None
    if other is not None and other.pk != user.pk:
        raise ValidationFailed.of("Authorization", "The token and the cookie name different people.")


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document tells of it."""

    target_class = "accounts.api.authentication.BearerOrSession"
    name = ["bearer", "cookie"]  # the base declares it so

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            {"type": "apiKey", "in": "cookie", "name": "sessionid"},
        ]
