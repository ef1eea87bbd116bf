"""What makes a session of people at a diagram a live one, for those below the app of the sessions too."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone


def is_live(prefix: str = "") -> Q:
    """Neither ended nor expired, and not without people for too long; `prefix` leads to the session."""
    idle = timezone.now() - timedelta(seconds=settings.CONFIG.collaboration.idle_session_seconds)
    unexpired = Q(**{f"{prefix}expires_at": None}) | Q(**{f"{prefix}expires_at__gt": Now()})
    return unexpired & Q(**{f"{prefix}ended_at": None, f"{prefix}active_at__gt": idle})
