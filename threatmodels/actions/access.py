"""Sharing: who else has a role on a threat model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts import audit
from accounts.models import Group, User
from threatmodels.actions.record import touch
from threatmodels.choices import RoleName, SubjectType
from threatmodels.models import AccessInvitation, ThreatModel, ThreatModelAccess
from tmi.lib.errors import Conflict, ValidationFailed
from tmi.lib.events import Event, publish_on_commit

Entry = ThreatModelAccess | AccessInvitation


@dataclass(frozen=True, slots=True)
class Grant:
    """A role for exactly one of: a person, a group, an email address."""

    role: str
    user: User | None = None
    group: Group | None = None
    email: str = ""

    @property
    def subject(self) -> str:
        """What may stand in the list only once."""
        return str(self.user.pk if self.user else self.group.pk if self.group else self.email.lower())


@transaction.atomic
def grant_access(threat_model: ThreatModel, *, actor: User, grant: Grant) -> Entry:
    """Adds one entry. Raises Conflict for a subject that has one, ValidationFailed for the owner."""
    _lock(threat_model)
    made = _add(threat_model, actor, grant)
    _finish(threat_model, actor, made, "grant", {"role": (None, grant.role)})
    return made


@transaction.atomic
def change_access(threat_model: ThreatModel, *, actor: User, entry: Entry, role: str) -> Entry:
    """Gives the subject of an entry another role."""
    _check_role(role)
    _lock(threat_model)
    before, entry.role, entry.modified_at = entry.role, role, timezone.now()
    entry.save(update_fields=["role", "modified_at"])
    if before != role:
        _finish(threat_model, actor, entry, "change", {"role": (before, role)})
    return entry


@transaction.atomic
def revoke_access(threat_model: ThreatModel, *, actor: User, entry: Entry) -> None:
    """Removes one entry."""
    _lock(threat_model)
    _finish(threat_model, actor, entry, "revoke", {"role": (entry.role, None)})
    entry.delete()


@transaction.atomic
def replace_access(threat_model: ThreatModel, *, actor: User, grants: Sequence[Grant]) -> list[Entry]:
    """Makes `grants` the only entries, all or nothing; an error names the grant by position."""
    _lock(threat_model)
    present: list[Entry] = [*threat_model.access_entries.all(), *threat_model.invitations.all()]
    for old in present:
        _finish(threat_model, actor, old, "revoke", {"role": (old.role, None)})
        old.delete()
    made: list[Entry] = []
    for index, grant in enumerate(grants):
        try:
            made.append(_add(threat_model, actor, grant))
        except ValidationFailed as error:
            raise error.below(f"/{index}") from None
        _finish(threat_model, actor, made[-1], "grant", {"role": (None, grant.role)})
    return made


def _lock(threat_model: ThreatModel) -> None:
    ThreatModel.objects.select_for_update(no_key=True).get(pk=threat_model.pk)


def _add(threat_model: ThreatModel, actor: User, grant: Grant) -> Entry:
    _check_role(grant.role)
    if grant.user is not None and grant.user.pk == threat_model.owner_id:
        raise ValidationFailed.of("user_id", "This person owns the threat model and needs no entry.")
    try:
        with transaction.atomic():
            return _invite(threat_model, actor, grant) if grant.email else _enter(threat_model, actor, grant)
    except IntegrityError:
        raise Conflict("This person or group has an entry already.") from None


def _enter(threat_model: ThreatModel, actor: User, grant: Grant) -> ThreatModelAccess:
    if grant.group is not None:
        Group.objects.filter(pk=grant.group.pk).update(
            usage_count=F("usage_count") + 1, last_used=timezone.now()
        )
    return ThreatModelAccess.objects.create(
        threat_model=threat_model,
        user=grant.user,
        group=grant.group,
        subject_type=SubjectType.USER if grant.user else SubjectType.GROUP,
        role=grant.role,
        granted_by=actor,
    )


def _invite(threat_model: ThreatModel, actor: User, grant: Grant) -> AccessInvitation:
    try:
        validate_email(grant.email)
    except ValidationError as error:
        raise ValidationFailed.of("email", error.messages[0]) from None
    return AccessInvitation.objects.create(
        threat_model=threat_model, email=grant.email, role=grant.role, granted_by=actor
    )


def _check_role(role: str) -> None:
    if role not in RoleName.values:
        raise ValidationFailed.of("role", f"One of {', '.join(RoleName.values)}.")


def _finish(
    threat_model: ThreatModel, actor: User, entry: Entry, action: str, changes: audit.Changes
) -> None:
    subject = entry.email if isinstance(entry, AccessInvitation) else str(entry.user or entry.group)
    old, new = (None, subject) if action == "grant" else (subject, None if action == "revoke" else subject)
    audit.write(
        entity_type="access",
        entity_id=entry.pk,
        threat_model_id=threat_model.pk,
        action=action,
        actor=actor,
        changes={"subject": (old, new), **changes},
    )
    touch(threat_model.pk)
    publish_on_commit(Event(f"access.{action}", entry.pk, threat_model.pk, actor.pk))
