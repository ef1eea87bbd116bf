"""This process's copy of a diagram, and how it grows: many operations in one commit, in the database's order.

All of it is synchronous and runs in threads; a `Replica` is used by one caller at a time. A copy may
lag: then the database refuses the write, what others have written is fetched, and the operations are
tried again on top of it. After an exception a replica is in doubt and must be loaded anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from collaboration.models import SkippedUndo
from collaboration.undo import ROWS, Own, overlaps, stacks, touched
from threatmodels import log
from threatmodels.actions.operation import asset_ids, changed, deleted_assets, without_assets
from threatmodels.editing import carry_out, keeping_hidden, naming_assets
from threatmodels.models import Diagram, DiagramOperation
from threatmodels.operations import Applied, Operation, Rejected, State, add, patch
from tmi.lib.errors import NotFound, Unavailable
from tmi.lib.events import publish_on_commit
from tmi.lib.ids import new_id

# After so many lost races against other processes the diagram's row is locked.
OPTIMISTIC_TRIES = 3

Kind = Literal["undo", "redo"]
HistoryMessage = Literal["done", "changed_by_others", "no_operations_to_undo", "no_operations_to_redo"]


@dataclass(slots=True)
class Replica:
    """The cells of a diagram at `vector`, and the assets that nobody is shown because they are deleted."""

    diagram_id: UUID
    threat_model_id: UUID
    state: State
    vector: int
    checkpoint: int
    hidden: frozenset[str]


@dataclass(frozen=True, slots=True)
class Submission:
    """An operation that somebody would like to carry out; its form has been checked."""

    operation_id: UUID
    actor_id: UUID
    operation: Operation
    base_vector: int | None = None

    @property
    def digest(self) -> str:
        return log.digest(self.operation)


@dataclass(frozen=True, slots=True)
class Repeated:
    """The operation had been accepted before: here it is again."""

    accepted: DiagramOperation


@dataclass(slots=True)
class Outcome:
    """What became of submissions: operations to tell everybody, in order, and one result for each.

    The result is None for an operation that was accepted now, and is among those.
    """

    news: list[DiagramOperation] = field(default_factory=list)
    results: list[Rejected | Repeated | None] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of a request to undo or redo."""

    message: HistoryMessage
    operation_id: UUID | None = None
    undone_operation_id: UUID | None = None


def load(diagram_id: UUID) -> Replica:
    """A copy of a live diagram. Raises NotFound."""
    diagram = _live(diagram_id).first()
    if diagram is None:
        raise NotFound
    return Replica(
        diagram_id=diagram_id,
        threat_model_id=diagram.threat_model_id,
        state=State(diagram.current_cells),
        vector=diagram.update_vector,
        checkpoint=diagram.cells_vector,
        hidden=frozenset(deleted_assets(diagram.threat_model_id)),
    )


def hidden_assets(threat_model_id: UUID) -> frozenset[str]:
    """The deleted assets of a model."""
    return frozenset(deleted_assets(threat_model_id))


def reload(diagram_id: UUID, told: int) -> tuple[Replica, list[DiagramOperation]]:
    """A new copy, and the operations up to it that come after `told`. Raises NotFound."""
    replica = load(diagram_id)
    return replica, [one for one in log.since(diagram_id, told) if one.sequence_number <= replica.vector]


def catch_up(replica: Replica) -> list[DiagramOperation]:
    """Applies what others have written since."""
    return _apply(replica, log.since(replica.diagram_id, replica.vector))


def append(replica: Replica, submissions: Sequence[Submission]) -> Outcome:
    """Carries out what can be carried out, in order, and commits it at once.

    Raises NotFound when the diagram is gone, Unavailable.
    """
    outcome = Outcome()
    if any((one.base_vector or 0) > replica.vector for one in submissions):
        outcome.news += catch_up(replica)
    for _ in range(OPTIMISTIC_TRIES):
        if _try(replica, submissions, outcome):
            return outcome
    with _locked(replica):
        outcome.news += catch_up(replica)
        if not _try(replica, submissions, outcome):
            raise Unavailable("The diagram cannot be written to.")
    return outcome


def take_back(replica: Replica, actor_id: UUID, kind: Kind) -> tuple[list[DiagramOperation], Undone]:
    """Undoes or redoes the person's latest operation, as a new one, and says what to tell everybody.

    An operation whose properties others have changed since is left alone, and passed over from then on.
    Raises NotFound, Unavailable.
    """
    with _locked(replica):
        news = catch_up(replica)
        target = _latest(replica, actor_id, kind)
        if target is None:
            return news, Undone("no_operations_to_undo" if kind == "undo" else "no_operations_to_redo")
        applied = _inverted(replica, target, actor_id)
        about = target.operation_id if kind == "undo" else target.undo_of
        if applied is None:
            SkippedUndo.objects.get_or_create(
                diagram_id=replica.diagram_id, user_id=actor_id, operation_id=target.operation_id
            )
            return news, Undone("changed_by_others", None, about)
        entry = log.Entry(
            new_id(),
            actor_id,
            applied,
            log.digest(applied.operation),
            undo_of=target.operation_id if kind == "undo" else None,
            redo_of=target.undo_of if kind == "redo" else None,
        )
        written = _write(replica, [entry])
        if not written:
            replica.state.take_back(applied)
            raise Unavailable("The diagram cannot be written to.")
        return [*news, *written], Undone("done", entry.operation_id, about)


