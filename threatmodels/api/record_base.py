"""The base of all parts of a threat model: load through access, check the role, read, write, in bulk too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from threatmodels import access
from threatmodels.actions import record as actions
from threatmodels.api.base import OBJECT_EXPECTED, PAGING, ResourceViewSet
from threatmodels.models import Record, ThreatModel
from threatmodels.roles import Role
from tmi.api.errors import in_turn
from tmi.api.listing import SPARSE
from tmi.api.serializers import Json, Reader
from tmi.lib.errors import ValidationFailed
from tmi.lib.ids import parse_id

MOST_IN_BULK = 200
Understood = Callable[[Json, Any], Json]


class RecordViewSet(ResourceViewSet):
    """The parts of one kind; a leaf declares its serializer and, where it has rules, its actions."""

    own_parameters = frozenset({"fields"})

    def threat_model(self, at_least: Role = Role.READER) -> ThreatModel:
        return access.get_threat_model(self.actor, self.kwargs["threat_model_id"], at_least=at_least)

    def record(self, threat_model: ThreatModel, *, deleted: bool = False) -> Record:
        return access.record_in(threat_model, self.kind, self.kwargs["record_id"], deleted=deleted)

    @property
    def bulk_serializer(self) -> Any:
        return self.serializer_class

    @property
    def kind(self) -> type[Record]:
        return self.serializer_class.Meta.model

    def rows(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with what the serializer needs beside the table's columns."""
        return rows

    def represent(self, row: Any) -> Json:
        return self.represent_all([row.pk])[0]

    def represent_all(self, ids: list[UUID]) -> list[Json]:
        """Rows by id, in the order of the ids."""
        rows = self.rows(self.kind._default_manager.filter(pk__in=ids))
        found = {row["id"]: row for row in Reader(self.serializer_class).read(rows)}
        return [found[pk] for pk in ids]

    # -- actions a leaf may replace

    def make(self, threat_model: ThreatModel, rows: list[Json]) -> list[Any]:
        return actions.create_records(self.kind, threat_model=threat_model, actor=self.actor, rows=rows)

    def make_one(self, threat_model: ThreatModel, fields: Json) -> Any:
        return actions.create_record(self.kind, threat_model=threat_model, actor=self.actor, **fields)

    def change(self, record: Any, changes: actions.Change) -> Record:
        return actions.update_record(record, actor=self.actor, changes=changes)

    # -- one

    @extend_schema(parameters=[*PAGING, SPARSE])
    def list(self, request: Request, **_: Any) -> Response:
        threat_model = self.threat_model()
        rows = access.records_in(threat_model, self.kind, deleted=self.flag("deleted"))
        return self.page_of(self.rows(rows))

    def create(self, request: Request, **_: Any) -> Response:
        threat_model = self.threat_model(Role.WRITER)
        made = self.make_one(threat_model, self.input(request.data))
        location = request.build_absolute_uri(f"{request.path}/{made.pk}")
        return self.answer_one(self.represent(made), 201, {"Location": location})

    @extend_schema(parameters=[SPARSE])
    def retrieve(self, request: Request, **_: Any) -> Response:
        record = self.record(self.threat_model())
        rows = self.rows(self.kind._default_manager.filter(pk=record.pk))
        return self.answer_one(self.reader(detail=True).read(rows)[0])

    def update(self, request: Request, **_: Any) -> Response:
        return self._write(self.replacement)

    def partial_update(self, request: Request, **_: Any) -> Response:
        return self._write(self.patched)

    def destroy(self, request: Request, **_: Any) -> Response:
        record = self.record(self.threat_model(Role.WRITER))
        actions.delete_record(record, actor=self.actor, check_first=self.check_unchanged)
        return self.no_content()

    def restore(self, request: Request, **_: Any) -> Response:
        record = self.record(self.threat_model(Role.WRITER), deleted=True)
        return self.answer_one(self.represent(actions.restore_record(record, actor=self.actor)))

    def _write(self, understood: Understood) -> Response:
        record = self.record(self.threat_model(Role.WRITER))
        body = self.request.data
        changed = self.change(record, lambda locked: understood(self.check_unchanged(locked), body))
        return self.answer_one(self.represent(changed))

    # -- many

    def bulk_create(self, request: Request, **_: Any) -> Response:
        threat_model = self.threat_model(Role.WRITER)
        rows = each(request.data, self.input)
        made = self.make(threat_model, rows)
        return self.answer(self.represent_all([record.pk for record in made]), 201)

    def bulk_update(self, request: Request, **_: Any) -> Response:
        """Creates or replaces by id."""
        threat_model = self.threat_model(Role.WRITER)
        bodies = identified(request.data)
        ids = [pk for pk, _ in bodies]
        changed = actions.put_all(
            self.kind,
            threat_model=threat_model,
            ids=ids,
            change=lambda record, index: self._change_by(record, bodies[index][1], self.replacement),
            make=lambda index: self.make_one(
                threat_model, {**self.input(bodies[index][1]), "id": bodies[index][0]}
            ),
        )
        return self.answer(self.represent_all(ids), 201 if changed == 0 else 200)

    def bulk_partial_update(self, request: Request, **_: Any) -> Response:
        threat_model = self.threat_model(Role.WRITER)
        bodies = identified(request.data)
        ids = [pk for pk, _ in bodies]
        actions.change_all(
            self.kind,
            threat_model=threat_model,
            ids=ids,
            change=lambda record, index: self._change_by(record, bodies[index][1], self.merged),
        )
        return self.answer(self.represent_all(ids))

    def bulk_destroy(self, request: Request, **_: Any) -> Response:
        threat_model = self.threat_model(Role.WRITER)
        if not isinstance(request.data, dict) or set(request.data) != {"ids"}:
            raise ValidationFailed.of("ids", "An object with the list of ids is expected.")
        ids = _ids(request.data["ids"])
        actions.change_all(
            self.kind,
            threat_model=threat_model,
            ids=ids,
            change=lambda record, _index: actions.delete_record(record, actor=self.actor),
            at="/ids/{}",
        )
        return self.no_content()

    def _change_by(self, record: Any, body: Json, understood: Understood) -> None:
        self.change(record, lambda locked: understood(self.represent(locked), body))


