"""Threats: a CVSS vector decides the score."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from threatmodels.actions import record
from threatmodels.models import Threat


def _hidden(threat: Threat) -> list[str]:
    """The names of the references to what was deleted."""
    names: list[str] = []
    if threat.diagram and threat.diagram.deleted_at:
        names += ["diagram", "diagram_id", "cell_id"]
    if threat.asset and threat.asset.deleted_at:
        names += ["asset", "asset_id"]
    return names


def update_threat(
    threat: Threat, *, actor: User, changes: record.Change, shows_deleted: bool = False
) -> Threat:
    """Like `update_record`; a new vector that comes without a score replaces the score.

    Unless the caller `shows_deleted`, references to what was deleted show as null: a null that comes back
    for one changes nothing.
    """

    def with_score(locked: Threat) -> dict[str, Any]:
        new = dict(changes(locked) if callable(changes) else changes)
        if new.get("cvss_vector") and "score" not in new:
            new["score"] = None
        for name in [] if shows_deleted else _hidden(locked):
            if name in new and new[name] is None:
                del new[name]
        return new

    return record.update_record(threat, actor=actor, changes=with_score)
