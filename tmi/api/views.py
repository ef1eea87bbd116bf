"""The base of every view of the API."""

from __future__ import annotations

import hashlib
from typing import Any, NoReturn

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from tmi.api import limits
from tmi.api.envelope import success
from tmi.api.pagination import link_header
from tmi.api.parse import JsonPatchParser, MergePatchParser
from tmi.api.versions import Deprecation, ending
from tmi.lib.errors import DomainError, NotFound
from tmi.lib.json import encode

Json = dict[str, Any]
PATCH_MEDIA = (MergePatchParser.media_type, JsonPatchParser.media_type)


class ApiViewSet(GenericViewSet[Any]):
    """Answers in the wrapper; resources are checked by their loaders, not by permission classes."""

    pagination_class = None
    filter_backends = ()
    limit_headers: dict[str, str] = {}
    # What a view that is going to end says of it.
    deprecation: Deprecation | None = None

    def get_parsers(self) -> list[Any]:
        """A patch is understood by PATCH alone."""
        request = getattr(self, "request", None)
        patching = request is None or request.method == "PATCH"
        found = super().get_parsers()
        return [one for one in found if patching or one.media_type not in PATCH_MEDIA]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """A request counts whether it is let in or not."""
        try:
            super().initial(request, *args, **kwargs)
        finally:
            self.limit_headers = limits.count(request)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Every answer says how much of the limit is left."""
        told = dict(self.limit_headers)
        end = self.deprecation or ending(request.path)
        if end is not None:
            told |= end.headers(request)
        for name, value in told.items():
            response.headers.setdefault(name, value)
        return super().finalize_response(request, response, *args, **kwargs)

    def answer(self, data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        return Response(success(data), status=status, headers=headers)

    def answer_list(self, data: list[Any], pagination: Json) -> Response:
        headers = {"Link": link_header(self.request, pagination)}
        return Response(success(data, pagination), headers=headers)

    def answer_one(self, data: Json, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        """One entity with its ETag; 304 where the caller has it already."""
        tag = etag(data)
        if status == 200 and self.request.method == "GET" and matches(self.request, "If-None-Match", tag):
            return Response(status=304, headers={"ETag": tag})
        return self.answer(data, status, {"ETag": tag, **(headers or {})})

    def no_content(self) -> Response:
        return Response(status=204)


def etag(data: Json) -> str:
    """A strong entity tag of what is answered."""
    return f'"{hashlib.sha256(encode(data)).hexdigest()[:32]}"'


def matches(request: Request, header: str, tag: str) -> bool:
    """Whether the header names this tag or any."""
    given = [part.strip() for part in request.headers.get(header, "").split(",")]
    return "*" in given or tag in given


def check_precondition(request: Request, tag: str) -> None:
    """Raises PRECONDITION_FAILED when `If-Match` names other states than the present one."""
    if "If-Match" in request.headers and not matches(request, "If-Match", tag):
        raise DomainError("This was changed in the meantime.", code="PRECONDITION_FAILED")


class UnknownPath(APIView):
    """Any address below /api that is no other."""

    authentication_classes = ()
    permission_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotFound("There is no such address in this API.")
