"""Holds every answer of the API against its OpenAPI document: in tests, and in development by a setting."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tmi.lib.json import encode, read_back

Json = dict[str, Any]
DOCUMENT = "urn:openapi"
_MAKING = threading.Lock()
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


class AnswerDoesNotFit(Exception):
    """The API answered what its document does not promise."""


class CheckAnswers:
    """Raises AnswerDoesNotFit, which becomes a 500, for an answer that the document does not describe."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        match = request.resolver_match
        if match is not None and request.path.startswith("/api/v1/") and response.status_code != 500:
            path = "/" + _PARAMETER.sub(r"{\1}", match.route)
            if path in document()["paths"]:
                check(path, str(request.method).lower(), response)
        return response


def check(path: str, method: str, response: HttpResponse) -> None:
    """Raises AnswerDoesNotFit unless status, media type and content are those of the document."""
    operation = document()["paths"][path].get("get" if method == "head" else method)
    if operation is None:
        # What the address does not take is described with what it takes.
        operation = next(iter(document()["paths"][path].values()))
    where = f"{method} {path} {response.status_code}"
    if str(response.status_code) not in operation["responses"]:
        raise AnswerDoesNotFit(f"{where}: the document knows no such status")
    described = resolved(operation["responses"][str(response.status_code)])
    media = response.headers.get("Content-Type", "").split(";")[0]
    content = described.get("content", {})
    if bool(response.content) != bool(content) and method != "head" and response.status_code != 304:
        raise AnswerDoesNotFit(f"{where}: {'a' if response.content else 'no'} body")
    if response.content and media not in content:
        raise AnswerDoesNotFit(f"{where}: {media} is not among {', '.join(content)}")
    if response.content and media == "application/json":
        _check_content(where, content[media]["schema"], orjson.loads(response.content))


def _check_content(where: str, schema: Json, content: Any) -> None:
    for error in validator(encode(schema)).iter_errors(content):
        place = "/".join(map(str, error.absolute_path))
        raise AnswerDoesNotFit(f"{where}: /{place}: {error.message[:300]}")


def resolved(described: Json) -> Json:
    """A response of the document, or the one that it refers to."""
    if "$ref" not in described:
        return described
    found: Json = document()["components"]["responses"][described["$ref"].rsplit("/", 1)[-1]]
    return found


def document() -> Json:
    """The OpenAPI document, as it is served."""
    with _MAKING:  # its generator is not made for several threads at once
        return _document()


@lru_cache(maxsize=1)
def _document() -> Json:
    generator: Any = SchemaGenerator
    made: Json = read_back(generator().get_schema(request=None, public=True))
    return made


@lru_cache(maxsize=2000)
def validator(schema: bytes) -> Draft202012Validator:
    """For a schema of the document, as JSON; its references are those of the document."""
    registry: Registry[Any] = Registry().with_resource(DOCUMENT, DRAFT202012.create_resource(document()))
    rooted = schema.replace(b'"#/components/', f'"{DOCUMENT}#/components/'.encode())
    return Draft202012Validator(orjson.loads(rooted), registry=registry, format_checker=FormatChecker())
