"""Removing for good what was deleted long ago, and old operations of diagrams."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts import audit
from threatmodels import log
from threatmodels.models import (
    Asset,
    Diagram,
    Document,
    Note,
    Repository,
    Threat,
    ThreatModel,
)
from threatmodels.models.deletable import DeletableRow
from tmi.lib import sweep

KINDS: tuple[type[DeletableRow], ...] = (Threat, Asset, Document, Note, Repository, Diagram, ThreatModel)
# A threat model takes all that is in it along.
MODELS_AT_ONCE = 50


def purge_deleted() -> dict[str, int]:
    """Removes for good what can no longer be restored; how many of each kind."""
    return {str(kind._meta.verbose_name_plural): _purge(kind) for kind in KINDS}


def drop_old_operations() -> int:
    """Forgets operations past their retention, never the last ones of a diagram; none where that is 0."""
    days = settings.CONFIG.collaboration.log_retention_days
    if not days:
        return 0
    before = timezone.now() - timedelta(days=days)
    return sweep.in_batches(lambda limit: log.drop_old(before, limit), batch=10 * sweep.BATCH)


def _purge(kind: type[DeletableRow]) -> int:
    batch = MODELS_AT_ONCE if kind is ThreatModel else sweep.BATCH
    return sweep.in_batches(_purger(kind), batch=batch)


def _purger(kind: type[DeletableRow]) -> Callable[[int], int]:
    """What removes so many rows of a kind and says so in the audit."""
    before = timezone.now() - timedelta(days=settings.CONFIG.retention.deleted_days)
    model = "pk" if kind is ThreatModel else "threat_model_id"

    def remove(limit: int) -> int:
        # Who restores one at this moment has it: the row is locked, and passed over.
        due = kind._default_manager.filter(deleted_at__lt=before).select_for_update(skip_locked=True)
        found = list(due.order_by("deleted_at").values_list("pk", model)[:limit])
        audit.write_all(
            audit.entry(
                entity_type=kind.kind,  # type: ignore[attr-defined]  # each of KINDS has one
                entity_id=pk,
                threat_model_id=threat_model_id,
                action="purge",
                actor=None,
            )
            for pk, threat_model_id in found
        )
        sweep.delete(kind, [pk for pk, _ in found])
        return len(found)

    return remove
