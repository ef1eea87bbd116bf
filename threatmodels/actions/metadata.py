"""Metadata of any entity: set, replace and remove entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit
from accounts.models import User
from threatmodels.actions.record import touch
from threatmodels.models import Metadata, ThreatModel
from threatmodels.models.metadata import MOST_ENTRIES
from tmi.lib.errors import Conflict, FieldError, NotFound, ValidationFailed
from tmi.lib.events import Event, publish_on_commit

Pairs = Sequence[tuple[str, str]]
Check = Callable[[Mapping[str, Metadata]], object]
# In an address these mean something else: /metadata/bulk writes many entries.
RESERVED = frozenset({"bulk"})


@dataclass(frozen=True, slots=True)
class Entity:
    """What the entries belong to; the caller has loaded it through access."""

    threat_model: ThreatModel
    type: str
    id: UUID

    def entries(self) -> QuerySet[Metadata]:
        return Metadata.objects.filter(
            threat_model=self.threat_model, entity_type=self.type, entity_id=self.id
        )


@transaction.atomic
def add_metadata(entity: Entity, *, actor: User, pairs: Pairs, many: bool = True) -> list[Metadata]:
    """Adds entries; a key that is there already is a conflict.

    Errors name entries by position (`/3/key`) unless `many` is false.
    """
    held = _locked(entity)
    for index, (key, _value) in enumerate(pairs):
        if key in held:
            raise Conflict(f"The key {key} is there already.", details={"field": _place(index, many) + "key"})
    return _store(entity, actor, pairs, held, remove=(), many=many)


@transaction.atomic
def set_metadata(
    entity: Entity, *, actor: User, pairs: Pairs, many: bool = True, check_first: Check | None = None
) -> list[Metadata]:
    """Adds entries and replaces those whose key is there already.

    `check_first` may refuse, looking at the entries that are there, by key.
    """
    held = _locked(entity)
    if check_first is not None:
        check_first(held)
    return _store(entity, actor, pairs, held, remove=(), many=many)


@transaction.atomic
def replace_metadata(entity: Entity, *, actor: User, pairs: Pairs) -> list[Metadata]:
    """Makes `pairs` the only entries."""
    held = _locked(entity)
    return _store(entity, actor, pairs, held, remove=held.keys() - {key for key, _ in pairs})


@transaction.atomic
def delete_metadata(
    entity: Entity, *, actor: User, keys: Iterable[str], check_first: Check | None = None
) -> None:
    """Removes entries; raises NotFound when one of them is not there, and then removes none."""
    held, unwanted = _locked(entity), set(keys)
    if unwanted - held.keys():
        raise NotFound
    if check_first is not None:
        check_first(held)
    _store(entity, actor, [], held, remove=unwanted)


def _locked(entity: Entity) -> dict[str, Metadata]:
    """The entries by key. The threat model is locked first: it stands for the set of entries."""
    ThreatModel.objects.select_for_update(no_key=True).get(pk=entity.threat_model.pk)
    return {entry.key: entry for entry in entity.entries()}


def _store(
    entity: Entity,
    actor: User,
    pairs: Pairs,
    held: Mapping[str, Metadata],
    remove: Iterable[str],
    *,
    many: bool = True,
) -> list[Metadata]:
    removed = set(remove)
    _refuse_twice(pairs)
    if len((held.keys() | {key for key, _ in pairs}) - removed) > MOST_ENTRIES:
        raise ValidationFailed.of("key", f"An entity has at most {MOST_ENTRIES} metadata entries.")
    before = {key: entry.value for key, entry in held.items()}
    wanted = [_entry(entity, held.get(key), key, value) for key, value in pairs]
    _check(wanted, many=many)
    entity.entries().filter(key__in=removed).delete()
    Metadata.objects.bulk_update([e for e in wanted if e.key in held], ["value", "modified_at"])
    _insert([e for e in wanted if e.key not in held])
    changes = {entry.key: (before.get(entry.key), entry.value) for entry in wanted}
    changes = {key: pair for key, pair in changes.items() if pair[0] != pair[1]}
    _finish(entity, actor, changes | {key: (before[key], None) for key in removed})
    return wanted


def _insert(entries: Sequence[Metadata]) -> None:
    try:
        with transaction.atomic():
            Metadata.objects.bulk_create(entries)
    except IntegrityError:
        # Clients choose the ids of cells, and the entries of a cell are unique across all threat models.
        raise Conflict("Another cell has this id and this key.", details={"field": "key"}) from None


def _entry(entity: Entity, present: Metadata | None, key: str, value: str) -> Metadata:
    entry = present or Metadata(
        threat_model=entity.threat_model, entity_type=entity.type, entity_id=entity.id, key=key
    )
    entry.value, entry.modified_at = value, timezone.now()
    return entry


def _refuse_twice(pairs: Pairs) -> None:
    keys = [key for key, _ in pairs]
    for index, key in enumerate(keys):
        if key in keys[:index]:
            raise ValidationFailed.of(f"/{index}/key", "The same key stands in the list twice.")


def _check(entries: Sequence[Metadata], *, many: bool) -> None:
    problems: list[FieldError] = []
    for index, entry in enumerate(entries):
        place = _place(index, many)
        if entry.key in RESERVED and entry._state.adding:
            problems.append(FieldError(f"{place}key", f"The key {entry.key} is reserved: choose another."))
        try:
            entry.clean_fields(exclude={"threat_model", "id"})
        except ValidationError as error:
            problems += [
                FieldError(place + n, text) for n, all_ in error.message_dict.items() for text in all_
            ]
    if problems:
        raise ValidationFailed(problems)


def _place(index: int, many: bool) -> str:
    return f"/{index}/" if many else ""


def _finish(entity: Entity, actor: User, changes: audit.Changes) -> None:
    if not changes:
        return
    audit.write(
        entity_type=entity.type,
        entity_id=entity.id,
        threat_model_id=entity.threat_model.pk,
        action="metadata",
        actor=actor,
        changes=changes,
    )
    touch(entity.threat_model.pk)
    publish_on_commit(Event(f"{entity.type}.metadata", entity.id, entity.threat_model.pk, actor.pk))
