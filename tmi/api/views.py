"""The base of every view of the API."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any, ClassVar, NoReturn

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from tmi.api import limits
from tmi.api.envelope import success
from tmi.api.pagination import link_header
from tmi.api.parse import JsonPatchParser, MergePatchParser
from tmi.api.query import refuse_unknown
from tmi.api.versions import Deprecation, ending
from tmi.lib.errors import DomainError, NotFound, ValidationFailed
from tmi.lib.json import encode

Json = dict[str, Any]
# Of views with entity tags these look at `If-Match` themselves, once the entity is locked.
GUARDED = frozenset({"update", "partial_update", "destroy", "replace_preferences"})
CHANGING = frozenset({"PUT", "PATCH", "DELETE"})
# With these an answer is a part of an entity, or more than it.
SHAPING = ("fields", "expand")
CHANGED = "This was changed in the meantime."
QUOTE, PART = '"', '"part-'
PATCH_MEDIA = (MergePatchParser.media_type, JsonPatchParser.media_type)


class Counted(APIView):
    """Every answer says how much of the limit is left, and what is going to end."""

    # Without OPTIONS, which no address takes, so that `Allow` does not name it.
    http_method_names = [name for name in APIView.http_method_names if name != "options"]
    limit_headers: dict[str, str] = {}
    # What a view that is going to end says of it.
    deprecation: Deprecation | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """A request counts whether it is let in or not."""
        try:
            super().initial(request, *args, **kwargs)
        finally:
            self.limit_headers = limits.count(request)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        told = dict(self.limit_headers)
        end = self.deprecation or ending(request.path)
        if end is not None:
            told |= end.headers(request)
        for name, value in told.items():
            response.headers.setdefault(name, value)
        finished = super().finalize_response(request, response, *args, **kwargs)
        if isinstance(finished, Response):
            finished.add_post_render_callback(self._let_go)
        return finished

    def _let_go(self, response: Any) -> None:
        """Unties what Django REST framework has tied in circles: view, request and answer.

        Left to the collector of the interpreter, which comes round every quarter of an hour, large answers
        pile up.
        """
        response.renderer_context.clear()
        vars(self).pop("response", None)
        context = getattr(self.request, "parser_context", None)
        if context:
            context.clear()


class ApiViewSet(Counted, GenericViewSet[Any]):
    """Answers in the wrapper; resources are checked by their loaders, not by permission classes."""

    pagination_class = None
    filter_backends = ()
    # The query parameters that each action takes; any other is refused.
    parameters: ClassVar[Mapping[str, Collection[str]]] = {}
    # Whether one entity has an ETag, by which it is changed.
    entity_tags: ClassVar[bool] = False

    def get_parsers(self) -> list[Any]:
        """A patch is understood by PATCH alone."""
        request = getattr(self, "request", None)
        patching = request is None or request.method == "PATCH"
        found = super().get_parsers()
        return [one for one in found if patching or one.media_type not in PATCH_MEDIA]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # What the address does not do at all is said first.
        if str(request.method).lower() in self.action_map:
            refuse_unknown(request, self.known_parameters())
            if request.method in {"PUT", "PATCH"} and request.stream is None:
                # Read as an empty object it would change nothing, or empty everything.
                raise ValidationFailed.of("", "A body is expected.")
            if request.method in CHANGING and not (self.entity_tags and self.action in GUARDED):
                check_no_tag(request)

    def known_parameters(self) -> Collection[str]:
        return self.parameters.get(self.action, ())

    def answer(self, data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        return Response(success(data), status=status, headers=headers)

    def answer_list(self, data: list[Any], pagination: Json) -> Response:
        headers = {"Link": link_header(self.request, pagination)}
        return Response(success(data, pagination), headers=headers)

    def answer_one(self, data: Json, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        """One entity with its ETag; 304 where the caller has it already."""
        tag = etag(data, is_part=any(self.request.query_params.get(name) for name in SHAPING))
        if status == 200 and self.request.method == "GET" and _has_it(self.request, tag):
            return Response(status=304, headers={"ETag": tag})
        return self.answer(data, status, {"ETag": tag, **(headers or {})})

    def no_content(self) -> Response:
        return Response(status=204)


def etag(data: Json, *, is_part: bool = False) -> str:
    """A strong entity tag of what is answered; that of a part can be told from that of the whole."""
    digest = hashlib.sha256(encode(data, in_order=True)).hexdigest()[:32]
    return f'{PART if is_part else QUOTE}{digest}"'


def _has_it(request: Request, tag: str) -> bool:
    """Whether `If-None-Match` names this tag, by weak comparison (RFC 9110, 13.1.2), or any."""
    return bool({"*", tag} & {one.removeprefix("W/") for one in _named(request, "If-None-Match")})


def _named(request: Request, header: str) -> list[str]:
    return [part.strip() for part in request.headers.get(header, "").split(",")]


def check_precondition(request: Request, tag: str | None) -> None:
    """Raises PRECONDITION_FAILED when `If-Match` names other states than the present one; `*` names all.

    Without a tag there is nothing yet, which no `If-Match` names.
    """
    if "If-Match" not in request.headers:
        return
    named = _named(request, "If-Match")
    if tag is not None and {"*", tag} & set(named):
        return
    is_part = any(one.startswith(PART) for one in named)
    reason = "If-Match takes the ETag of a GET without fields and expand." if is_part else CHANGED
    raise DomainError(reason, code="PRECONDITION_FAILED")


def check_no_tag(request: Request) -> None:
    """Raises PRECONDITION_FAILED when `If-Match` names a state of what has no ETag; `*` names all."""
    if "If-Match" in request.headers and "*" not in _named(request, "If-Match"):
        raise DomainError("What is at this address has no ETag.", code="PRECONDITION_FAILED")


class UnknownPath(Counted):
    """Any address below /api that is no other."""

    authentication_classes = ()
    permission_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        self.limit_headers = limits.count(request)
        raise NotFound("There is no such address in this API.")
