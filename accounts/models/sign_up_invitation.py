"""Invitations to make an account."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.core.validators import validate_email
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.user import User
from tmi.lib.fields import LineField
from tmi.lib.models import Row
from tmi.lib.text import NotBlank


class SignUpInvitationQuerySet(models.QuerySet["SignUpInvitation"]):
    def open(self, at: datetime | None = None) -> SignUpInvitationQuerySet:
        """Neither used nor expired."""
        return self.filter(used_at=None, expires_at__gt=at or timezone.now())

    def for_email(self, email: str) -> SignUpInvitationQuerySet:
        return self.alias(address=Lower("email")).filter(address=email.strip().lower())


class SignUpInvitation(Row):
    """An address that may make one account; `secret_hash` is the SHA-256 of the link's secret."""

    email = LineField(_("email address"), max_length=254, validators=[NotBlank(), validate_email])
    secret_hash = models.TextField(unique=True, editable=False)
    invited_by = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", db_column="invited_by_internal_uuid"
    )
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    objects = SignUpInvitationQuerySet.as_manager()

    class Meta:
        db_table = "sign_up_invitations"
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(Lower("email"), name="sign_up_invitations_email_idx")
        ]

    def __str__(self) -> str:
        return self.email
