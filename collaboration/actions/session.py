"""Collaboration sessions: who begins, hosts, presents, is removed, and how they end."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEntry, User
from collaboration.models import CollaborationSession, SessionParticipant, SessionRemoval
from threatmodels.models import Diagram
from threatmodels.roles import Role
from tmi.lib.errors import NotFound, PermissionDenied
from tmi.lib.events import Event, publish_on_commit

LIMITS = settings.CONFIG.collaboration

KIND = "collaboration_session"

ENDED_BY_PERSON = "The session was ended."
EXPIRED = "The session has expired."
IDLE = "Nobody had been there for a while."
DELETED = "The diagram was deleted."


@dataclass(frozen=True, slots=True)
class Ending:
    """Who ended a session, or nobody, and what everybody in it is told."""

    by: UUID | None
    message: str


@dataclass(frozen=True, slots=True)
class SessionState:
    """What the rooms of all processes have to agree on."""

    id: UUID
    host: UUID | None
    presenter: UUID | None
    ended: Ending | None
    removed: frozenset[UUID]


def websocket_url(base_url: str, diagram_id: UUID) -> str:
    """The address of a diagram's socket; `base_url` is that of the site, http or https."""
    return f"ws{base_url.removeprefix('http')}/ws/diagrams/{diagram_id}"


def join_session(
    diagram: Diagram, *, user: User, role: Role, base_url: str
) -> tuple[CollaborationSession, bool]:
    """The live session of the diagram with the person in it, and whether it began now.

    The first writer is its host and presents. Raises PermissionDenied for who was removed from it.
    """
    end_stale_sessions(diagram_id=diagram.pk)
    session, began = _live_session(diagram, base_url)
    if session.removals.filter(user=user).exists():
        raise PermissionDenied("You were removed from this session.")
    SessionParticipant.objects.bulk_create(
        [SessionParticipant(session=session, user=user)], ignore_conflicts=True
    )
    CollaborationSession.objects.filter(pk=session.pk).update(active_at=Now())
    if role >= Role.WRITER and session.host_id is None:
        become_host(session.pk, user.pk, instead_of=None, presents=True)
        session.refresh_from_db(fields=["host", "presenter"])
    return session, began


def _live_session(diagram: Diagram, base_url: str) -> tuple[CollaborationSession, bool]:
    for _ in range(3):  # somebody may begin or end one at the same moment
        found = CollaborationSession.objects.filter(diagram=diagram, ended_at=None).first()
        if found is not None:
            return found, False
        try:
            with transaction.atomic():
                return _begin(diagram, base_url), True
        except IntegrityError:
            continue
    raise NotFound("The session ends and begins again.")


def _begin(diagram: Diagram, base_url: str) -> CollaborationSession:
    made: CollaborationSession = CollaborationSession.objects.create(
        threat_model_id=diagram.threat_model_id,
        diagram=diagram,
        websocket_url=websocket_url(base_url, diagram.pk),
        expires_at=timezone.now() + timedelta(hours=LIMITS.session_hours),
    )
    publish_on_commit(Event("collaboration_session.started", made.pk, diagram.threat_model_id))
    return made


def states_of(session_ids: Collection[UUID]) -> dict[UUID, SessionState]:
    """Sessions as the database has them now, in two queries as long as none is over."""
    removed: dict[UUID, set[UUID]] = {}
    for session, user in SessionRemoval.objects.filter(session__in=session_ids).values_list(
        "session_id", "user_id"
    ):
        removed.setdefault(session, set()).add(user)
    now = timezone.now()
    rows = CollaborationSession.objects.filter(pk__in=session_ids).values_list(
        "pk", "host_id", "presenter_id", "ended_at", "expires_at"
    )
    found = list(rows)
    over = [pk for pk, _, _, ended, expires in found if ended or (expires is not None and expires <= now)]
    endings = _endings(over) if over else {}
    return {
        pk: SessionState(pk, host, presenter, endings.get(pk), frozenset(removed.get(pk, ())))
        for pk, host, presenter, *_ in found
    }


def _endings(session_ids: Collection[UUID]) -> dict[UUID, Ending]:
    """How sessions that are over have ended, as far as the database tells."""
    by = AuditEntry.objects.filter(entity_type=KIND, entity_id__in=session_ids, action="end")
    people = dict(by.values_list("entity_id", "actor_id"))
    rows = CollaborationSession.objects.filter(pk__in=session_ids).values_list(
        "pk", "ended_at", "expires_at", "diagram__deleted_at", "threat_model__deleted_at"
    )
    endings = dict.fromkeys(session_ids, Ending(None, DELETED))
    for pk, ended, expires, *deleted in rows:
        if pk in people:
            endings[pk] = Ending(people[pk], ENDED_BY_PERSON)
        elif expires is not None and (ended is None or expires <= ended):
            endings[pk] = Ending(None, EXPIRED)
        elif not any(deleted):
            endings[pk] = Ending(None, IDLE)
    return endings


def leave_session(session_id: UUID, user_ids: Collection[UUID]) -> None:
    """Notes that people have left."""
    there = SessionParticipant.objects.filter(session=session_id, user__in=user_ids, left_at=None)
    there.update(left_at=Now())
    CollaborationSession.objects.filter(pk=session_id).update(active_at=Now())


def keep_alive(
    here: Mapping[UUID, Collection[UUID]], everybody: Mapping[UUID, Collection[UUID]] | None = None
) -> None:
    """Notes that these people are in these sessions, and that whoever is not among everybody has left.

    `everybody` lacks the sessions of which nobody can tell who has left.
    """
    CollaborationSession.objects.filter(pk__in=here, ended_at=None).update(active_at=Now())
    _bring_back(here)
    for session_id, users in (everybody or {}).items():
        gone = SessionParticipant.objects.filter(session=session_id, left_at=None).exclude(user__in=users)
        gone.filter(joined_at__lt=timezone.now() - timedelta(minutes=1)).update(left_at=Now())


