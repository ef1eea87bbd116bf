"""/api/docs: the OpenAPI document as a page, drawn by the server."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tmi.api.conformance import document, resolved
from tmi.lib.json import pretty

Json = dict[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")


def api_docs(request: HttpRequest) -> HttpResponse:
    """Open to everybody, like the document itself."""
    groups, about = operations(), document()["info"]
    return render(request, "api_docs.html", {"groups": groups, "about": about})


@lru_cache(maxsize=1)
def operations() -> list[tuple[str, list[Json]]]:
    """The operations by tag, in the order of the document."""
    groups: dict[str, list[Json]] = defaultdict(list)
    for path, found in document()["paths"].items():
        for method in METHODS:
            if method in found:
                groups[found[method]["tags"][0]].append(_told(path, method, found[method]))
    return list(groups.items())


def _told(path: str, method: str, operation: Json) -> Json:
    content = operation.get("requestBody", {}).get("content", {})
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "description": operation.get("description", ""),
        "parameters": [_parameter(one) for one in operation.get("parameters", [])],
        "bodies": [(media, _named(one.get("schema", {}))) for media, one in content.items()],
        "example": _example(content),
        "answers": [_answer(status, resolved(one)) for status, one in sorted(operation["responses"].items())],
    }


def _parameter(one: Json) -> Json:
    schema = one.get("schema", {})
    kind = schema.get("items", schema)
    return {
        "name": one["name"],
        "where": one["in"],
        "required": one.get("required", False),
        "type": kind.get("format") or kind.get("type", ""),
        "many": schema.get("type") == "array",
        "description": one.get("description", ""),
    }


def _answer(status: str, one: Json) -> Json:
    content: Json = one.get("content", {})
    first: Json = next(iter(content.values()), {})
    schema: Json = first.get("schema", {})
    inner = schema.get("properties", {}).get("data", schema)
    return {
        "status": status,
        "good": status < "300",
        "media": ", ".join(content),
        "description": one.get("description", ""),
        **_named(inner),
    }


def _named(schema: Json) -> Json:
    """What a schema is called in the registry, and whether it comes as a list."""
    inner = schema.get("items", schema)
    first = inner.get("anyOf", [inner])[0]
    name = first.get("$ref", "").rsplit("/", 1)[-1]
    return {"schema": name, "many": schema.get("type") == "array"}


def _example(content: Json) -> str:
    schema = content.get("application/json", {}).get("schema", {})
    name = _named(schema)
    component = document()["components"]["schemas"].get(name["schema"], {})
    examples = component.get("examples", [])
    if not examples:
        return ""
    return pretty([examples[0]] if name["many"] else examples[0])