def each(data: Any, checked: Callable[[Any], Json]) -> list[Json]:
    """The checked items of a list of up to 200; all errors, by position."""
    _check_list(data)
    return in_turn(data, checked)


def identified(data: Any) -> list[tuple[UUID, Json]]:
    """The items of a list with their ids taken out."""
    _check_list(data)
    for index, item in enumerate(data):
        if not isinstance(item, dict):
            raise ValidationFailed.of(f"/{index}", OBJECT_EXPECTED)
    ids = _ids([item.get("id") for item in data], "", "/id")
    return [
        (pk, {name: value for name, value in body.items() if name != "id"})
        for pk, body in zip(ids, data, strict=True)
    ]


def _ids(values: Any, before: str = "/ids", behind: str = "") -> list[UUID]:
    """A list of different UUIDs; errors are at BEFORE/3/BEHIND."""
    _check_list(values, before)
    found: list[UUID] = []
    for index, value in enumerate(values):
        pk = parse_id(value) if isinstance(value, str) else None
        if pk is None:
            raise ValidationFailed.of(f"{before}/{index}{behind}", "A UUID is expected.")
        if pk in found:
            raise ValidationFailed.of(f"{before}/{index}{behind}", "The same id stands in the list twice.")
        found.append(pk)
    return found


def _check_list(data: Any, field: str = "") -> None:
    if not isinstance(data, list) or not data:
        raise ValidationFailed.of(field, "A list with at least one item is expected.")
    if len(data) > MOST_IN_BULK:
        raise ValidationFailed.of(field, f"At most {MOST_IN_BULK} at once.")