def _bring_back(here: Mapping[UUID, Collection[UUID]]) -> None:
    """Notes that they are there after all: a process that did not know of them may have noted otherwise."""
    there = SessionParticipant.objects.filter(session__in=here, left_at=None)
    missing = {(session_id, user_id) for session_id, users in here.items() for user_id in users}
    missing -= set(there.values_list("session_id", "user_id"))
    if not missing:
        return
    live = CollaborationSession.objects.filter(pk__in=here, ended_at=None).values_list("pk", flat=True)
    people = User.objects.filter(pk__in={user_id for _, user_id in missing}).values_list("pk", flat=True)
    sessions, users = set(live), set(people)
    SessionParticipant.objects.bulk_create(
        [
            SessionParticipant(session_id=session_id, user_id=user_id)
            for session_id, user_id in missing
            if session_id in sessions and user_id in users
        ],
        ignore_conflicts=True,
    )


def become_host(
    session_id: UUID, user_id: UUID | None, *, instead_of: UUID | None, presents: bool = False
) -> bool:
    """Hands the session to a person or nobody, if its host is still the one that is named; whether it was."""
    changes: dict[str, UUID | None] = {"host_id": user_id}
    if presents:
        changes["presenter_id"] = user_id
    return bool(_unended(session_id).filter(host=instead_of).update(**changes))


def set_presenter(session_id: UUID, user_id: UUID | None, *, instead_of: UUID | None) -> bool:
    """Lets somebody (or nobody) present, if the presenter is still the one that is named; whether it was."""
    return bool(_unended(session_id).filter(presenter=instead_of).update(presenter_id=user_id))


@transaction.atomic
def remove_participant(session_id: UUID, *, user_id: UUID, actor: User) -> None:
    """Bars a person from this session. Raises NotFound where there is no such participant."""
    session = _unended(session_id).first()
    took_part = SessionParticipant.objects.filter(session=session_id, user=user_id)
    if session is None or not took_part.exists():
        raise NotFound
    SessionRemoval.objects.get_or_create(session=session, user_id=user_id, defaults={"removed_by": actor})
    took_part.filter(left_at=None).update(left_at=Now())
    audit.write(
        entity_type=KIND,
        entity_id=session.pk,
        threat_model_id=session.threat_model_id,
        action="remove_participant",
        actor=actor,
        changes={"user_id": (None, str(user_id))},
    )


@transaction.atomic
def end_session(session: CollaborationSession, *, actor: User, role: Role) -> None:
    """Ends a session for everybody. Raises PermissionDenied for others than its host and owners.

    A host who may only read any more is none.
    """
    hosts = session.host_id == actor.pk and role >= Role.WRITER
    if not hosts and role < Role.OWNER:
        raise PermissionDenied("Only the host or an owner ends the session.")
    _end(CollaborationSession.objects.filter(pk=session.pk), ENDED_BY_PERSON, actor)


def end_session_of(session_id: UUID, *, actor: User, role: Role) -> None:
    """The same by id. Raises NotFound, PermissionDenied."""
    session = _unended(session_id).first()
    if session is None:
        raise NotFound
    end_session(session, actor=actor, role=role)


@transaction.atomic
def end_sessions_of(diagram_ids: Collection[UUID], message: str = DELETED) -> None:
    """Ends the sessions of diagrams that are gone."""
    _end(CollaborationSession.objects.filter(diagram__in=diagram_ids), message)


@transaction.atomic
def end_stale_sessions(*, diagram_id: UUID | None = None, silent_before: datetime | None = None) -> None:
    """Ends what has expired, and what everybody has left `idle_session_seconds` ago.

    Where people are said to be whom nobody has seen lately, they may be there all the same: nothing is noted
    while the database is away. Who knows that it was not also ends what is silent since `silent_before`.
    """
    idle = timezone.now() - timedelta(seconds=LIMITS.idle_session_seconds)
    of_diagram = Q(diagram=diagram_id) if diagram_id else Q()
    there = SessionParticipant.objects.filter(session=OuterRef("pk"), left_at=None)
    sessions = CollaborationSession.objects.filter(of_diagram)
    _end(sessions.filter(expires_at__lte=Now()), EXPIRED)
    _end(sessions.filter(~Exists(there), active_at__lt=idle), IDLE)
    if silent_before is not None:
        _end(sessions.filter(active_at__lt=silent_before), IDLE)


def _end(sessions: QuerySet[CollaborationSession], message: str, actor: User | None = None) -> None:
    live = sessions.filter(ended_at=None).select_for_update(of=("self",))
    ended = list(live.values_list("pk", "diagram_id", "threat_model_id"))
    ids = [pk for pk, *_ in ended]
    CollaborationSession.objects.filter(pk__in=ids).update(ended_at=Now(), presenter=None)
    SessionParticipant.objects.filter(session__in=ids, left_at=None).update(left_at=Now())
    for pk, diagram_id, threat_model_id in ended:
        told = {"diagram_id": str(diagram_id), "message": message}
        by = actor.pk if actor else None
        if actor is not None:
            audit.write(
                entity_type=KIND, entity_id=pk, threat_model_id=threat_model_id, action="end", actor=actor
            )
        publish_on_commit(Event("collaboration_session.ended", pk, threat_model_id, by, told))


def _unended(session_id: UUID) -> QuerySet[CollaborationSession]:
    return CollaborationSession.objects.filter(pk=session_id, ended_at=None)
