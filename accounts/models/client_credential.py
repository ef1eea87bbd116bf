"""Credentials with which a program signs in on behalf of its owner."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.user import User
from tmi.lib.fields import LineField
from tmi.lib.models import ChangingRow
from tmi.lib.text import NotBlank


class ClientCredential(ChangingRow):
    """A client id and the hash of its secret; the secret itself is shown once and never kept."""

    owner = models.ForeignKey(
        User, models.CASCADE, related_name="client_credentials", db_column="owner_internal_uuid"
    )
    client_id = LineField(max_length=100, unique=True)
    secret_hash = models.TextField(editable=False)
    name = LineField(_("name"), max_length=200, validators=[NotBlank()])
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True, db_default=True)

    class Meta:
        db_table = "client_credentials"
        verbose_name = _("client credential")
        verbose_name_plural = _("client credentials")

    def __str__(self) -> str:
        return self.name
