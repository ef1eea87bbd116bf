"""The OpenAPI document: made from the serializers, with the wrapper around every answer."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema as SpectacularSchema

Json = dict[str, Any]

META = {
    "type": "object",
    "required": ["timestamp", "request_id", "pagination"],
    "properties": {
        "timestamp": {"type": "string", "format": "date-time"},
        "request_id": {"type": "string", "format": "uuid"},
        "pagination": {
            "type": ["object", "null"],
            "required": ["page", "limit", "total", "pages"],
            "properties": {
                "page": {"type": "integer", "minimum": 1},
                "limit": {"type": "integer", "minimum": 1},
                "total": {"type": "integer", "minimum": 0},
                "pages": {"type": "integer", "minimum": 0},
            },
        },
    },
}
ERROR = {
    "type": "object",
    "required": ["code", "message", "details"],
    "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "details": {"type": "object", "additionalProperties": True},
    },
}
FAILURE = {
    "type": "object",
    "required": ["success", "data", "error", "meta"],
    "properties": {
        "success": {"type": "boolean", "const": False},
        "data": {"type": "null"},
        "error": {"$ref": "#/components/schemas/Error"},
        "meta": {"$ref": "#/components/schemas/Meta"},
    },
}
# What any call may be answered with; 404 and the rest need no words of their own at each place.
FAILURES = {
    "400": "The request breaks a rule.",
    "401": "Nobody is signed in, or the token is not valid.",
    "403": "The role is too low.",
    "404": "It does not exist, or the caller may not see it.",
    "405": "The address does not take this method.",
    "406": "The answer has no such form.",
    "409": "It does not fit the present state.",
    "412": "It was changed in the meantime.",
    "413": "The body is too large.",
    "415": "The body has the wrong media type.",
    "429": "Too many requests.",
    "503": "A part of the server is away.",
}


class AutoSchema(SpectacularSchema):
    """Paged lists are told by the view, not by a pagination class."""

    def get_tags(self) -> list[str]:
        view_tags = getattr(self.view, "schema_tags", None)
        return list(view_tags) if view_tags else super().get_tags()


def wrap_answers(result: Json, **_: Any) -> Json:
    """A drf-spectacular hook: wraps each JSON answer and adds the failures."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas |= {"Meta": META, "Error": ERROR, "Failure": FAILURE}
    for operations in result.get("paths", {}).values():
        for operation in operations.values():
            if isinstance(operation, dict) and "responses" in operation:
                _wrap(operation["responses"])
    return result


def _wrap(responses: Json) -> None:
    for status, response in responses.items():
        content = response.get("content", {}).get("application/json")
        if status.startswith("2") and content:
            content["schema"] = _success(content.get("schema", {}))
    failure = {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}}
    for status, text in FAILURES.items():
        responses.setdefault(status, {"description": text, "content": failure})


def _success(data: Json) -> Json:
    return {
        "type": "object",
        "required": ["success", "data", "error", "meta"],
        "properties": {
            "success": {"type": "boolean", "const": True},
            "data": data,
            "error": {"type": "null"},
            "meta": {"$ref": "#/components/schemas/Meta"},
        },
    }
