"""Signing in and out: the sessions that stand behind cookies and tokens.

Whoever begins, renews or ends sign-ins locks the row of the person first, so that none waits for the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import session_copy
from accounts.models import ClientCredential, OAuthClient, RefreshToken, SignInSession, User
from accounts.tokens import fingerprint, invalid, new_secret
from tmi.lib.errors import Conflict, DomainError
from tmi.lib.events import Event, publish_on_commit
from tmi.lib.text import strip_controls

LIFETIME = timedelta(days=30)
# Two tabs may refresh at once; the slower one is told so and loses nothing.
GRACE = timedelta(seconds=10)
SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Rotated:
    """A session and the refresh token that replaces the one that was shown."""

    session: SignInSession
    refresh_token: str


@transaction.atomic
def start_session(
    user: User,
    *,
    address: str = "",
    user_agent: str = "",
    credential: ClientCredential | None = None,
    client: OAuthClient | None = None,
) -> SignInSession:
    """A new sign-in of the person, or of a program on their behalf.

    Raises AUTHENTICATION_REQUIRED where the account was closed, or the password replaced, since `user` was
    read: what was proved then proves nothing now.
    """
    held = lock_person(user.pk)
    if held is None or not held.is_active or (credential is None and held.password != user.password):
        raise DomainError(
            "This account has changed meanwhile. Sign in again.", code="AUTHENTICATION_REQUIRED"
        )
    now = timezone.now()
    User.objects.filter(pk=user.pk).update(last_login=now)
    made = SignInSession.objects.create(
        user=user,
        expires_at=_until(now, credential),
        address=address[:64],
        user_agent=strip_controls(user_agent, multiline=False)[:400],
        credential=credential,
        client=client,
    )
    transaction.on_commit(lambda: session_copy.keep(made), robust=True)
    return made


def lock_person(user_id: UUID) -> User | None:
    """The row of a person as it is now, locked until the end of the transaction."""
    found: User | None = User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    return found


@transaction.atomic
def end_session(session: SignInSession) -> None:
    """Signs out: the session's cookie, access tokens and refresh tokens are worth nothing from now on."""
    _end(Q(pk=session.pk), session.user_id)


@transaction.atomic
def end_all_sessions(user: User, *, but: SignInSession | None = None) -> int:
    """Signs the person out everywhere, or everywhere else; how many sessions ended."""
    others = Q(user=user) & (~Q(pk=but.pk) if but else Q())
    return _end(others, user.pk)


def seen(session: SignInSession, jwt_hash: str = "") -> None:
    """Notes that the session is in use, and by which token, at most once a minute."""
    now = timezone.now()
    if now - session.last_seen <= SEEN_EVERY:
        return
    # Only where it has not ended since it was read: an ended one has no copy.
    if SignInSession.objects.filter(pk=session.pk, ended_at=None).update(last_seen=now):
        session_copy.keep(session, jwt_hash)


@transaction.atomic
def end_sessions_of(*, credential: ClientCredential | None = None, client: OAuthClient | None = None) -> int:
    """Ends the sign-ins of a program; how many."""
    found = SignInSession.objects.filter(ended_at=None).order_by("user_id", "pk")
    held = list(found.filter(credential=credential) if credential else found.filter(client=client))
    for session in held:
        end_session(session)
    return len(held)


@transaction.atomic
def issue_refresh_token(session: SignInSession) -> str:
    """A refresh token of the session; it lives as long as the session."""
    secret = new_secret()
    RefreshToken.objects.create(
        user_id=session.user_id, session=session, token=fingerprint(secret), expires_at=session.expires_at
    )
    return secret


def rotate_refresh_token(secret: str) -> Rotated:
    """Takes a refresh token for a newer one.

    Raises Conflict where it was exchanged within the last ten seconds; TOKEN_INVALID where it is unknown,
    expired or revoked, or was exchanged before: then somebody else has it, and the session ends.
    """
    tokens = RefreshToken.objects.filter(token=fingerprint(secret))
    person = tokens.values_list("user_id", flat=True).first()
    if person is None:
        raise invalid()
    with transaction.atomic():
        lock_person(person)
        held = (
            tokens.select_for_update(of=("self",))
            .select_related("session__user", "session__credential")
            .first()
        )
        now = timezone.now()
        if held is None or held.revoked_at or held.expires_at <= now or not _is_live(held.session):
            raise invalid()
        if held.used_at is None:
            return _exchange(held)
        if now - held.used_at < GRACE:
            raise Conflict("This refresh token was exchanged a moment ago.")
        end_session(held.session)
    raise invalid()


def revoke_refresh_token(secret: str) -> bool:
    """Ends the session of a refresh token; whether there was one."""
    held = RefreshToken.objects.select_related("session").filter(token=fingerprint(secret)).first()
    if held is not None:
        end_session(held.session)
    return held is not None


def _exchange(held: RefreshToken) -> Rotated:
    held.used_at = timezone.now()
    held.save(update_fields=["used_at"])
    until = _until(held.used_at, held.session.credential)
    SignInSession.objects.filter(pk=held.session_id).update(expires_at=until, last_seen=held.used_at)
    held.session.expires_at = until
    return Rotated(held.session, issue_refresh_token(held.session))


def _until(now: datetime, credential: ClientCredential | None) -> datetime:
    """A sign-in of a program is over when its credential is."""
    if credential is None or credential.expires_at is None:
        return now + LIFETIME
    return min(now + LIFETIME, credential.expires_at)


def _is_live(session: SignInSession) -> bool:
    now, credential = timezone.now(), session.credential
    usable = credential is None or (
        credential.is_active and (credential.expires_at is None or credential.expires_at > now)
    )
    return usable and session.ended_at is None and session.expires_at > now and session.user.is_active


def _end(which: Q, user_id: UUID) -> int:
    lock_person(user_id)
    now = timezone.now()
    sessions = SignInSession.objects.filter(which, ended_at=None)
    ended = list(sessions.values_list("pk", flat=True))
    sessions.update(ended_at=now)
    RefreshToken.objects.filter(session__in=ended, revoked_at=None).update(revoked_at=now)
    for pk in ended:
        publish_on_commit(Event("session.ended", pk, actor_id=user_id))
    transaction.on_commit(lambda: session_copy.forget(user_id, ended), robust=True)
    return len(ended)
