"""Making, changing, deleting and handing over threat models."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from threatmodels.actions import record
from threatmodels.choices import RoleName, SubjectType
from threatmodels.models import ThreatModel, ThreatModelAccess
from tmi.lib.errors import NotFound, PermissionDenied
from tmi.lib.events import Event, publish_on_commit


@transaction.atomic
def create_threat_model(*, actor: User, **fields: Any) -> ThreatModel:
    """Makes a threat model that belongs to the actor. Raises ValidationFailed."""
    made = ThreatModel(owner=actor, created_by=actor, **fields)
    if made.status:
        made.status_updated = timezone.now()
    record.check(made)
    made.save(force_insert=True)
    values = {name: (None, value) for name, value in record.state(made).items() if value not in (None, "")}
    _write(made, "create", actor, values)
    return made


@transaction.atomic
def update_threat_model(threat_model: ThreatModel, *, actor: User, changes: record.Change) -> ThreatModel:
    """Changes fields of the model; `status_updated` moves only with `status`. Raises ValidationFailed."""
    locked = record.lock(threat_model)
    before = record.state(locked)
    for name, value in (changes(locked) if callable(changes) else changes).items():
        setattr(locked, name, value)
    record.check(locked)
    changed = {n: (before[n], v) for n, v in record.state(locked).items() if before[n] != v}
    if not changed:
        return locked
    written = list(changed)
    if "status" in changed:
        locked.status_updated = timezone.now()
        written.append("status_updated")
    record.save_changes(locked, written)
    _write(locked, "update", actor, changed)
    return locked


@transaction.atomic
def transfer_threat_model(threat_model: ThreatModel, *, actor: User, owner: User) -> ThreatModel:
    """Hands the model over; the old owner keeps the role owner by an access entry."""
    locked = record.lock(threat_model)
    old = locked.owner
    if old == owner:
        return locked
    if not owner.is_active:
        raise NotFound("There is no such person.")
    # First, for without it an owner who hands over does not see the model any more, where policies are on.
    _owner_entry(locked, old, actor)
    locked.owner = owner
    record.save_changes(locked, ["owner_id"])
    ThreatModelAccess.objects.filter(threat_model=locked, user=owner).delete()
    _write(locked, "transfer", actor, {"owner_id": (old.pk, owner.pk)})
    return locked


@transaction.atomic
def write_threat_model(threat_model: ThreatModel, *, actor: User, changes: record.Change) -> ThreatModel:
    """Changes fields and, where `owner` is among the changes, hands the model over, both or neither."""
    handed: list[User] = []

    def fields(locked: ThreatModel) -> dict[str, Any]:
        new = dict(changes(locked) if callable(changes) else changes)
        handed.extend([new.pop("owner")] if "owner" in new else [])
        return new

    changed = update_threat_model(threat_model, actor=actor, changes=fields)
    return transfer_threat_model(changed, actor=actor, owner=handed[0]) if handed else changed


def delete_threat_model(threat_model: ThreatModel, **how: Any) -> None:
    """The model and everything in it vanish at once; an owner can restore them for a while."""
    record.delete_record(threat_model, **how)


def restore_threat_model(threat_model: ThreatModel, *, actor: User) -> ThreatModel:
    return record.restore_record(threat_model, actor=actor)


@transaction.atomic
def grant_to_administrator(threat_model: ThreatModel, *, actor: User) -> ThreatModelAccess:
    """Gives an administrator the role of an owner on a model, for all to see in its history."""
    if not actor.is_admin:
        raise PermissionDenied("Only an administrator may do this.")
    locked = record.lock(threat_model)
    entry = _owner_entry(locked, actor, actor)
    _write(locked, "administrator_access", actor, {"user_id": (None, actor.pk)})
    return entry


def _owner_entry(threat_model: ThreatModel, user: User, actor: User) -> ThreatModelAccess:
    entry, _made = ThreatModelAccess.objects.update_or_create(
        threat_model=threat_model,
        user=user,
        defaults={
            "subject_type": SubjectType.USER,
            "role": RoleName.OWNER,
            "granted_by": actor,
            "modified_at": timezone.now(),
        },
    )
    return entry


def _write(threat_model: ThreatModel, action: str, actor: User, changes: audit.Changes) -> None:
    audit.write(
        entity_type=ThreatModel.kind,
        entity_id=threat_model.pk,
        threat_model_id=threat_model.pk,
        action=action,
        actor=actor,
        changes=changes,
    )
    what = {"create": "created", "transfer": "transferred"}.get(action, "updated")
    publish_on_commit(Event(f"threat_model.{what}", threat_model.pk, threat_model.pk, actor.pk))
