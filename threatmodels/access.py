"""Who may see and do what: the only ways to get hold of a threat model or a part of it.

What a person has no role on does not exist for them (`NotFound`); a role that is too low is
`PermissionDenied`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from accounts import audit
from accounts.models import GroupMember, User
from accounts.models.user import UserQuerySet
from threatmodels.access_sql import Person, is_invited, reachable, role_rank, standing_sql
from threatmodels.choices import SubjectType
from threatmodels.models import AccessInvitation, Record, ThreatModel, ThreatModelAccess, Webhook
from threatmodels.models.threat_model import ThreatModelQuerySet
from threatmodels.roles import Role
from tmi.lib.compiled import Compiled
from tmi.lib.errors import NotFound, PermissionDenied, ValidationFailed
from tmi.lib.events import Event, publish_on_commit
from tmi.lib.ids import NO_ID, parse_id

RecordT = TypeVar("RecordT", bound=Record)


def role_of(threat_model: ThreatModel) -> Role:
    """The role of the person for whom the model was loaded."""
    return Role(threat_model.role_rank)


def visible_to(user: User) -> ThreatModelQuerySet:
    """Live threat models on which the person has any role, with `role_rank`."""
    return with_role(_reachable(user).live(), user)


def restorable_by(user: User) -> ThreatModelQuerySet:
    """Deleted threat models that the person, as an owner, may restore."""
    return with_role(_reachable(user).deleted(), user).filter(role_rank=Role.OWNER)


def read_threat_model(user: User, threat_model_id: UUID | str, columns: Collection[str]) -> dict[str, Any]:
    """Columns of the live threat model, with `role_rank` and `is_invited`. Raises NotFound."""
    person = Person.of(user)
    of_columns = _columns_by_id(frozenset(columns) | {"role_rank", "is_invited"})
    found = of_columns(model_id=parse_id(threat_model_id) or NO_ID, **person._asdict())
    if not found or found[0]["role_rank"] < Role.READER:
        raise NotFound
    row: dict[str, Any] = found[0]
    return row


def get_threat_model(
    user: User, threat_model_id: UUID | str, *, at_least: Role = Role.READER, deleted: bool = False
) -> ThreatModel:
    """The live (or, for its owners, the deleted) threat model with `role_rank`.

    Raises NotFound where the person has no role, PermissionDenied where it is below `at_least`.
    """
    pk = parse_id(threat_model_id) or NO_ID
    found = _load_with_role(user, pk, at_least, deleted=deleted)
    if found.is_invited and not _accept_invitation(found, user):
        # Meanwhile it was accepted by another request, or withdrawn, and with it the role may be gone.
        found = _load_with_role(user, pk, at_least, deleted=deleted)
    return found


def get_record(
    user: User,
    kind: type[RecordT],
    record_id: UUID | str,
    *,
    threat_model_id: UUID | str,
    at_least: Role = Role.READER,
    deleted: bool = False,
) -> RecordT:
    """A live (or deleted) part of a threat model, its `threat_model` loaded with `role_rank`.

    Raises NotFound and PermissionDenied like `get_threat_model`; the part must lie in that very model.
    """
    threat_model = get_threat_model(user, threat_model_id, at_least=at_least)
    return record_in(threat_model, kind, record_id, deleted=deleted)


def record_in(
    threat_model: ThreatModel, kind: type[RecordT], record_id: UUID | str, *, deleted: bool = False
) -> RecordT:
    """The part of a model that the caller holds already; raises NotFound."""
    found = records_in(threat_model, kind, deleted=deleted).filter(pk=parse_id(record_id) or NO_ID).first()
    if found is None:
        raise NotFound
    found.threat_model = threat_model
    return found


def records_in(threat_model: ThreatModel, kind: type[RecordT], *, deleted: bool = False) -> QuerySet[RecordT]:
    """The live parts of one kind; the deleted ones are shown to writers."""
    if deleted and role_of(threat_model) < Role.WRITER:
        raise PermissionDenied("This needs the role writer; yours is reader.")
    inside: QuerySet[RecordT] = kind._default_manager.filter(threat_model=threat_model)
    return inside.filter(deleted_at__isnull=not deleted)


def webhooks_of(user: User) -> QuerySet[Webhook]:
    """The webhooks that the person manages: their own, and those of live models that they own."""
    own = Q(user=user, threat_model=None)
    return Webhook.objects.filter(
        own | Q(threat_model__in=visible_to(user).filter(role_rank=Role.OWNER).values("pk"))
    )


def get_webhook(user: User, webhook_id: UUID | str) -> Webhook:
    """One of them; raises NotFound."""
    found = (
        webhooks_of(user)
        .select_related("user", "threat_model")
        .filter(pk=parse_id(webhook_id) or NO_ID)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def person(user_id: UUID | str, *, field: str) -> User:
    """An active person by id; raises ValidationFailed on `field` where there is none."""
    found = User.objects.active().filter(pk=parse_id(user_id) or NO_ID).first()
    if found is None:
        raise ValidationFailed.of(field, "There is no such person.")
    return found


def people_known_to(user: User) -> UserQuerySet:
    """Active people with whom the person shares a threat model or a group, themselves included.

    The group of everyone does not count: it would make everybody known. An administrator knows all.
    """
    if user.is_admin:
        return User.objects.all()
    shared = _reachable(user).live().values("pk")
    entries = ThreatModelAccess.objects.filter(threat_model__in=shared)
    known = (
        Q(pk=user.pk)
        | Q(pk__in=ThreatModel.objects.filter(pk__in=shared).values("owner"))
        | Q(pk__in=entries.exclude(user=None).values("user"))
        | Q(memberships__group__in=entries.exclude(group=None).values("group"))
        | Q(memberships__group__in=_groups(user))
    )
    return User.objects.active().filter(Q(pk__in=User.objects.filter(known).values("pk")))


class Place(NamedTuple):
    """Somebody at a diagram, by a sign-in session."""

    user_id: UUID
    session_id: UUID
    diagram_id: UUID


class Standing(NamedTuple):
    """What somebody may do at a diagram now; `role` is None where they may do nothing."""

    signed_in: bool
    role: Role | None
    exists: bool


def standings(places: Sequence[Place]) -> list[Standing]:
    """The standing of many people at their diagrams, in one query."""
    if not places:
        return []
    with connection.cursor() as cursor:
        cursor.execute(standing_sql(), [list(column) for column in zip(*places, strict=True)])
        rows = sorted(cursor.fetchall())
    return [Standing(here, Role(rank) if rank else None, exists) for _place, rank, here, exists in rows]


def entries_of(threat_model: ThreatModel) -> list[ThreatModelAccess | AccessInvitation]:
    """Who else has a role, oldest entry first."""
    entries: list[ThreatModelAccess | AccessInvitation] = [
        *threat_model.access_entries.select_related("user", "group"),
        *threat_model.invitations.all(),
    ]
    return sorted(entries, key=lambda entry: (entry.created_at, entry.pk))


def with_role(threat_models: ThreatModelQuerySet, user: User) -> ThreatModelQuerySet:
    """Annotates `role_rank` (0 for none) and `is_invited`: part of the role comes from an open invitation."""
    return _with_role(threat_models, Person.of(user))


def _with_role(threat_models: ThreatModelQuerySet, person: Person) -> ThreatModelQuerySet:
    return threat_models.annotate(role_rank=role_rank(person), is_invited=is_invited(person))


def _of_id(model_id: UUID, user_id: UUID, email: str) -> ThreatModelQuerySet:
    return _with_role(ThreatModel.objects.filter(pk=model_id), Person(user_id, email))


_BY_ID = Compiled(_of_id, model_id=UUID, user_id=UUID, email=str)


@lru_cache(maxsize=100)
def _columns_by_id(columns: frozenset[str]) -> Compiled[ThreatModel]:
    def make(**values: Any) -> QuerySet[ThreatModel, Any]:
        return _of_id(**values).filter(deleted_at=None).values(*sorted(columns))

    return Compiled(make, model_id=UUID, user_id=UUID, email=str)


def _load(user: User, threat_model_id: UUID, *, deleted: bool) -> ThreatModel:
    found: list[ThreatModel] = _BY_ID(model_id=threat_model_id, **Person.of(user)._asdict())
    least = Role.OWNER if deleted else Role.READER
    if not found or found[0].is_deleted != deleted or found[0].role_rank < least:
        raise NotFound
    return found[0]


def _load_with_role(user: User, threat_model_id: UUID, at_least: Role, *, deleted: bool) -> ThreatModel:
    found = _load(user, threat_model_id, deleted=deleted)
    if role_of(found) < at_least:
        raise PermissionDenied(f"This needs the role {at_least.label}; yours is {role_of(found).label}.")
    return found


def _reachable(user: User) -> ThreatModelQuerySet:
    """Models with any role, whether deleted or not."""
    return ThreatModel.objects.filter(reachable(Person.of(user)))


def _groups(user: User) -> QuerySet[Any]:
    return GroupMember.objects.filter(user=user).values("group_id")


@transaction.atomic
def _accept_invitation(threat_model: ThreatModel, user: User) -> bool:
    """The invitation becomes an access entry; where there is one already the higher role stays.

    False where there is none (any more). The model is locked before its entries, as everybody does who
    changes them.
    """
    locked = ThreatModel.objects.select_for_update(no_key=True).get(pk=threat_model.pk)
    invitation = (
        AccessInvitation.objects.select_for_update(of=("self",))
        .alias(address=Lower("email"))
        .filter(threat_model=threat_model, address=user.email.lower())
        .first()
    )
    if invitation is None:
        return False
    if locked.owner_id == user.pk:
        # Invited before the model was handed over to them: an owner needs no entry.
        invitation.delete()
        return True
    granted, made = ThreatModelAccess.objects.get_or_create(
        threat_model=threat_model,
        user=user,
        defaults={
            "subject_type": SubjectType.USER,
            "role": invitation.role,
            "granted_by_id": invitation.granted_by_id,
        },
    )
    now = timezone.now()
    if not made and Role.named(granted.role) < Role.named(invitation.role):
        granted.role, granted.modified_at = invitation.role, now
        granted.save(update_fields=["role", "modified_at"])
    ThreatModel.objects.filter(pk=locked.pk).update(modified_at=now)
    audit.write(
        entity_type="access",
        entity_id=granted.pk,
        threat_model_id=threat_model.pk,
        action="accept_invitation",
        actor=user,
        # The address would stay here when the account is gone.
        changes={"subject": (None, user.name), "role": (None, granted.role)},
    )
    invitation.delete()
    publish_on_commit(Event("access.accept", granted.pk, threat_model.pk, user.pk))
    return True
