"""A sign-in: what stands behind a browser session and behind every access token."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.user import User
from tmi.lib.compiled import Compiled
from tmi.lib.fields import DatabaseNow, LineField
from tmi.lib.models import Row


class SignInSessionQuerySet(models.QuerySet["SignInSession"]):
    def live(self, at: datetime | None = None) -> SignInSessionQuerySet:
        """Neither ended nor expired, and nor is the credential of a program behind it."""
        now = at or timezone.now()
        usable = Q(credential=None) | Q(credential__is_active=True)
        unexpired = Q(credential__expires_at=None) | Q(credential__expires_at__gt=now)
        return self.filter(usable, unexpired, ended_at=None, expires_at__gt=now)


class SignInSession(Row):
    """One sign-in of one person on one device; `id` is the `sid` of its tokens."""

    user = models.ForeignKey(
        User, models.CASCADE, related_name="sign_in_sessions", db_column="user_internal_uuid"
    )
    last_seen = models.DateTimeField(default=timezone.now, db_default=DatabaseNow(), editable=False)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    address = LineField(max_length=64, blank=True, default="", db_default="")
    # The program behind it: one with credentials of its own, or one that a person let in.
    credential = models.ForeignKey(
        "accounts.ClientCredential", models.SET_NULL, null=True, blank=True, related_name="sessions"
    )
    client = models.ForeignKey(
        "accounts.OAuthClient", models.SET_NULL, null=True, blank=True, related_name="sessions"
    )
    user_agent = LineField(max_length=400, blank=True, default="", db_default="")

    objects = SignInSessionQuerySet.as_manager()

    class Meta:
        db_table = "sign_in_sessions"
        verbose_name = _("sign-in session")
        verbose_name_plural = _("sign-in sessions")
        indexes = [models.Index(fields=["expires_at"], name="sign_in_sessions_expires_idx")]

    def __str__(self) -> str:
        return f"{self.user} {self.created_at:%Y-%m-%d %H:%M}"


_LIVE = Compiled(
    lambda session_id, now: (
        SignInSession.objects.live(now).select_related("user").filter(pk=session_id, user__is_active=True)
    ),
    session_id=UUID,
    now=datetime,
)


def live_session(session_id: UUID) -> SignInSession | None:
    """The live session with its active person; None where it ended, or the person was deactivated."""
    found: list[SignInSession] = _LIVE(session_id=session_id, now=timezone.now())
    return found[0] if found else None
