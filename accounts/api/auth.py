"""/auth: tokens for programs."""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import Any, TypedDict
from urllib.parse import unquote

from django.conf import settings
from django.contrib.auth.hashers import make_password
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import FormParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import mfa, session_copy, throttle, tokens
from accounts.actions.authorization import exchange_code
from accounts.actions.credential import credential_of
from accounts.actions.session import (
    end_session,
    issue_refresh_token,
    revoke_refresh_token,
    rotate_refresh_token,
    start_session,
)
from accounts.api.authentication import session_of
from accounts.api.serializers import (
    ProviderSerializer,
    RefreshRequestSerializer,
    RevokeRequestSerializer,
    TokenRequestSerializer,
    TokensSerializer,
)
from accounts.models import SignInSession, User
from accounts.social import title
from tmi.address import client_address
from tmi.api.errors import checked
from tmi.api.pagination import whole_list
from tmi.api.parse import StrictJSONParser
from tmi.api.views import ApiViewSet
from tmi.lib.errors import DomainError, FieldError, PermissionDenied, ValidationFailed

Json = dict[str, Any]


class Where(TypedDict):
    """Where a sign-in comes from."""

    address: str
    user_agent: str


class AuthViewSet(ApiViewSet):
    """Open to everybody: this is where a caller becomes somebody."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = (StrictJSONParser, FormParser)
    serializer_class = TokensSerializer
    schema_tags = ("auth",)

    @extend_schema(request=TokenRequestSerializer, responses={200: TokensSerializer})
    def token(self, request: Request) -> Response:
        """Signs in with email and password, with the credentials of a program, or with a code for one."""
        given = checked(TokenRequestSerializer(data=plain(request.data)))
        by = {
            "password": self._by_password,
            "client_credentials": self._by_credential,
            "authorization_code": self._by_code,
        }
        session = by[given["grant_type"]](given)
        return self.answer(answer(session, issue_refresh_token(session)))

    @extend_schema(request=RefreshRequestSerializer, responses={200: TokensSerializer})
    def refresh(self, request: Request) -> Response:
        """Takes a refresh token for a new pair of tokens; each refresh token works once."""
        given = checked(RefreshRequestSerializer(data=plain(request.data)))
        rotated = rotate_refresh_token(given["refresh_token"])
        return self.answer(answer(rotated.session, rotated.refresh_token))

    @extend_schema(request=RevokeRequestSerializer, responses={200: {"type": "null"}})
    def revoke(self, request: Request) -> Response:
        """Ends the sign-in behind an access or refresh token (RFC 7009: an unknown token is no error)."""
        token = checked(RevokeRequestSerializer(data=_without_hint(plain(request.data))))["token"]
        if not revoke_refresh_token(token):
            with suppress(DomainError):
                end_session(session_of(token))
        return self.answer(None)

    @extend_schema(responses={200: ProviderSerializer(many=True)})
    def providers(self, request: Request) -> Response:
        """The ways to sign in that are configured."""
        active = settings.CONFIG.auth.oauth.active
        listed = [{"id": "local", "name": "Email and password"}]
        listed += [{"id": name, "name": title(name, provider)} for name, provider in active.items()]
        return self.answer_list(listed, whole_list(len(listed)))

    def _by_code(self, given: Json) -> SignInSession:
        _only(given, "code", "client_id", "redirect_uri", "code_verifier")
        throttle.check(given["client_id"], client_address(self.request._request))
        return exchange_code(
            given["code"],
            client_id=given["client_id"],
            redirect_uri=given["redirect_uri"],
            verifier=given["code_verifier"],
            **self._from_where(),
        )

    def _from_where(self) -> Where:
        agent = self.request.headers.get("User-Agent", "")
        return {"address": client_address(self.request._request), "user_agent": agent}

    def _by_credential(self, given: Json) -> SignInSession:
        given = given | _basic(self.request)
        _only(given, "client_id", "client_secret")
        throttle.check(given["client_id"], client_address(self.request._request))
        found = credential_of(given["client_id"], given["client_secret"])
        if found is None:
            throttle.failed(given["client_id"])
            raise DomainError("The client id or the secret is wrong.", code="AUTHENTICATION_REQUIRED")
        throttle.succeeded(given["client_id"])
        return start_session(found.owner, credential=found, **self._from_where())

    def _by_password(self, given: Json) -> SignInSession:
        _only({name: value for name, value in given.items() if name != "otp"}, "username", "password")
        email, password = given["username"], given["password"]
        throttle.check(email, client_address(self.request._request))
        user: User | None = User.objects.local().with_email(email).first()
        if user is None:
            make_password(password)  # as long as a check takes, so that time tells nothing
        if user is None or not user.check_password(password) or not user.is_active:
            throttle.failed(email)
            raise DomainError("The email or the password is wrong.", code="AUTHENTICATION_REQUIRED")
        if settings.CONFIG.mail.host and not user.email_verified:
            raise PermissionDenied("Confirm the email address first, by the link that was sent to it.")
        self._check_second_factor(user, given.get("otp"))
        throttle.succeeded(email)
        return start_session(user, **self._from_where())

    def _check_second_factor(self, user: User, otp: str | None) -> None:
        """Whoever has one needs it here too; asked for only once the password was right."""
        if not mfa.is_enabled(user):
            return
        if otp is None:
            raise mfa.wanted(user)
        account = throttle.code_account(user)
        throttle.check_account(account)
        if mfa.use_code(user, otp) is None:
            throttle.failed(account)
            raise DomainError("The code is wrong.", code="AUTHENTICATION_REQUIRED", details={"field": "otp"})
        throttle.succeeded(account)


def _without_hint(given: Any) -> Any:
    """Both kinds are looked for anyway (RFC 7009, 2.1)."""
    if not isinstance(given, dict):
        return given
    return {name: value for name, value in given.items() if name != "token_type_hint"}


def _only(given: Json, *names: str) -> None:
    """Refuses what is missing for a kind of grant and what does not belong to it."""
    missing = [FieldError(name, "This field is required.") for name in names if name not in given]
    odd = [FieldError(n, "Not with this grant_type.") for n in given if n not in (*names, "grant_type")]
    if missing or odd:
        raise ValidationFailed([*missing, *odd])


def _basic(request: Request) -> Json:
    """The client id and secret of HTTP Basic, if it is there (RFC 6749, 2.3.1)."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client_id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # no base64, no ASCII or no UTF-8
        colon = ""
    if not colon:
        raise DomainError("The Authorization header cannot be read.", code="AUTHENTICATION_REQUIRED")
    return {"client_id": unquote(client_id), "client_secret": unquote(secret)}


def answer(session: SignInSession, refresh_token: str) -> Json:
    access_token = tokens.access_token(session)
    session_copy.keep(session, tokens.fingerprint(access_token))
    return {
        "access_token": access_token,
        "refresh_token": refresh_token,
        "token_type": "Bearer",
        "expires_in": settings.CONFIG.auth.jwt.expiration_seconds,
    }


def plain(data: Any) -> Any:
    """A form as a JSON object would be; a field that is given twice is as bad as a key twice."""
    if not hasattr(data, "lists"):
        return data
    return {name: values[0] if len(values) == 1 else values for name, values in data.lists()}
