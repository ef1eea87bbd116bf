"""Pages of lists: by number with a total, or by cursor in constant time."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from rest_framework.request import Request

from tmi.api.filters import bounded
from tmi.api.query import parameter
from tmi.lib.errors import ValidationFailed
from tmi.lib.json import BadJson, decode, encode

DEFAULT_LIMIT = 20
MOST_PER_PAGE = 100
LAST_PAGE = 1_000_000_000

Pagination = dict[str, Any]
# Columns to sort by, `-` before those that descend. The last is the id, so that no two rows tie.
Order = Sequence[str]


@dataclass(frozen=True, slots=True)
class Page:
    """The page that a request asks for: `number` counts from 1, or `cursor` says where to go on."""

    number: int
    limit: int
    cursor: str | None

    @classmethod
    def asked(cls, request: Request) -> Page:
        """From `page`, `limit` and `cursor`. Raises ValidationFailed."""
        cursor = parameter(request, "cursor") if "cursor" in request.query_params else None
        if cursor is not None and "page" in request.query_params:
            raise ValidationFailed.of("page", "Give page or cursor, not both.")
        limit = _whole(request, "limit", DEFAULT_LIMIT, MOST_PER_PAGE)
        return cls(_whole(request, "page", 1, LAST_PAGE), limit, cursor)

    def of(self, rows: QuerySet[Any], order: Order) -> tuple[QuerySet[Any], Pagination]:
        """The rows of a numbered page in order, and the `pagination` of the answer."""
        total = rows.order_by().count()
        start = (self.number - 1) * self.limit
        counted = {"page": self.number, "limit": self.limit, "total": total, "pages": -(-total // self.limit)}
        return rows.order_by(*order)[start : start + self.limit], counted

    def after(self, rows: QuerySet[Any], order: Order) -> QuerySet[Any]:
        """The rows that follow the cursor, one more than fits, so that it is known whether there are more."""
        following = rows.filter(_beyond(rows, order, self.cursor)) if self.cursor else rows
        return following.order_by(*order)[: self.limit + 1]


def cursor_pagination(page: Page, next_cursor: str | None) -> Pagination:
    return {"page": None, "limit": page.limit, "total": None, "pages": None, "next_cursor": next_cursor}


def cursor_at(row: dict[str, Any], order: Order) -> str:
    """A cursor that goes on after this row."""
    values = [row[column.removeprefix("-")] for column in order]
    token = base64.urlsafe_b64encode(encode([list(order), [_exact(value) for value in values]]))
    return token.decode().rstrip("=")


def whole_list(count: int) -> Pagination:
    """The `pagination` of a short list that comes whole."""
    return {"page": 1, "limit": max(count, 1), "total": count, "pages": 1 if count else 0}


def link_header(request: Request, pagination: Pagination) -> str:
    """`Link` (RFC 8288): first, prev, next and last of numbered pages, next of a cursor."""
    return ", ".join(
        f'<{_address(request, **where)}>; rel="{relation}"' for relation, where in _neighbours(pagination)
    )


def _neighbours(pagination: Pagination) -> Iterator[tuple[str, dict[str, Any]]]:
    if "next_cursor" in pagination:
        yield "first", {"cursor": ""}
        if pagination["next_cursor"]:
            yield "next", {"cursor": pagination["next_cursor"]}
        return
    page, pages = pagination["page"], max(pagination["pages"], 1)
    yield "first", {"page": 1}
    if page > 1:
        yield "prev", {"page": min(page - 1, pages)}
    if page < pages:
        yield "next", {"page": page + 1}
    yield "last", {"page": pages}


def _address(request: Request, **where: Any) -> str:
    kept = [
        (name, value)
        for name, values in request.query_params.lists()
        for value in values
        if name not in {"page", "cursor"}
    ]
    return request.build_absolute_uri(f"{request.path}?{urlencode([*kept, *where.items()])}")


def _whole(request: Request, name: str, default: int, most: int) -> int:
    given = request.query_params.getlist(name)
    if not given:
        return default
    text = given[0]
    if len(given) == 1 and text.isascii() and text.isdigit() and len(text) <= 10 and 1 <= int(text) <= most:
        return int(text)
    raise ValidationFailed.of(name, f"A whole number from 1 to {most}.")


def _exact(value: Any) -> Any:
    """Times keep their microseconds: the cursor must not fall between two rows."""
    return value.isoformat() if hasattr(value, "isoformat") else value


def _beyond(rows: QuerySet[Any], order: Order, cursor: str) -> Q:
    """Rows after the cursor, column by column as PostgreSQL sorts: nulls last ascending, first descending."""
    values = _values(rows, order, cursor)
    beyond, equal = Q(pk__in=[]), Q()
    for column, value in zip(order, values, strict=True):
        name = column.removeprefix("-")
        if column.startswith("-"):
            further = Q(**{f"{name}__isnull": False}) if value is None else Q(**{f"{name}__lt": value})
        elif value is None:
            further = Q(pk__in=[])
        else:
            further = Q(**{f"{name}__gt": value}) | Q(**{f"{name}__isnull": True})
        beyond |= equal & further
        equal &= Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})
    return beyond


def _values(rows: QuerySet[Any], order: Order, cursor: str) -> list[Any]:
    refusal = ValidationFailed.of("cursor", "Not a cursor of this list in this order.")
    try:
        named, values = decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if named != list(order) or len(values) != len(order):
            raise refusal
        fields = [rows.model._meta.get_field(column.removeprefix("-")) for column in order]
        return [_held(field.to_python(value)) for field, value in zip(fields, values, strict=True)]
    except (binascii.Error, BadJson, ValueError, TypeError, ArithmeticError, ValidationError):
        raise refusal from None


def _held(value: Any) -> Any:
    """A value that the database can compare with. Raises ValueError, OverflowError."""
    if isinstance(value, Decimal):
        return bounded(value)
    return value.astimezone(UTC) if isinstance(value, datetime) else value
