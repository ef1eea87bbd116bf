"""Sharing: who else has a role on a threat model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from accounts import audit
from accounts.models import Group, User
from threatmodels.actions.record import touch
from threatmodels.choices import RoleName, SubjectType
from threatmodels.models import AccessInvitation, ThreatModel, ThreatModelAccess
from tmi.lib.errors import Conflict, NotFound, ValidationFailed
from tmi.lib.events import Event, publish_on_commit

Entry = ThreatModelAccess | AccessInvitation
TAKEN = "This person or group has an entry already."
OWNS = "This person owns the threat model and needs no entry."


@dataclass(frozen=True, slots=True)
class Grant:
    """A role for exactly one of: a person, a group, an email address.

    `entry_id` names an entry that has the subject already, and then stands for it.
    """

    role: str
    user: User | None = None
    group: Group | None = None
    email: str = ""
    entry_id: UUID | None = None

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
    """Gives the subject of an entry another role. Raises NotFound when the entry is gone."""
    _check_role(role)
    _lock(threat_model)
    return _change(threat_model, actor, _as_it_is(threat_model, entry), role)


@transaction.atomic
def revoke_access(threat_model: ThreatModel, *, actor: User, entry: Entry) -> None:
    """Removes one entry, and a person's invitation with theirs. Raises NotFound when it is gone already."""
    _lock(threat_model)
    found = _as_it_is(threat_model, entry)
    if isinstance(found, ThreatModelAccess) and found.user is not None:
        for invitation in _invitations_of(threat_model, found.user).select_for_update():
            _revoke(threat_model, actor, invitation)
    _revoke(threat_model, actor, found)


@transaction.atomic
def replace_access(threat_model: ThreatModel, *, actor: User, grants: Sequence[Grant]) -> list[Entry]:
    """Makes `grants` the only entries, all or nothing; an error names the grant by position.

    What is there already for a subject stays, with the role of the grant. Raises Conflict for a subject that
    the list has twice, and for a grant of an entry that is gone.
    """
    _lock(threat_model)
    present: list[Entry] = [
        *_locked_entries(threat_model),
        *threat_model.invitations.select_for_update(),
    ]
    kept = [_held(grant, present, index) for index, grant in enumerate(grants)]
    ids = _each_once(kept)
    gone = [entry for entry in present if entry.pk not in ids]
    own = [entry for entry in gone if _subject(entry) == str(actor.pk)]
    for entry in gone:
        if entry not in own:
            _revoke(threat_model, actor, entry)
    _lock_groups(grants)
    settled = [
        _settle(threat_model, actor, index, grant, entry)
        for index, (grant, entry) in enumerate(zip(grants, kept, strict=True))
    ]
    # Last, for with it goes the right to write the others, where the database itself watches over that.
    for entry in own:
        _revoke(threat_model, actor, entry)
    return settled


def _lock_groups(grants: Sequence[Grant]) -> None:
    """In one order, whatever the order of the list: other models name the same groups."""
    ids = [grant.group.pk for grant in grants if grant.group is not None]
    list(Group.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True))


def _settle(threat_model: ThreatModel, actor: User, index: int, grant: Grant, held: Entry | None) -> Entry:
    try:
        _check_role(grant.role)
        if held is not None:
            return _change(threat_model, actor, held, grant.role)
        made = _add(threat_model, actor, grant)
    except ValidationFailed as error:
        raise error.below(f"/{index}") from None
    except Conflict as error:
        raise _conflict_at(index, error.message) from None
    _finish(threat_model, actor, made, "grant", {"role": (None, grant.role)})
    return made


def _held(grant: Grant, present: Sequence[Entry], index: int) -> Entry | None:
    """The entry that the subject of a grant has. Raises Conflict where the one that it names is gone."""
    if grant.entry_id is None:
        return next((entry for entry in present if grant.subject in _subjects(entry)), None)
    found = next((entry for entry in present if entry.pk == grant.entry_id), None)
    if found is None:
        raise _conflict_at(index, "This access entry is gone.")
    return found


