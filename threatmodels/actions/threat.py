"""Threats: a CVSS vector decides the score."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from threatmodels.actions import record
from threatmodels.models import Threat


def update_threat(threat: Threat, *, actor: User, changes: record.Change) -> Threat:
    """Like `update_record`; a new vector that comes without a score replaces the score."""

    def with_score(locked: Threat) -> dict[str, Any]:
        new = dict(changes(locked) if callable(changes) else changes)
        if new.get("cvss_vector") and "score" not in new:
            new["score"] = None
        return new

    return record.update_record(threat, actor=actor, changes=with_score)
