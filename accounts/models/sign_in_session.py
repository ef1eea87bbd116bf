"""A sign-in: what stands behind a browser session and behind every access token."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.user import User
from tmi.lib.fields import DatabaseNow, LineField
from tmi.lib.models import Row


class SignInSessionQuerySet(models.QuerySet["SignInSession"]):
    def live(self, at: datetime | None = None) -> SignInSessionQuerySet:
        """Neither ended nor expired."""
        return self.filter(Q(ended_at=None), expires_at__gt=at or timezone.now())


class SignInSession(Row):
    """One sign-in of one person on one device; `id` is the `sid` of its tokens."""

    user = models.ForeignKey(
        User, models.CASCADE, related_name="sign_in_sessions", db_column="user_internal_uuid"
    )
    last_seen = models.DateTimeField(default=timezone.now, db_default=DatabaseNow(), editable=False)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    address = LineField(max_length=64, blank=True, default="", db_default="")
    user_agent = LineField(max_length=400, blank=True, default="", db_default="")

    objects = SignInSessionQuerySet.as_manager()

    class Meta:
        db_table = "sign_in_sessions"
        verbose_name = _("sign-in session")
        verbose_name_plural = _("sign-in sessions")
        indexes = [models.Index(fields=["expires_at"], name="sign_in_sessions_expires_idx")]

    def __str__(self) -> str:
        return f"{self.user} {self.created_at:%Y-%m-%d %H:%M}"
