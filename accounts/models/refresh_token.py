"""Refresh tokens: only their hash is kept."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.sign_in_session import SignInSession
from accounts.models.user import User
from tmi.lib.models import Row


class RefreshToken(Row):
    """A refresh token of a sign-in session. `token` is the SHA-256 of the token, in hexadecimal.

    The tokens of one session are one family; `used_at` marks those that were exchanged for a newer one.
    """

    user = models.ForeignKey(
        User, models.CASCADE, related_name="refresh_tokens", db_column="user_internal_uuid"
    )
    session = models.ForeignKey(SignInSession, models.CASCADE, related_name="refresh_tokens")
    token = models.TextField(unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "refresh_tokens"
        verbose_name = _("refresh token")
        verbose_name_plural = _("refresh tokens")
        indexes = [models.Index(fields=["expires_at"], name="refresh_tokens_expires_idx")]

    def __str__(self) -> str:
        return str(self.id)
