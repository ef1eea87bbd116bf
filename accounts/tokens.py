"""Access tokens: signed and tied to a sign-in session. Refresh tokens: random, kept as hashes."""

from __future__ import annotations

import hashlib
import secrets
from uuid import UUID

from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import SignInSession
from tmi.lib.errors import DomainError
from tmi.lib.ids import parse_id

SESSION_CLAIM = "sid"


def access_token(session: SignInSession) -> str:
    """A JWT with sub, sid, jti, iat, exp, aud and iss."""
    token = AccessToken()
    token["sub"] = str(session.user_id)
    token[SESSION_CLAIM] = str(session.pk)
    return str(token)


def session_id(token: str) -> UUID:
    """The session of a token whose signature and claims hold. Raises TOKEN_EXPIRED or TOKEN_INVALID."""
    try:
        claims = AccessToken(token.encode())  # type: ignore[arg-type]  # the stubs want a Token
    except ExpiredTokenError:
        raise DomainError("The access token has expired.", code="TOKEN_EXPIRED") from None
    except TokenError:
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
