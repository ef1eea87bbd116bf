"""Changing the parts of a threat model: one transaction, an audit entry, an announcement.

All kinds go through here; a kind with rules of its own has them in its model's `clean` or in a module beside
this one. Rows are locked in the order of their ids, the threat model last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils import timezone

from accounts import audit
from accounts.models import User
from threatmodels.models import Record, ThreatModel
from threatmodels.models.deletable import DeletableRow
from tmi.lib.errors import Conflict, FieldError, NotFound, ValidationFailed
from tmi.lib.events import Event, publish_all_on_commit

RecordT = TypeVar("RecordT", bound=Record)
RowT = TypeVar("RowT", bound=DeletableRow)
Values = Mapping[str, Any]
# New values, or a function from the locked row to them: for changes that depend on what is there.
Change = Values | Callable[[Any], Values]
TAKEN = "This id is taken."


def create_record(kind: type[RecordT], *, threat_model: ThreatModel, actor: User, **fields: Any) -> RecordT:
    """Makes one part of a model. `fields` are the model's; `id` may be given. Raises ValidationFailed."""
    return create_records(kind, threat_model=threat_model, actor=actor, rows=[fields], many=False)[0]


@transaction.atomic
def create_records(
    kind: type[RecordT],
    *,
    threat_model: ThreatModel,
    actor: User,
    rows: Sequence[Values],
    many: bool = True,
) -> list[RecordT]:
    """Makes many, all or none; errors name them by position (`/3/name`) unless `many` is false."""
    made = [kind(threat_model=threat_model, **row) for row in rows]
    check_all(made, many=many)
    refuse_taken_ids(kind, [row["id"] for row in rows if row.get("id")])
    try:
        with transaction.atomic():
            kind._default_manager.bulk_create(made, batch_size=500)
    except IntegrityError as error:
        # With row-level security an id may be taken by a row that the person cannot see.
        if "_pkey" not in str(error):
            raise
        raise Conflict(TAKEN, details={"field": "id"}) from None
    entries = [
        _entry(
            record, "create", actor, {n: (None, v) for n, v in state(record).items() if v not in (None, "")}
        )
        for record in made
    ]
    audit.write_all(entries)
    finish(threat_model.pk, actor, [(record, "created") for record in made])
    return made


@transaction.atomic
def update_record(record: RowT, *, actor: User, changes: Change) -> RowT:
    """Changes a live row; what stays the same is not written. Raises NotFound, ValidationFailed."""
    locked = lock(record)
    new = changes(locked) if callable(changes) else changes
    before = state(locked)
    for name, value in new.items():
        setattr(locked, name, value)
    check(locked)
    changed = {n: (before[n], v) for n, v in state(locked).items() if before[n] != v}
    if not changed:
        return locked
    save_changes(locked, changed)
    audit.write_all([_entry(locked, "update", actor, changed)])
    finish(model_id(locked), actor, [(locked, "updated")])
    return locked


@transaction.atomic
def delete_record(
    record: DeletableRow, *, actor: User, check_first: Callable[[Any], object] | None = None
) -> None:
    """Marks a live row as deleted; `check_first` may refuse, looking at the locked row."""
    locked = lock(record)
    if check_first is not None:
        check_first(locked)
    locked.deleted_at, locked.deleted_by = timezone.now(), actor
    locked.modified_at = locked.deleted_at
    locked.save(update_fields=["deleted_at", "deleted_by", "modified_at"])
    audit.write_all([_entry(locked, "delete", actor, {})])
    finish(model_id(locked), actor, [(locked, "deleted")])


@transaction.atomic
def restore_record(record: RowT, *, actor: User) -> RowT:
    """Brings a deleted row back."""
    locked = lock(record, deleted=True)
    locked.deleted_at = locked.deleted_by = None
    locked.modified_at = timezone.now()
    locked.save(update_fields=["deleted_at", "deleted_by", "modified_at"])
    audit.write_all([_entry(locked, "restore", actor, {})])
    finish(model_id(locked), actor, [(locked, "restored")])
    return locked


# -- many at once, all or nothing


@transaction.atomic
def change_all(
    kind: type[RecordT],
    *,
    threat_model: ThreatModel,
    ids: Sequence[UUID],
    change: Callable[[RecordT, int], Any],
    at: str = "/{}/id",
) -> None:
    """Calls `change(record, position)` for live parts of one model; errors name them by position.

    Raises NotFound where one of them is not there; `at` is where the ids were given.
    """
    held = _lock_all(kind, threat_model, ids)
    missing = next((index for index, pk in enumerate(ids) if pk not in held), None)
    if missing is not None:
        raise NotFound(details={"field": at.format(missing)})
    each_at(ids, lambda pk, index: change(held[pk], index))