# -- appending


@dataclass(slots=True)
class _Attempt:
    """Submissions carried out in memory: what to keep, and what is known of each."""

    entries: dict[UUID, log.Entry] = field(default_factory=dict)
    results: list[Rejected | Repeated | None] = field(default_factory=list)
    # Sent twice at once: the later one is answered like a repetition of the earlier.
    twins: dict[int, UUID] = field(default_factory=dict)


def _try(replica: Replica, submissions: Sequence[Submission], outcome: Outcome) -> bool:
    """Whether it is settled what became of each; if not, the replica has caught up for another try."""
    attempt = _carry_out_all(replica, submissions)
    refused = [s for s, result in zip(submissions, attempt.results, strict=True) if result is not None]
    known: dict[UUID, DiagramOperation] = {}
    if refused:
        # A refusal may come from a copy that lags, or of an operation that was carried out long ago.
        missed, known = log.since(replica.diagram_id, replica.vector), _known(replica, refused)
        if missed:
            _take_back(replica, attempt)
            outcome.news += _apply(replica, missed)
            return False
    try:
        # Within a transaction a refused statement is taken back by itself.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            written = _write(replica, list(attempt.entries.values()))
    except IntegrityError:
        _take_back(replica, attempt)
        return _try_without_known(replica, submissions, outcome)
    except DataError:
        _take_back(replica, attempt)
        return _try_one_by_one(replica, submissions, outcome)
    if written is None:
        _take_back(replica, attempt)
        outcome.news += _missed(replica)
        return False
    outcome.news += written
    by_id = {one.operation_id: one for one in written}
    outcome.results = [
        _result(submission, result, known, by_id, index in attempt.twins)
        for index, (submission, result) in enumerate(zip(submissions, attempt.results, strict=True))
    ]
    return True


def _try_without_known(replica: Replica, submissions: Sequence[Submission], outcome: Outcome) -> bool:
    """Some ids are taken: those operations are answered from the log, and the others tried without them."""
    known = _known(replica, submissions)
    if not known:
        # What it refers to is gone: the diagram itself, or a person.
        if not _live(replica.diagram_id).exists():
            raise NotFound
        if len(submissions) == 1:
            outcome.results = [Rejected("unavailable", "The operation could not be kept.")]
            return True
        return _try_one_by_one(replica, submissions, outcome)
    fresh = [one for one in submissions if one.operation_id not in known]
    inner = Outcome()
    settled = not fresh or _try(replica, fresh, inner)
    outcome.news += inner.news
    if settled:
        results = iter(inner.results)
        outcome.results = [
            _repetition(one, known[one.operation_id]) if one.operation_id in known else next(results)
            for one in submissions
        ]
    return settled


def _try_one_by_one(replica: Replica, submissions: Sequence[Submission], outcome: Outcome) -> bool:
    """The database cannot hold one of them; the others do not suffer for it."""
    if len(submissions) == 1:
        outcome.results = [Rejected("validation_failed", "The database cannot hold this operation.")]
        return True
    results: list[Rejected | Repeated | None] = []
    for one in submissions:
        inner = append(replica, [one])
        outcome.news += inner.news
        results += inner.results
    outcome.results = results
    return True


def _carry_out_all(replica: Replica, submissions: Sequence[Submission]) -> _Attempt:
    attempt = _Attempt()
    assets: set[str] | None = None
    for index, one in enumerate(submissions):
        if one.operation_id in attempt.entries:
            attempt.twins[index] = one.operation_id
            attempt.results.append(Rejected("conflict_detected", "This operation_id is taken."))
            continue
        if assets is None and naming_assets(one.operation):
            assets = asset_ids(replica.threat_model_id)
        try:
            applied = _carry_out(replica, one, assets)
        except Rejected as error:
            attempt.results.append(error)
            continue
        attempt.results.append(None)
        attempt.entries[one.operation_id] = log.Entry(one.operation_id, one.actor_id, applied, one.digest)
    return attempt


def _carry_out(replica: Replica, one: Submission, assets: set[str] | None) -> Applied:
    if (one.base_vector or 0) > replica.vector:
        raise Rejected("conflict_detected", "base_vector is ahead of the diagram.")
    operation = keeping_hidden(one.operation, replica.state, replica.hidden)
    return carry_out(replica.state, operation, assets=assets)


def _take_back(replica: Replica, attempt: _Attempt) -> None:
    for entry in reversed(attempt.entries.values()):
        replica.state.take_back(entry.applied)


