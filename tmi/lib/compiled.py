"""Queries that nearly every request asks: their SQL is put together once, and only its parameters change."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model, QuerySet
from django.db.models.sql.compiler import SQLCompiler

ModelT = TypeVar("ModelT", bound=Model)
# What stands for a parameter while the SQL is put together; no query has these values of its own.
STAND_INS: Mapping[type, Callable[[int], Any]] = {
    uuid.UUID: lambda n: uuid.UUID(int=0xFEED_0000_0000_0000_0000_0000_0000_0000 + n),
    str: lambda n: f"stand-in {n} {uuid.UUID(int=n)}",
    datetime: lambda n: datetime(1000, 1, 1, 0, 0, 0, n, UTC),
}


class _Built(NamedTuple):
    queryset: QuerySet[Any]
    compiler: SQLCompiler
    sql: str
    parameters: tuple[Any, ...]
    names: tuple[str | None, ...]


class Compiled(Generic[ModelT]):
    """A queryset as a function: `make` is called once, with stand-ins of the `kinds`, for the SQL.

    The queryset has to have the same form whatever the values are, and to use each of them as it is given.
    Raises TypeError at the first call when a parameter does not come up in the SQL.
    """

    def __init__(self, make: Callable[..., QuerySet[ModelT, Any]], **kinds: type) -> None:
        self.make, self.kinds = make, kinds

    def __call__(self, **values: Any) -> list[Any]:
        """The rows, as the queryset gives them (instances, or what `values` makes)."""
        built = self._built
        compiler = copy.copy(built.compiler)
        compiler.connection = connections[DEFAULT_DB_ALIAS]
        parameters = tuple(
            given if name is None else values[name]
            for name, given in zip(built.names, built.parameters, strict=True)
        )
        compiler.as_sql = lambda *_, **__: (built.sql, parameters)  # type: ignore[method-assign]
        queryset = built.queryset.all()
        queryset.query.get_compiler = lambda *_, **__: compiler  # type: ignore[method-assign]
        return list(queryset)

    @cached_property
    def _built(self) -> _Built:
        stand_ins = {name: STAND_INS[kind](number) for number, (name, kind) in enumerate(self.kinds.items())}
        queryset = self.make(**stand_ins)
        compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        meant = {value: name for name, value in stand_ins.items()}
        names = tuple(meant.get(value) if type(value) in STAND_INS else None for value in parameters)
        missing = self.kinds.keys() - set(names)
        if missing:
            raise TypeError(f"Not a parameter of the query: {', '.join(sorted(missing))}")
        return _Built(queryset, compiler, sql, tuple(parameters), names)
