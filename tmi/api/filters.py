"""Query parameters that narrow a list. Each may be repeated; several values of one parameter mean OR."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from tmi.api.query import MOST_VALUES
from tmi.lib.clock import read_moment
from tmi.lib.errors import FieldError, ValidationFailed
from tmi.lib.ids import parse_id
from tmi.lib.text import CONTROL

LARGEST_NUMBER = 1_000_000_000
# More decimals than any column has, and fewer than the database refuses.
MOST_DECIMALS = 20
# Python reads underscores and the digits of all scripts as well.
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")


@dataclass(frozen=True, slots=True)
class Filter:
    """`read` turns the text of a parameter into a value (ValueError says why not), `condition` into a Q."""

    read: Callable[[str], Any]
    condition: Callable[[Any], Q]
    type: Any = str
    description: str = ""

    def parameter(self, name: str) -> OpenApiParameter:
        return OpenApiParameter(name, self.type, many=True, description=self.description)


Filters = Mapping[str, Filter]


def narrowed(rows: QuerySet[Any], request: Request, filters: Filters) -> QuerySet[Any]:
    """The rows that pass all filters the request gives. Raises ValidationFailed with every bad parameter."""
    problems: list[FieldError] = []
    for name, one in filters.items():
        given = request.query_params.getlist(name)
        if not given:
            continue
        try:
            rows = rows.filter(_any(one, given))
        except ValueError as error:
            problems.append(FieldError(name, str(error)))
    if problems:
        raise ValidationFailed(problems)
    return rows


def _any(one: Filter, given: Sequence[str]) -> Q:
    if len(given) > MOST_VALUES:
        raise ValueError(f"At most {MOST_VALUES} values.")
    condition = Q()
    for text in given:
        condition |= one.condition(one.read(text))
    return condition


# -- what values may be


def text(value: str) -> str:
    if CONTROL.search(value):
        raise ValueError("Control characters are not allowed.")
    return value


def flag(value: str) -> bool:
    if value not in {"true", "false"}:
        raise ValueError("true or false.")
    return value == "true"


def identifier(value: str) -> Any:
    found = parse_id(value)
    if found is None:
        raise ValueError("A UUID is expected.")
    return found


def number(value: str) -> Decimal:
    if not NUMBER.match(value):
        raise ValueError("A number is expected.")
    try:
        return bounded(Decimal(value))
    except InvalidOperation:
        raise ValueError("A number is expected.") from None


def bounded(found: Decimal) -> Decimal:
    """The number, where the database can compare with it. Raises ValueError."""
    exponent = found.as_tuple().exponent
    if not isinstance(exponent, int) or abs(found) > LARGEST_NUMBER:
        raise ValueError("A number is expected.")
    if abs(exponent) > MOST_DECIMALS:
        raise ValueError(f"A number with at most {MOST_DECIMALS} decimals is expected.")
    return found


def moment(value: str) -> datetime:
    # A plus sign that was not escaped arrives as a space.
    found = read_moment(value.replace(" ", "+") if value.count(" ") == 1 and "T" in value else value)
    if found is None:
        raise ValueError("A time like 2026-01-31T12:00:00Z is expected.")
    return found


def one_of(values: Sequence[str]) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in values:
            raise ValueError(f"One of {', '.join(values)}.")
        return value

    return read


# -- the usual filters


def equals(column: str, read: Callable[[str], Any] = text, **about: Any) -> Filter:
    return Filter(read, lambda value: Q(**{column: value}), **about)


def contains(column: str, **about: Any) -> Filter:
    """Without case."""
    return Filter(text, lambda value: Q(**{f"{column}__icontains": value}), **about)


def between(column: str, read: Callable[[str], Any], lowest: str, highest: str) -> dict[str, Filter]:
    """Two filters: at least and at most, both inclusive."""
    return {
        lowest: Filter(read, lambda value: Q(**{f"{column}__gte": value}), description="At least."),
        highest: Filter(read, lambda value: Q(**{f"{column}__lte": value}), description="At most."),
    }


def when(column: str, name: str) -> dict[str, Filter]:
    """`NAME_after` and `NAME_before`, both inclusive."""
    return between(column, moment, f"{name}_after", f"{name}_before")
