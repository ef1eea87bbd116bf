"""The live sessions of diagrams, with who is in them."""

from __future__ import annotations

from django.db.models import Prefetch, QuerySet

from accounts.models import User
from collaboration.models import CollaborationSession, SessionParticipant
from threatmodels import access


def live() -> QuerySet[CollaborationSession]:
    """Live sessions with the people who are in them as `there`."""
    there = SessionParticipant.objects.filter(left_at=None).select_related("user").order_by("joined_at", "pk")
    return CollaborationSession.objects.live().prefetch_related(
        Prefetch("participants", queryset=there, to_attr="there")
    )


def visible_to(user: User) -> QuerySet[CollaborationSession]:
    """Live sessions of diagrams that the person may see, the latest first."""
    models = access.visible_to(user).values("pk")
    return live().filter(diagram__deleted_at=None, threat_model__in=models).order_by("-created_at")
