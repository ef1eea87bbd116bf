"""Links that open a door once."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from tmi.lib.fields import LineField
from tmi.lib.models import Row


class OneTimeLink(Row):
    """The open link of a purpose; `secret_hash` is the SHA-256 of its secret, in hexadecimal."""

    purpose = LineField(unique=True)
    secret_hash = models.TextField(editable=False)

    class Meta:
        db_table = "one_time_links"
        verbose_name = _("one-time link")
        verbose_name_plural = _("one-time links")

    def __str__(self) -> str:
        return self.purpose
