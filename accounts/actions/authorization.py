"""How a native or single-page program comes in: a person gives it a code, it exchanges the code with PKCE."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actions.session import end_session, lock_person, start_session
from accounts.models import AuthorizationCode, OAuthClient, SignInSession, User
from accounts.tokens import fingerprint, invalid, new_secret
from tmi.lib.errors import FieldError, ValidationFailed
from tmi.lib.uris import same_redirect

LIFETIME = timedelta(seconds=60)
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@transaction.atomic
def register_client(*, name: str, redirect_uris: list[str], actor: User | None) -> OAuthClient:
    """A program that people may let in. Raises ValidationFailed."""
    made = OAuthClient(name=name, redirect_uris=redirect_uris, client_id=f"app_{new_secret()[:22]}")
    try:
        made.full_clean()
    except ValidationError as error:
        raise ValidationFailed(
            FieldError(field, text) for field, texts in error.message_dict.items() for text in texts
        ) from None
    made.save(force_insert=True)
    audit.write(
        entity_type="oauth_client",
        entity_id=made.pk,
        action="create",
        actor=actor,
        changes={"name": (None, name), "redirect_uris": (None, redirect_uris)},
    )
    return made


def client_for(client_id: str, redirect_uri: str) -> OAuthClient | None:
    """The active program, where the address is one of its own."""
    found = OAuthClient.objects.filter(client_id=client_id, is_active=True).first()
    known = found is not None and any(same_redirect(one, redirect_uri) for one in found.redirect_uris)
    return found if known else None


@transaction.atomic
def give_code(client: OAuthClient, *, session: SignInSession, redirect_uri: str, challenge: str) -> str:
    """A code for the program, good once within a minute; codes whose time is over go."""
    now, secret = timezone.now(), new_secret()
    AuthorizationCode.objects.filter(expires_at__lt=now - timedelta(days=1)).delete()
    AuthorizationCode.objects.create(
        client=client,
        session=session,
        user_id=session.user_id,
        code_hash=fingerprint(secret),
        redirect_uri=redirect_uri,
        code_challenge=challenge,
        expires_at=now + LIFETIME,
    )
    audit.write(
        entity_type="oauth_client",
        entity_id=client.pk,
        action="authorize",
        actor=session.user,
        changes={"name": (None, client.name)},
    )
    return secret


def exchange_code(
    secret: str, *, client_id: str, redirect_uri: str, verifier: str, address: str = "", user_agent: str = ""
) -> SignInSession:
    """The new sign-in for a code; of many who try at once one gets it. Raises TOKEN_INVALID.

    A code that comes back ends the sign-in that it was exchanged for: somebody else has it.
    """
    found = AuthorizationCode.objects.filter(code_hash=fingerprint(secret)).first()
    if found is None:
        raise invalid()
    with transaction.atomic():
        lock_person(found.user_id)
        held = (
            AuthorizationCode.objects.select_for_update(of=("self",))
            # Not `made`, which the one before may have made while this one waited: it is read below, afresh.
            .select_related("client", "session__user")
            .get(pk=found.pk)
        )
        first, held.used_at = held.used_at is None, held.used_at or timezone.now()
        made = None
        if first and _fits(held, client_id, redirect_uri, verifier):
            made = start_session(
                held.session.user, address=address, user_agent=user_agent, client=held.client
            )
            held.made = made
        elif not first and held.made is not None:
            end_session(held.made)
        held.save(update_fields=["used_at", "made"])
    if made is None:
        raise invalid()
    return made


def challenge_of(verifier: str) -> str:
    """S256 of RFC 7636."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _fits(held: AuthorizationCode, client_id: str, redirect_uri: str, verifier: str) -> bool:
    now = timezone.now()
    return (
        held.expires_at > now
        and held.client.is_active
        and hmac.compare_digest(held.client.client_id.encode(), client_id.encode())
        and held.redirect_uri == redirect_uri
        and VERIFIER.fullmatch(verifier) is not None
        and hmac.compare_digest(challenge_of(verifier), held.code_challenge)
        and held.session.ended_at is None
        and held.session.expires_at > now
        and held.session.user.is_active
    )
