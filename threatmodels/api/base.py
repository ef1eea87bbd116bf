"""What all resources of a threat model share: bodies, patches, entity tags, lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response

from accounts.api.base import SignedInViewSet
from tmi.api.bodies import is_json_patch, refuse_changed, refuse_removed
from tmi.api.errors import checked
from tmi.api.filters import Filters, narrowed
from tmi.api.listing import PAGES, PLAIN_LIST, names, order
from tmi.api.pagination import Page, Pagination, cursor_at, cursor_pagination
from tmi.api.parse import JsonPatchParser, MergePatchParser, StrictJSONParser
from tmi.api.patch import json_patch, merge
from tmi.api.query import parameter, values
from tmi.api.serializers import Json, Reader, ResourceSerializer, fields_of, writable
from tmi.api.views import check_precondition, etag
from tmi.lib.errors import ValidationFailed
from tmi.lib.json import read_back

PAGING = [
    *PAGES,
    OpenApiParameter("search", str, many=True, description="Words that begin words of name or description."),
    OpenApiParameter("deleted", bool, description="true: what is deleted and can be restored."),
]
LIST_PARAMETERS = PLAIN_LIST | {"search", "deleted"}
OBJECT_EXPECTED = "A JSON object is expected."


class ResourceViewSet(SignedInViewSet):
    """A resource over a table; a leaf declares its serializer, sorts and filters."""

    serializer_class: type[ResourceSerializer]
    parser_classes: tuple[type[Any], ...] = (StrictJSONParser, MergePatchParser, JsonPatchParser)
    sorts: ClassVar[Mapping[str, str]] = {
        "name": "name",
        "created_at": "created_at",
        "updated_at": "modified_at",
    }
    default_sort: ClassVar[str] = "created_at"
    filters: ClassVar[Filters] = {}
    entity_tags = True
    expandable: ClassVar[frozenset[str]] = frozenset()
    list_parameters: ClassVar[frozenset[str]] = LIST_PARAMETERS
    # Of one entity.
    own_parameters: ClassVar[frozenset[str]] = frozenset()

    # -- bodies

    def input(self, data: Any, *, partial: bool = False) -> Json:
        """The checked fields of a body, by the names of the model's attributes."""
        return checked(self.serializer_class(data=data, partial=partial))

    def replacement(self, current: Json, body: Any) -> Json:
        """The fields of a PUT: what is left out gets its default; what is the server's must be unchanged."""
        if not isinstance(body, dict):
            raise ValidationFailed.of("", OBJECT_EXPECTED)
        refuse_changed(self.serializer_class, current, body)
        known = writable(self.serializer_class)
        given = self.input({k: v for k, v in body.items() if k in known or k not in current})
        return self.defaults(without=given) | given

    def patched(self, current: Json, body: Any) -> Json:
        """The fields of a PATCH of either kind, against the present state."""
        if is_json_patch(self.request):
            after = json_patch(read_back(current), body)
            self.refuse_removed(current, after)
            return self.replacement(current, after)
        return self.merged(current, body)

    def refuse_removed(self, current: Json, after: Json) -> None:
        """Raises ValidationFailed where a JSON Patch removes what cannot be removed."""
        refuse_removed(self.serializer_class, current, after)

    def merged(self, current: Json, body: Any) -> Json:
        if not isinstance(body, dict):
            raise ValidationFailed.of("", OBJECT_EXPECTED)
        merged = {
            name: merge(current.get(name), value) if isinstance(value, dict) else value
            for name, value in body.items()
        }
        return self.input(merged, partial=True)

    def defaults(self, *, without: Json) -> Json:
        """The model's defaults of the writable fields that are not given."""
        model: Any = self.serializer_class.Meta.model
        fields = {f.attname: f for f in model._meta.concrete_fields}
        return {
            name: fields[name].get_default()
            for name in writable(self.serializer_class)
            if name in fields and name not in without
        }

    def check_unchanged(self, locked: Any) -> Json:
        """The present state of a locked row, which `If-Match` must name."""
        current = self.represent(locked)
        check_precondition(self.request, etag(current))
        return current

    def represent(self, row: Any) -> Json:
        """One row as the API shows it."""
        raise AssertionError("a leaf represents its own rows")

    # -- query parameters

    def parameter(self, name: str, default: str = "") -> str:
        return parameter(self.request, name, default)

    def flag(self, name: str) -> bool:
        value = self.parameter(name, "false")
        if value not in {"true", "false"}:
            raise ValidationFailed.of(name, "true or false.")
        return value == "true"

    def names(self, parameter: str, known: frozenset[str]) -> list[str]:
        """A comma list of known names."""
        return names(self.request, parameter, known)

    def known_parameters(self) -> frozenset[str]:
        if self.action == "list":
            expand = {"expand"} if self.expandable else set()
            return self.list_parameters | self.filters.keys() | expand
        return self.own_parameters if self.action == "retrieve" else frozenset()

    def order(self) -> list[str]:
        """The columns to sort by, the id deciding between equals."""
        return order(self.request, self.sorts, self.default_sort)

    # -- lists

    def reader(self, *, detail: bool) -> Reader:
        known = frozenset(fields_of(self.serializer_class))
        return Reader(self.serializer_class, detail=detail, only=self.names("fields", known))

    def page_of(self, rows: QuerySet[Any]) -> Response:
        """The page that is asked for of the rows that pass the filters."""
        rows = narrowed(self._searched(rows), self.request, self.filters)
        page, order, reader = Page.asked(self.request), self.order(), self.reader(detail=False)
        if page.cursor is not None:
            data, pagination = self._cursor_page(rows, page, order, reader)
        else:
            part, pagination = page.of(rows, order)
            data = reader.read(part)
        return self.answer_list(self.expanded(data), pagination)

    def _cursor_page(
        self, rows: QuerySet[Any], page: Page, order: list[str], reader: Reader
    ) -> tuple[list[Json], Pagination]:
        columns = [column.removeprefix("-") for column in order]
        found = list(reader.raw(page.after(rows, order), *columns))
        shown = found[: page.limit]
        following = cursor_at(dict(shown[-1]), order) if len(found) > page.limit else None
        return reader.build(shown), cursor_pagination(page, following)

    def _searched(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        texts = values(self.request, "search") if "search" in self.list_parameters else []
        return rows.search(*texts) if texts else rows  # type: ignore[attr-defined]  # WordSearch

    def expanded(self, data: list[Json]) -> list[Json]:
        """The objects with what `expand` asks for."""
        return data
