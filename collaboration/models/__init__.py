"""Sessions in which people edit one diagram together."""

from collaboration.models.session import (
    CollaborationSession,
    SessionParticipant,
    SessionRemoval,
    SkippedUndo,
)

__all__ = ["CollaborationSession", "SessionParticipant", "SessionRemoval", "SkippedUndo"]
