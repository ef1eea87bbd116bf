"""Who did what to which entity, and when. Append-only."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.user import User
from tmi.lib.fields import LineField
from tmi.lib.models import Row


class AuditEntry(Row):
    """One change. `changes` is {field: [before, after]}; `threat_model_id` is null for what is in no model.

    The references are not constraints: an entry outlives the people and things that it speaks of.
    """

    threat_model_id = models.UUIDField(null=True)
    entity_type = LineField()
    entity_id = models.UUIDField()
    action = LineField()
    actor = models.ForeignKey(
        User,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        related_name="+",
        db_column="actor_internal_uuid",
    )
    actor_label = LineField(default="", db_default="")
    changes = models.JSONField(default=dict, db_default={})
    request_id = models.UUIDField(null=True)

    class Meta:
        db_table = "audit_entries"
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["threat_model_id", "-created_at", "-id"], name="audit_entries_model_idx"),
            models.Index(fields=["entity_type", "entity_id", "-created_at"], name="audit_entries_entity_idx"),
            models.Index(fields=["created_at"], name="audit_entries_created_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.entity_type} {self.entity_id}"
