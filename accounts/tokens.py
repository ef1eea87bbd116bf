"""Access tokens: signed and tied to a sign-in session. Refresh tokens: random, kept as hashes."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import AccessToken

from accounts import keys
from accounts.models import SignInSession
from tmi.lib.errors import DomainError
from tmi.lib.ids import parse_id

SESSION_CLAIM = "sid"


class Backend(TokenBackend):
    """Signs with the present key and says which one it was."""

    def get_verifying_key(self, token: Any) -> Any:
        return self.prepared_verifying_key

    def encode(self, payload: dict[str, Any]) -> str:
        claims = {**payload, "aud": self.audience, "iss": self.issuer}
        kid = {"kid": keys.keys()[0].kid}
        return jwt.encode(claims, self.prepared_signing_key, self.algorithm, kid)


class Token(AccessToken):
    """An access token under one of the configured keys."""

    def __init__(self, token: Any = None, key: keys.Key | None = None) -> None:
        self.key = key or keys.keys()[0]
        super().__init__(token)

    def get_token_backend(self) -> Backend:
        configured = settings.CONFIG.auth.jwt
        return Backend(
            configured.signing_method,
            keys.signing_secret(),
            self.key.verify,
            audience=configured.audience,
            issuer=configured.issuer,
        )


def access_token(session: SignInSession) -> str:
    """A JWT with sub, sid, jti, iat, exp, aud and iss, and the name of its key."""
    token = Token()
    token["sub"] = str(session.user_id)
    token[SESSION_CLAIM] = str(session.pk)
    return str(token)


def session_id(token: str) -> UUID:
    """The session of a token whose signature and claims hold. Raises TOKEN_EXPIRED or TOKEN_INVALID."""
    try:
        key = keys.key_of(token)
        if key is None:
            raise invalid()
        claims = Token(token.encode(), key)
    except ExpiredTokenError:
        raise DomainError("The access token has expired.", code="TOKEN_EXPIRED") from None
    except (TokenError, jwt.PyJWTError):
        raise invalid() from None
    found = parse_id(claims.get(SESSION_CLAIM))
    if found is None:
        raise invalid()
    return found


def invalid() -> DomainError:
    return DomainError("The token is not valid.", code="TOKEN_INVALID")


def new_secret() -> str:
    """384 random bits as text."""
    return secrets.token_urlsafe(48)


def fingerprint(secret: str) -> str:
    """The SHA-256 of a secret, in hexadecimal. Our secrets are random and long, so it needs no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()