def _write(replica: Replica, entries: list[log.Entry]) -> list[DiagramOperation] | None:
    """The rows of the log, once they are there; None where the diagram has moved on."""
    if not entries:
        return []
    now = timezone.now()
    if not log.write(replica.diagram_id, replica.vector, entries, now):
        return None
    rows = [
        DiagramOperation(
            diagram_id=replica.diagram_id,
            sequence_number=replica.vector + place,
            operation_id=entry.operation_id,
            actor_id=entry.actor_id,
            operation=entry.applied.operation,
            digest=entry.digest,
            undo_of=entry.undo_of,
            redo_of=entry.redo_of,
            created_at=now,
        )
        for place, entry in enumerate(entries, 1)
    ]
    replica.vector += len(entries)
    last = entries[-1]
    publish_on_commit(
        changed(replica.diagram_id, replica.threat_model_id, last.actor_id, replica.vector, told=True)
    )
    return rows


def _result(
    submission: Submission,
    result: Rejected | Repeated | None,
    known: dict[UUID, DiagramOperation],
    written: dict[UUID, DiagramOperation],
    is_twin: bool,
) -> Rejected | Repeated | None:
    if result is None:
        return None
    held = written.get(submission.operation_id) if is_twin else known.get(submission.operation_id)
    return result if held is None else _repetition(submission, held)


def _repetition(submission: Submission, held: DiagramOperation) -> Rejected | Repeated:
    if held.actor_id == submission.actor_id and held.digest == submission.digest:
        return Repeated(held)
    return Rejected("conflict_detected", "This operation_id is taken.")


def _known(replica: Replica, submissions: Sequence[Submission]) -> dict[UUID, DiagramOperation]:
    ids = [one.operation_id for one in submissions]
    rows = DiagramOperation.objects.filter(diagram_id=replica.diagram_id, operation_id__in=ids)
    return {row.operation_id: row for row in rows.defer("inverse")}


# -- what others have written


def _missed(replica: Replica) -> list[DiagramOperation]:
    """What stood in the way of a write. Raises NotFound when that is the end of the diagram."""
    missed = catch_up(replica)
    if not missed and not _live(replica.diagram_id).exists():
        raise NotFound
    return missed


def _apply(replica: Replica, missed: list[DiagramOperation]) -> list[DiagramOperation]:
    for one in missed:
        if one.sequence_number != replica.vector + 1:
            raise Unavailable(f"Operation {replica.vector + 1} of the log is missing.")
        replica.state.apply(one.operation)
        replica.vector = one.sequence_number
    return missed


# -- taking back


def _latest(replica: Replica, actor_id: UUID, kind: Kind) -> DiagramOperation | None:
    mine = DiagramOperation.objects.filter(diagram_id=replica.diagram_id, actor_id=actor_id)
    rows = mine.order_by("-sequence_number").values_list("operation_id", "undo_of", "redo_of")[:ROWS]
    skipped = SkippedUndo.objects.filter(diagram_id=replica.diagram_id, user_id=actor_id)
    left = stacks((Own(*row) for row in reversed(rows)), skipped.values_list("operation_id", flat=True))
    stack = left.undo if kind == "undo" else left.redo
    return mine.get(operation_id=stack[-1]) if stack else None


def _inverted(replica: Replica, target: DiagramOperation, actor_id: UUID) -> Applied | None:
    """The target taken back in memory; None where others have since touched what that would touch."""
    try:
        applied = carry_out(replica.state, _without_lost_assets(replica, target.inverse))
    except Rejected:
        return None
    mine = touched(applied.operation)
    if any(overlaps(mine, touched(theirs)) for theirs in _by_others(target, actor_id, list(mine))):
        replica.state.take_back(applied)
        return None
    return applied


def _by_others(target: DiagramOperation, actor_id: UUID, cell_ids: list[str]) -> Iterator[Operation]:
    """What others have done since to these cells."""
    later = DiagramOperation.objects.filter(
        diagram_id=target.diagram_id, sequence_number__gt=target.sequence_number
    )
    speaking = later.exclude(actor_id=actor_id).extra(
        where=[
            "EXISTS (SELECT FROM jsonb_array_elements(operation -> 'cells') s WHERE s ->> 'id' = ANY(%s))"
        ],
        params=[cell_ids],
    )
    return speaking.values_list("operation", flat=True).iterator(500)


def _without_lost_assets(replica: Replica, operation: Operation) -> Operation:
    """An inverse may bring back a cell that names an asset which is gone for good."""
    if not naming_assets(operation):
        return operation
    held = asset_ids(replica.threat_model_id)
    return patch(
        add(without_assets(step["data"], set(step["data"].get("data_asset_ids", ())) - held))
        if step["operation"] == "add"
        else step
        for step in operation["cells"]
    )


# -- the row


@contextmanager
def _locked(replica: Replica) -> Iterator[None]:
    """In one transaction, while nobody else writes to the diagram. Raises NotFound when it is gone."""
    with transaction.atomic():
        row = _live(replica.diagram_id).select_for_update(of=("self",))
        if not row.values_list("pk").first():
            raise NotFound
        yield


def _live(diagram_id: UUID) -> QuerySet[Diagram]:
    return Diagram.objects.filter(pk=diagram_id, deleted_at=None, threat_model__deleted_at=None)
