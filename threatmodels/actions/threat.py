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
    """Like `update_record`; a new vector that comes without a new score replaces the score.

    Unless the caller `shows_deleted`, references to what was deleted show as null: a null that comes back
    for one changes nothing. Whoever names another diagram leaves the element of the deleted one behind.
    """

    def understood(locked: Threat) -> dict[str, Any]:
        new = dict(changes(locked) if callable(changes) else changes)
        if _is_new_vector(locked, new) and new.get("score") in (None, locked.score):
            new["score"] = None
        if shows_deleted:
            return new
        if "diagram_id" in _hidden(locked) and new.get("diagram_id") not in (None, locked.diagram_id):
            return {"cell_id": None} | _without_hidden(locked, new, but="cell_id")
        return _without_hidden(locked, new)

    return record.update_record(threat, actor=actor, changes=understood)


def _is_new_vector(locked: Threat, new: dict[str, Any]) -> bool:
    return bool(new.get("cvss_vector")) and new["cvss_vector"] != locked.cvss_vector


def _without_hidden(locked: Threat, new: dict[str, Any], but: str = "") -> dict[str, Any]:
    hidden = [name for name in _hidden(locked) if name != but]
    return {name: value for name, value in new.items() if value is not None or name not in hidden}
