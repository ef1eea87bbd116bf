"""Taking back a change that the history tells of."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.models import AuditEntry, User
from threatmodels import access
from threatmodels.actions import record
from threatmodels.actions.metadata import Entity, delete_metadata, set_metadata
from threatmodels.actions.threat_model import delete_threat_model, update_threat_model
from threatmodels.models import Asset, Diagram, Document, Note, Record, Repository, Threat, ThreatModel
from threatmodels.models.deletable import DeletableRow
from threatmodels.roles import Role
from tmi.lib.errors import Conflict, PermissionDenied

KINDS: dict[str, type[Record]] = {
    kind.kind: kind for kind in (Asset, Diagram, Document, Note, Repository, Threat)
}


@transaction.atomic
def revert(threat_model: ThreatModel, entry: AuditEntry, *, actor: User) -> None:
    """Takes back what an entry tells of: a creation by deleting, a deletion by restoring, a change of fields.

    Raises Conflict where something was changed again since, or where the kind of change has no way back,
    NotFound where the part is gone.
    """
    known = entry.entity_type in KINDS or entry.entity_type == ThreatModel.kind
    if entry.action == "metadata":
        _metadata(threat_model, entry, actor)
    elif entry.action == "update" and known:
        _fields(threat_model, entry, actor)
    elif entry.action == "create" and known:
        _delete(threat_model, entry, actor)
    elif entry.action in ("delete", "restore") and entry.entity_type in KINDS:
        _undelete(threat_model, entry, actor)
    else:
        raise Conflict("A change of this kind cannot be taken back here.", details={"action": entry.action})


def _subject(threat_model: ThreatModel, entry: AuditEntry, *, deleted: bool = False) -> DeletableRow:
    if entry.entity_type == ThreatModel.kind:
        return threat_model
    return access.record_in(threat_model, KINDS[entry.entity_type], entry.entity_id, deleted=deleted)


def _fields(threat_model: ThreatModel, entry: AuditEntry, actor: User) -> None:
    subject = _subject(threat_model, entry)

    def before(locked: DeletableRow) -> dict[str, Any]:
        pairs = {name: _as_python(locked, name, pair) for name, pair in entry.changes.items()}
        present = record.state(locked)
        later = sorted(name for name, (_old, new) in pairs.items() if present[name] != new)
        if later:
            raise Conflict("This was changed again since.", details={"fields": later})
        return {name: old for name, (old, _new) in pairs.items()}

    if isinstance(subject, ThreatModel):
        update_threat_model(subject, actor=actor, changes=before)
    else:
        record.update_record(subject, actor=actor, changes=before)


def _as_python(row: DeletableRow, name: str, pair: list[Any]) -> tuple[Any, Any]:
    """The values before and after, from how the history keeps them."""
    field: Any = next(f for f in type(row)._meta.concrete_fields if f.attname == name)
    read = field.target_field if field.is_relation else field
    old, new = (read.to_python(value) for value in pair)
    return old, new


def _delete(threat_model: ThreatModel, entry: AuditEntry, actor: User) -> None:
    if entry.entity_type != ThreatModel.kind:
        record.delete_record(_subject(threat_model, entry), actor=actor)
        return
    if access.role_of(threat_model) < Role.OWNER:
        raise PermissionDenied("Only an owner may delete a threat model.")
    delete_threat_model(threat_model, actor=actor)


def _undelete(threat_model: ThreatModel, entry: AuditEntry, actor: User) -> None:
    if entry.action == "delete":
        record.restore_record(_subject(threat_model, entry, deleted=True), actor=actor)
    else:
        record.delete_record(_subject(threat_model, entry), actor=actor)


def _metadata(threat_model: ThreatModel, entry: AuditEntry, actor: User) -> None:
    if entry.entity_type in KINDS:
        _subject(threat_model, entry)
    entity = Entity(threat_model, entry.entity_type, entry.entity_id)
    present = dict(entity.entries().values_list("key", "value"))
    later = sorted(key for key, (_old, new) in entry.changes.items() if present.get(key) != new)
    if later:
        raise Conflict("This was changed again since.", details={"fields": later})
    kept = [(key, old) for key, (old, _new) in entry.changes.items() if old is not None]
    gone = [key for key, (old, _new) in entry.changes.items() if old is None]
    if kept:
        set_metadata(entity, actor=actor, pairs=kept)
    if gone:
        delete_metadata(entity, actor=actor, keys=gone)
