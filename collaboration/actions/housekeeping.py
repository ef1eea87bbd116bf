"""Ending sessions that everybody has left, and forgetting what nobody asks for any more."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from collaboration.actions.session import end_stale_sessions
from collaboration.models import CollaborationSession, SkippedUndo
from threatmodels.models import DiagramOperation
from tmi.lib import sweep


def forget_sessions() -> dict[str, int]:
    """Ends stale sessions, and removes those that ended long ago and undos of forgotten operations."""
    end_stale_sessions()
    before = timezone.now() - timedelta(days=settings.CONFIG.retention.sessions_days)
    kept = DiagramOperation.objects.filter(
        diagram_id=OuterRef("diagram_id"), operation_id=OuterRef("operation_id")
    )
    return {
        "collaboration sessions": sweep.in_batches(
            sweep.rows(CollaborationSession.objects.filter(ended_at__lt=before))
        ),
        "skipped undos": sweep.in_batches(sweep.rows(SkippedUndo.objects.filter(~Exists(kept)))),
    }
