"""The first answer to a POST with an Idempotency-Key, to be given again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.user import User
from tmi.lib.fields import LineField
from tmi.lib.models import Row

# After that a key may be used anew.
KEPT_FOR = timedelta(hours=24)


class KeptAnswer(Row):
    """An answer by person, address and key. Without a `status` it carried a secret and was not kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_column="user_internal_uuid")
    path = models.TextField()
    key = LineField(max_length=255)
    body_hash = models.TextField()
    status = models.SmallIntegerField(null=True)
    headers = models.JSONField(default=dict, db_default={})
    data = models.JSONField(null=True)

    class Meta:
        db_table = "kept_answers"
        verbose_name = _("kept answer")
        verbose_name_plural = _("kept answers")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["user", "path", "key"], name="kept_answers_user_path_key_key")
        ]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["created_at"], name="kept_answers_created_idx")]

    def __str__(self) -> str:
        return f"{self.path} {self.key}"
