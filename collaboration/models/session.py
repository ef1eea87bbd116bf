"""Live and past sessions, who took part, and who was removed."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from threatmodels.live_session import is_live
from threatmodels.models import Diagram, ThreatModel
from tmi.lib.fields import DatabaseNow
from tmi.lib.models import IdentifiedRow, Row, not_blank


class SessionQuerySet(models.QuerySet["CollaborationSession"]):
    def live(self) -> SessionQuerySet:
        """Neither ended nor expired, and not without people for too long."""
        return self.filter(is_live())


class CollaborationSession(Row):
    """People at one diagram; at most one that has not ended exists for a diagram."""

    threat_model = models.ForeignKey(ThreatModel, models.CASCADE, related_name="collaboration_sessions")
    diagram = models.ForeignKey(Diagram, models.CASCADE, related_name="collaboration_sessions")
    websocket_url = models.TextField()
    expires_at = models.DateTimeField(null=True, blank=True)
    host = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", db_column="host_internal_uuid"
    )
    presenter = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", db_column="presenter_internal_uuid"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    # When somebody was last seen there; housekeeping ends what nobody has come back to.
    active_at = models.DateTimeField(default=timezone.now, db_default=DatabaseNow())

    objects = SessionQuerySet.as_manager()

    class Meta:
        db_table = "collaboration_sessions"
        verbose_name = _("collaboration session")
        verbose_name_plural = _("collaboration sessions")
        constraints: ClassVar[list[Any]] = [
            not_blank("websocket_url", name="collaboration_sessions_websocket_url_check"),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=F("created_at")),
                name="collaboration_sessions_expires_at_check",
            ),
            models.UniqueConstraint(
                fields=["diagram"], condition=Q(ended_at=None), name="collaboration_sessions_live_key"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class SkippedUndo(IdentifiedRow):
    """An operation that its author could not take back, for others had changed the same: passed over."""

    diagram = models.ForeignKey(Diagram, models.CASCADE, related_name="+")
    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_column="user_internal_uuid")
    operation_id = models.UUIDField()

    class Meta:
        db_table = "skipped_undos"
        verbose_name = _("skipped undo")
        verbose_name_plural = _("skipped undos")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["diagram", "user", "operation_id"], name="skipped_undos_diagram_user_operation_key"
            )
        ]

    def __str__(self) -> str:
        return str(self.operation_id)


class SessionParticipant(IdentifiedRow):
    """One stay of a person in a session."""

    session = models.ForeignKey(CollaborationSession, models.CASCADE, related_name="participants")
    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_column="user_internal_uuid")
    joined_at = models.DateTimeField(default=timezone.now, db_default=DatabaseNow())
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "session_participants"
        verbose_name = _("session participant")
        verbose_name_plural = _("session participants")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["session", "user"],
                condition=Q(left_at=None),
                name="session_participants_session_user_key",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.session_id}"


class SessionRemoval(Row):
    """A person whom the host removed from a session; bars them from joining it again."""

    session = models.ForeignKey(CollaborationSession, models.CASCADE, related_name="removals")
    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_column="user_internal_uuid")
    removed_by = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", db_column="removed_by_internal_uuid"
    )

    class Meta:
        db_table = "session_removals"
        verbose_name = _("removal")
        verbose_name_plural = _("removals")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["session", "user"], name="session_removals_session_user_key")
        ]

    def __str__(self) -> str:
        return f"{self.user} from {self.session_id}"
