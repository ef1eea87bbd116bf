"""The one description of a resource: it checks input, reads rows and makes the OpenAPI schema."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, ClassVar, NamedTuple

from django.contrib.postgres.fields import ArrayField
from django.db import models
from rest_framework import serializers

from tmi.api.fields import AnyObject, Choice, Flag, Id, Number, Text, TextList
from tmi.lib.errors import FieldError, ValidationFailed
from tmi.lib.text import told

Row = Mapping[str, Any]
Json = dict[str, Any]


class Computed(NamedTuple):
    """A value that is made from columns: their names, and the function from a row of them to the value."""

    columns: Sequence[str]
    value: Callable[[Row], Any]


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses what it does not know."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise ValidationFailed.of("", "A JSON object is expected.")
        unknown = [FieldError(told(str(name)), "Unknown field.") for name in data if name not in self.fields]
        owned = [
            FieldError(name, "The server sets this field.")
            for name in data
            if name in self.fields and self.fields[name].read_only
        ]
        if unknown or owned:
            raise ValidationFailed([*unknown, *owned])
        return super().to_internal_value(data)


class ResourceSerializer(StrictSerializer, serializers.ModelSerializer[Any]):
    """A resource over a table. `computed` says how the fields without a column of their own are made."""

    computed: ClassVar[dict[str, Computed]] = {}
    # What GET of one answers and lists leave out.
    detail_only: ClassVar[frozenset[str]] = frozenset()

    serializer_field_mapping: ClassVar[dict[type[models.Field[Any, Any]], type[serializers.Field]]] = {  # type: ignore[type-arg]
        **serializers.ModelSerializer.serializer_field_mapping,
        models.TextField: Text,
        models.BooleanField: Flag,
        models.DecimalField: Number,
        models.UUIDField: Id,
        models.JSONField: AnyObject,
        ArrayField: TextList,
    }
    serializer_choice_field = Choice

    def get_fields(self) -> dict[str, Any]:
        """Copies of the fields that were put together from the model once."""
        return copy.deepcopy(_fields(type(self)))


@cache
def _fields(serializer: type[ResourceSerializer]) -> dict[str, Any]:
    return super(ResourceSerializer, serializer()).get_fields()


@cache
def fields_of(serializer: type[serializers.Serializer[Any]]) -> Mapping[str, serializers.Field]:  # type: ignore[type-arg]
    """The fields of a serializer, to look at."""
    return dict(serializer().fields)


def writable(serializer: type[serializers.Serializer[Any]]) -> list[str]:
    """The names of the fields that a client may give."""
    return [name for name, field in fields_of(serializer).items() if not field.read_only]


class Reader:
    """Turns the rows of a queryset into the objects that a serializer describes, without model instances.

    `only` names the fields that are wanted; without it, all are, or on a list all but `detail_only`.
    """

    def __init__(
        self, serializer: type[ResourceSerializer], *, detail: bool = True, only: Collection[str] = ()
    ) -> None:
        self.serializer = serializer
        self.detail = detail
        self.only = only

    @property
    def columns(self) -> Mapping[str, Computed]:
        """For each field of the answer the columns that it needs."""
        return _columns(self.serializer, self.detail, frozenset(self.only))

    def read(self, rows: models.QuerySet[Any]) -> list[Json]:
        """One query, whatever the number of rows."""
        return self.build(self.raw(rows))

    @property
    def needed(self) -> set[str]:
        """The names of the columns that are needed."""
        return {column for computed in self.columns.values() for column in computed.columns}

    def raw(self, rows: models.QuerySet[Any], *more: str) -> Iterable[Row]:
        """The columns that are needed, and some more."""
        return rows.values(*sorted(self.needed | set(more)))

    def build(self, rows: Iterable[Row]) -> list[Json]:
        made = self.serializer.computed
        plan = [
            (name, None if name in made else computed.columns[0], computed.value)
            for name, computed in self.columns.items()
        ]
        return [
            {name: make(row) if column is None else row[column] for name, column, make in plan}
            for row in rows
        ]


@lru_cache(maxsize=1000)
def _columns(
    serializer: type[ResourceSerializer], detail: bool, only: frozenset[str]
) -> Mapping[str, Computed]:
    left_out = frozenset() if detail else serializer.detail_only
    return {
        name: serializer.computed.get(name) or _plain(str(field.source).replace(".", "__"))
        for name, field in fields_of(serializer).items()
        if (name in only if only else name not in left_out) and not field.write_only
    }


def _plain(column: str) -> Computed:
    return Computed((column,), lambda row: row[column])
