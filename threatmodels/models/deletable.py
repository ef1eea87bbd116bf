"""Rows that vanish at once and can be restored for a while."""

from __future__ import annotations

from typing import Any, Self

from django.db import models

from accounts.models import User
from tmi.lib.models import ChangingRow


class DeletableQuerySet(models.QuerySet[Any]):
    """Filters by whether a row counts as deleted."""

    def live(self) -> Self:
        return self.filter(deleted_at=None)

    def deleted(self) -> Self:
        return self.filter(deleted_at__isnull=False)


class DeletableRow(ChangingRow):
    """A row whose deletion is a mark; housekeeping removes it for good when its time is past."""

    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_by = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        db_column="deleted_by_internal_uuid",
    )

    class Meta:
        abstract = True

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None