@transaction.atomic
def put_all(
    kind: type[RecordT],
    *,
    threat_model: ThreatModel,
    ids: Sequence[UUID],
    change: Callable[[RecordT, int], Any],
    make: Callable[[int], Any],
) -> int:
    """Changes the parts that are there and makes the others; how many were there. Raises Conflict."""
    held = _lock_all(kind, threat_model, ids)
    each_at(ids, lambda pk, index: change(held[pk], index) if pk in held else make(index))
    return len(held)


def each_at(items: Sequence[Any], act: Callable[[Any, int], Any]) -> list[Any]:
    """`act(item, position)` for all; the field errors of all of them in one, with positions.

    A Conflict has its position too, and is raised at once.
    """
    done: list[Any] = []
    problems: list[FieldError] = []
    for index, item in enumerate(items):
        try:
            with transaction.atomic():
                done.append(act(item, index))
        except Conflict as error:
            raise error.below(f"/{index}") from None
        except ValidationFailed as error:
            problems += error.below(f"/{index}").errors
    if problems:
        raise ValidationFailed(problems)
    return done


def _lock_all(kind: type[RecordT], threat_model: ThreatModel, ids: Sequence[UUID]) -> dict[UUID, RecordT]:
    rows = kind._default_manager.filter(threat_model=threat_model, pk__in=ids, deleted_at=None)
    return {row.pk: row for row in rows.select_for_update(of=("self",)).order_by("pk")}


# -- shared by the actions of all kinds


def lock(row: RowT, *, deleted: bool = False) -> RowT:
    """The row as it is now, locked until the end of the transaction. Raises NotFound when it is gone."""
    rows = type(row)._default_manager.select_for_update(of=("self",))
    found: RowT | None = rows.filter(pk=row.pk, deleted_at__isnull=not deleted).first()
    if found is None:
        raise NotFound
    return found


def state(row: DeletableRow) -> dict[str, Any]:
    """The fields that people change, by attribute name."""
    return {f.attname: getattr(row, f.attname) for f in type(row)._meta.concrete_fields if f.editable}


def check(row: DeletableRow) -> None:
    """The rules of the row's fields and of the row; raises ValidationFailed. References are `clean`'s."""
    relations = [f.name for f in type(row)._meta.concrete_fields if f.is_relation]
    check_fields(row, exclude={*relations, "id"})


def check_fields(row: Model, *, exclude: set[str]) -> None:
    """The rules of a row of any table; raises ValidationFailed."""
    try:
        row.clean_fields(exclude=exclude)
        row.clean()
    except ValidationError as error:
        raise ValidationFailed(_field_errors(error, type(row))) from None


def check_all(rows: Sequence[DeletableRow], *, many: bool) -> None:
    problems: list[FieldError] = []
    for index, row in enumerate(rows):
        try:
            check(row)
        except ValidationFailed as error:
            problems += (error.below(f"/{index}") if many else error).errors
    if problems:
        raise ValidationFailed(problems)


def refuse_taken_ids(kind: type[Record], ids: Iterable[UUID]) -> None:
    """An id that is in use anywhere is a conflict, whoever may see that row."""
    if kind._default_manager.filter(pk__in=list(ids)).exists():
        raise Conflict(TAKEN, details={"field": "id"})


def save_changes(row: DeletableRow, changed: Iterable[str]) -> None:
    row.modified_at = timezone.now()
    names = {f.attname: f.name for f in type(row)._meta.concrete_fields}
    row.save(update_fields=[*(names[name] for name in changed), "modified_at"])


def model_id(row: DeletableRow) -> UUID:
    """The threat model that the row is, or is part of."""
    return row.threat_model_id if isinstance(row, Record) else row.pk


def finish(threat_model_id: UUID, actor: User, happened: Iterable[tuple[DeletableRow, str]]) -> None:
    """Touches the model and announces what happened, once the transaction is through."""
    touch(threat_model_id)
    publish_all_on_commit(
        [
            Event(f"{row.kind}.{what}", row.pk, threat_model_id, actor.pk)  # type: ignore[attr-defined]
            for row, what in happened
        ]
    )


def touch(threat_model_id: UUID) -> None:
    """Moves `modified_at` of the model in which something changed; called after all other locks are taken."""
    ThreatModel.objects.filter(pk=threat_model_id).update(modified_at=timezone.now())


def _entry(row: DeletableRow, action: str, actor: User, changes: audit.Changes) -> Any:
    return audit.entry(
        entity_type=row.kind,  # type: ignore[attr-defined]
        entity_id=row.pk,
        threat_model_id=model_id(row),
        action=action,
        actor=actor,
        changes=changes,
    )


def _field_errors(error: ValidationError, kind: type[Model]) -> list[FieldError]:
    """Field errors by the names that callers use: `diagram_id`, not `diagram`."""
    found = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
    names = {f.name: f.attname for f in kind._meta.concrete_fields} | {"__all__": ""}
    return [FieldError(names.get(name, name), text) for name, texts in found.items() for text in texts]
