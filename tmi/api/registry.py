"""The schema registry: every schema that requests, answers, errors, messages and configuration follow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from tmi.api.conformance import document
from tmi.api.pagination import whole_list
from tmi.api.render import JSONRenderer
from tmi.api.versions import VERSIONS
from tmi.api.views import ApiViewSet
from tmi.config_schema import Config
from tmi.lib.errors import NotFound

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
ERRORS = ("Error", "Failure", "Meta")
_REFERENCE = re.compile(r"#/components/schemas/(\w+)")
# What apps add beyond the API's own schemas: kind, and a function that makes {name: schema}.
SOURCES: dict[str, Callable[[], dict[str, Schema]]] = {}


class EntrySerializer(serializers.Serializer[Any]):
    """A schema that the registry holds."""

    name = serializers.CharField()
    kind = serializers.ChoiceField(
        choices=["request", "response", "error", "message", "configuration", "file"]
    )
    version = serializers.CharField()
    href = serializers.CharField()


class SchemaRenderer(JSONRenderer):
    media_type = "application/schema+json"


class SchemaViewSet(ApiViewSet):
    """Open to everybody, like the OpenAPI document."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    serializer_class = EntrySerializer
    schema_tags = ("schemas",)

    @extend_schema(operation_id="schemas_list")
    def list(self, request: Request) -> Response:
        listed = [
            {"name": name, "kind": kind, "version": VERSIONS[-1].number, "href": f"/api/v1/schemas/{name}"}
            for name, (kind, _schema) in sorted(registered().items())
        ]
        return self.answer_list(listed, whole_list(len(listed)))

    @extend_schema(
        operation_id="schemas_retrieve",
        responses={(200, "application/schema+json"): OpenApiResponse({"type": "object"})},
    )
    def retrieve(self, request: Request, name: str) -> Response:
        """A JSON Schema (2020-12) that needs no other."""
        if name not in registered():
            raise NotFound
        return Response(registered()[name][1])

    def get_renderers(self) -> Any:
        return [SchemaRenderer(), JSONRenderer()] if self.action == "retrieve" else [JSONRenderer()]


class OpenApiRenderer(JSONRenderer):
    media_type = "application/vnd.oai.openapi+json"


class OpenApiViewSet(ApiViewSet):
    """The OpenAPI document, open to everybody; it does not describe itself."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    renderer_classes = (OpenApiRenderer, JSONRenderer)
    schema = None

    def retrieve(self, request: Request) -> Response:
        return Response(document())


@lru_cache(maxsize=1)
def registered() -> dict[str, tuple[str, Schema]]:
    """Every schema by name, with its kind."""
    found = {name: (_kind(name), schema) for name, schema in _of_the_api()}
    found["Configuration"] = ("configuration", _whole("Configuration", Config.model_json_schema()))
    for kind, make in SOURCES.items():
        found |= {name: (kind, _whole(name, schema)) for name, schema in make().items()}
    return found


def _kind(name: str) -> str:
    if name in ERRORS:
        return "error"
    return "request" if name.endswith("Request") or name == "JsonPatch" else "response"


def _of_the_api() -> Iterator[tuple[str, Schema]]:
    components: dict[str, Schema] = document()["components"]["schemas"]
    for name, schema in components.items():
        used = _used(name, components)
        definitions = {one: _rooted(components[one]) for one in sorted(used - {name})}
        yield name, _whole(name, _rooted(schema) | ({"$defs": definitions} if definitions else {}))


def _used(name: str, components: dict[str, Schema]) -> set[str]:
    """The names of the schemas that one needs, itself included."""
    found, new = {name}, {name}
    while new:
        named = {one for other in new for one in _REFERENCE.findall(str(components[other]))}
        new = named - found
        found |= new
    return found


def _rooted(value: Any) -> Any:
    """With references into the schema's own `$defs`."""
    if isinstance(value, dict):
        return {key: _rooted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rooted(item) for item in value]
    return _REFERENCE.sub(r"#/$defs/\1", value) if isinstance(value, str) else value


def _whole(name: str, schema: Schema) -> Schema:
    return {"$schema": DIALECT, "$id": f"urn:tmi:v1:{name}", "title": name} | schema
