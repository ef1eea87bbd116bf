"""Writing audit entries: in the transaction of the change they tell of."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import models

from accounts.models import AuditEntry, User
from tmi.lib.context import request_id

Changes = Mapping[str, tuple[Any, Any]]


def storable(value: Any) -> Any:
    """The value as JSON keeps it."""
    if isinstance(value, models.Model):
        return str(value.pk)
    if isinstance(value, uuid.UUID | Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def entry(
    *,
    entity_type: str,
    entity_id: uuid.UUID,
    threat_model_id: uuid.UUID | None = None,
    action: str,
    actor: User | None,
    changes: Changes | None = None,
) -> AuditEntry:
    """An entry that is not saved yet."""
    listed = {name: [storable(old), storable(new)] for name, (old, new) in (changes or {}).items()}
    return AuditEntry(
        entity_type=entity_type,
        entity_id=entity_id,
        threat_model_id=threat_model_id,
        action=action,
        actor=actor,
        # Not the address: entries cannot be changed any more when the account is deleted.
        actor_label=actor.name if actor else "",
        changes=listed,
        request_id=request_id.get(),
    )


def write(**facts: Any) -> AuditEntry:
    """Save one entry; arguments as for `entry`."""
    made = entry(**facts)
    made.save(force_insert=True)
    return made


def write_all(entries: Iterable[AuditEntry]) -> None:
    AuditEntry.objects.bulk_create(entries, batch_size=1000)
