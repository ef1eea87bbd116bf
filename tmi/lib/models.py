"""What all tables share."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Value
from django.db.models.functions import Length, Trim
from django.db.models.lookups import GreaterThan

from tmi.lib.fields import created_at, modified_at
from tmi.lib.ids import new_id


class IdentifiedRow(models.Model):
    """A row with a time-ordered key."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)

    class Meta:
        abstract = True


class Row(IdentifiedRow):
    """A row that knows when it was made."""

    created_at = created_at()

    class Meta:
        abstract = True


class ChangingRow(Row):
    """A row that also knows when it last changed."""

    modified_at = modified_at()

    class Meta:
        abstract = True


def one_of(field: str, values: list[str], *, name: str) -> models.CheckConstraint:
    """CHECK (field IN values)."""
    return models.CheckConstraint(condition=models.Q(**{f"{field}__in": values}), name=name)


def not_blank(field: str, *, name: str) -> models.CheckConstraint:
    """CHECK (LENGTH(TRIM(field)) > 0)."""
    return models.CheckConstraint(
        condition=GreaterThan(Length(Trim(F(field))), Value(0)),
        name=name,
        violation_error_message="This field may not be blank.",
    )