def _each_once(entries: Sequence[Entry | None]) -> set[UUID]:
    """The ids of these entries. Raises Conflict where one of them comes again."""
    ids: set[UUID] = set()
    for index, entry in enumerate(entries):
        if entry is not None and entry.pk in ids:
            raise _conflict_at(index, TAKEN)
        ids |= {entry.pk} if entry is not None else set()
    return ids


def _conflict_at(index: int, message: str) -> Conflict:
    return Conflict(message, details={"field": f"/{index}"})


def _subject(entry: Entry) -> str:
    """As `Grant.subject`."""
    if isinstance(entry, AccessInvitation):
        return entry.email.lower()
    return str(entry.user_id or entry.group_id)


def _subjects(entry: Entry) -> set[str]:
    """By what a grant may name the subject of an entry: a person also by the address that the list shows."""
    by_address = {entry.user.email.lower()} if isinstance(entry, ThreatModelAccess) and entry.user else set()
    return {_subject(entry)} | by_address


def _as_it_is(threat_model: ThreatModel, entry: Entry) -> Entry:
    """The entry as it is under the lock: until then somebody else may have changed or removed it."""
    found: Entry | None
    if isinstance(entry, AccessInvitation):
        found = threat_model.invitations.select_for_update().filter(pk=entry.pk).first()
    else:
        found = _locked_entries(threat_model).filter(pk=entry.pk).first()
    if found is None:
        raise NotFound
    return found


def _locked_entries(threat_model: ThreatModel) -> QuerySet[ThreatModelAccess]:
    return threat_model.access_entries.select_related("user", "group").select_for_update(of=("self",))


def _change(threat_model: ThreatModel, actor: User, entry: Entry, role: str) -> Entry:
    if entry.role == role:
        return entry
    before, entry.role, entry.modified_at = entry.role, role, timezone.now()
    entry.save(update_fields=["role", "modified_at"])
    _finish(threat_model, actor, entry, "change", {"role": (before, role)})
    return entry


def _revoke(threat_model: ThreatModel, actor: User, entry: Entry) -> None:
    _finish(threat_model, actor, entry, "revoke", {"role": (entry.role, None)})
    entry.delete()


def _lock(threat_model: ThreatModel) -> None:
    """Taken before the entries are looked at, always in this order, so that nobody waits in a circle."""
    ThreatModel.objects.select_for_update(no_key=True).get(pk=threat_model.pk)


def _add(threat_model: ThreatModel, actor: User, grant: Grant) -> Entry:
    _check_role(grant.role)
    if grant.user is not None and grant.user.pk == threat_model.owner_id:
        raise ValidationFailed.of("user_id", OWNS)
    if grant.email:
        _refuse_known_address(threat_model, grant.email.lower())
    # Who may grant to an account by its id is shown its address: nothing is told that was not known.
    if grant.user is not None and _invitations_of(threat_model, grant.user).exists():
        raise Conflict(TAKEN)
    try:
        with transaction.atomic():
            return _invite(threat_model, actor, grant) if grant.email else _enter(threat_model, actor, grant)
    except IntegrityError:
        raise Conflict(TAKEN) from None


def _refuse_known_address(threat_model: ThreatModel, address: str) -> None:
    """An address that the list shows already; of no other account is told whether there is one."""
    of_address = User.objects.with_email(address)
    if of_address.filter(pk=threat_model.owner_id).exists():
        raise ValidationFailed.of("email", OWNS)
    if threat_model.access_entries.filter(user__in=of_address).exists():
        raise Conflict(TAKEN)


def _invitations_of(threat_model: ThreatModel, user: User) -> QuerySet[AccessInvitation]:
    """What counts for this person: an address has to be proved."""
    address = user.email.lower() if user.email_verified else None
    return threat_model.invitations.alias(address=Lower("email")).filter(address=address)


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
