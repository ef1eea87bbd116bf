"""Metadata of any entity: set, replace and remove entries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
def add_metadata(entity: Entity, *, actor: User, pairs: Sequence[tuple[str, str]]) -> list[Metadata]:
    """Adds entries; a key that is there already is a conflict."""
    held = _locked(entity)
    taken = sorted(key for key, _ in pairs if key in held)
    if taken:
        raise Conflict(f"The key {taken[0]} is there already.", details={"field": "key"})
    return _store(entity, actor, pairs, held, remove=())


@transaction.atomic
def set_metadata(entity: Entity, *, actor: User, pairs: Sequence[tuple[str, str]]) -> list[Metadata]:
    """Adds entries and replaces those whose key is there already."""
    return _store(entity, actor, pairs, _locked(entity), remove=())


@transaction.atomic
def replace_metadata(entity: Entity, *, actor: User, pairs: Sequence[tuple[str, str]]) -> list[Metadata]:
    """Makes `pairs` the only entries."""
    held = _locked(entity)
    return _store(entity, actor, pairs, held, remove=held.keys() - {key for key, _ in pairs})


@transaction.atomic
def delete_metadata(entity: Entity, *, actor: User, keys: Iterable[str]) -> None:
    """Removes entries; raises NotFound when one of them is not there, and then removes none."""
    held, unwanted = _locked(entity), set(keys)
    if unwanted - held.keys():
        raise NotFound
    _store(entity, actor, [], held, remove=unwanted)


def _locked(entity: Entity) -> dict[str, Metadata]:
    """The entries by key. The threat model is locked first: it stands for the set of entries."""
    ThreatModel.objects.select_for_update(no_key=True).get(pk=entity.threat_model.pk)
    return {entry.key: entry for entry in entity.entries()}


def _store(
    entity: Entity,
    actor: User,
    pairs: Sequence[tuple[str, str]],
    held: Mapping[str, Metadata],
    remove: Iterable[str],
) -> list[Metadata]:
    removed = set(remove)
    _refuse_twice(pairs)
    if len((held.keys() | {key for key, _ in pairs}) - removed) > MOST_ENTRIES:
        raise ValidationFailed.of("key", f"An entity has at most {MOST_ENTRIES} metadata entries.")
    before = {key: entry.value for key, entry in held.items()}
    wanted = [_entry(entity, held.get(key), key, value) for key, value in pairs]
    _check(wanted)
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


def _refuse_twice(pairs: Sequence[tuple[str, str]]) -> None:
    keys = [key for key, _ in pairs]
    for index, key in enumerate(keys):
        if key in keys[:index]:
            raise ValidationFailed.of(f"/{index}/key", "The same key stands in the list twice.")


def _check(entries: Sequence[Metadata]) -> None:
    problems: list[FieldError] = []
    for index, entry in enumerate(entries):
        try:
            entry.clean_fields(exclude={"threat_model", "id"})
        except ValidationError as error:
            prefix = f"/{index}/" if len(entries) > 1 else ""
            problems += [
                FieldError(prefix + n, text) for n, all_ in error.message_dict.items() for text in all_
            ]
    if problems:
        raise ValidationFailed(problems)


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
