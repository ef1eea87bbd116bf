"""What lists share: their order, the fields that are wanted, and pages of rows that a function shows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from tmi.api.pagination import Page, Pagination, cursor_at, cursor_pagination
from tmi.api.query import parameter
from tmi.api.serializers import Json, fields_of
from tmi.api.views import ApiViewSet
from tmi.lib.errors import ValidationFailed

PAGES = [
    OpenApiParameter("page", int, description="From 1; a page past the end is an empty list."),
    OpenApiParameter("limit", int, description="1 to 100, 20 if missing."),
    OpenApiParameter("cursor", str, description="Instead of page: empty begins, next_cursor goes on."),
    OpenApiParameter("sort", str, description="Comma list of fields, - for descending."),
]
SPARSE = OpenApiParameter("fields", str, description="Comma list of the fields that are wanted.")
# The parameters of lists that nobody searches and in which nothing is deleted.
PLAIN_LIST = frozenset({"page", "limit", "cursor", "sort", "fields"})


def names(request: Request, name: str, known: Collection[str]) -> list[str]:
    """A parameter that is a comma list of known names. Raises ValidationFailed."""
    given = [one for one in parameter(request, name).split(",") if one]
    if unknown := [one for one in given if one not in known]:
        raise ValidationFailed.of(name, f"Unknown: {unknown[0][:50]}. Known: {', '.join(sorted(known))}.")
    return given


def order(request: Request, sorts: Mapping[str, str], default: str) -> list[str]:
    """The columns to sort by, the id deciding between equals. Raises ValidationFailed."""
    columns = []
    for part in parameter(request, "sort", default).split(","):
        column = sorts.get(part.removeprefix("-"))
        if column is None:
            raise ValidationFailed.of("sort", f"Sort by some of: {', '.join(sorts)}.")
        columns.append(f"-{column}" if part.startswith("-") else column)
    return [*columns, "-id" if columns[0].startswith("-") else "id"]


@dataclass(frozen=True, slots=True)
class Listing:
    """A kind of rows: the serializer that describes them, what shows one, and the columns to sort by."""

    serializer: type[Serializer[Any]]
    shown: Callable[[Any], Json]
    sorts: Mapping[str, str]
    default_sort: str

    def answer(self, view: ApiViewSet, rows: QuerySet[Any]) -> Response:
        """The page that the request asks for."""
        wanted = names(view.request, "fields", fields_of(self.serializer).keys())
        found, pagination = self._page(view.request, rows)
        data = [self.shown(row) for row in found]
        if wanted:
            data = [{name: one[name] for name in one if name in wanted} for one in data]
        return view.answer_list(data, pagination)

    def _page(self, request: Request, rows: QuerySet[Any]) -> tuple[list[Any], Pagination]:
        page, columns = Page.asked(request), order(request, self.sorts, self.default_sort)
        if page.cursor is None:
            part, pagination = page.of(rows, columns)
            return list(part), pagination
        found = list(page.after(rows, columns))
        shown, more = found[: page.limit], len(found) > page.limit
        return shown, cursor_pagination(page, cursor_at(vars(shown[-1]), columns) if more else None)
