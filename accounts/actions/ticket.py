"""WebSocket tickets: bound to a sign-in session, good once, for half a minute."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import SignInSession, SocketTicket
from accounts.tokens import fingerprint, new_secret

LIFETIME = timedelta(seconds=30)


def issue_ticket(session: SignInSession) -> tuple[str, datetime]:
    """A new ticket and the end of its time; tickets whose time is over go."""
    now, secret = timezone.now(), new_secret()
    SocketTicket.objects.filter(expires_at__lt=now).delete()
    made = SocketTicket.objects.create(session=session, ticket=fingerprint(secret), expires_at=now + LIFETIME)
    return secret, made.expires_at


def spend_ticket(secret: str) -> SignInSession | None:
    """The live session of an active person behind a ticket; of many who try at once one gets it."""
    ticket = SocketTicket.objects.filter(ticket=fingerprint(secret), expires_at__gt=timezone.now()).first()
    if ticket is None or not SocketTicket.objects.filter(pk=ticket.pk).delete()[0]:
        return None
    live = SignInSession.objects.live().select_related("user")
    return live.filter(pk=ticket.session_id, user__is_active=True).first()
