"""The OpenAPI document: made from the serializers, with the wrapper around every answer."""

from __future__ import annotations

import inspect
from decimal import Decimal
from typing import Any

from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from tmi.api.views import GUARDED

Json = dict[str, Any]

META = {
    "type": "object",
    "required": ["timestamp", "request_id", "pagination"],
    "properties": {
        "timestamp": {"type": "string", "format": "date-time"},
        "request_id": {"type": "string", "format": "uuid"},
        "pagination": {
            "type": ["object", "null"],
            "description": "Of lists. A list by cursor has no page, total and pages, but next_cursor.",
            "required": ["page", "limit", "total", "pages"],
            "properties": {
                "page": {"type": ["integer", "null"], "minimum": 1},
                "limit": {"type": "integer", "minimum": 1},
                "total": {"type": ["integer", "null"], "minimum": 0},
                "pages": {"type": ["integer", "null"], "minimum": 0},
                "next_cursor": {"type": ["string", "null"]},
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


JSON_PATCH = {
    "type": "array",
    "description": "RFC 6902.",
    "items": {
        "type": "object",
        "required": ["op", "path"],
        "properties": {
            "op": {"type": "string", "enum": ["add", "remove", "replace", "move", "copy", "test"]},
            "path": {"type": "string"},
            "from": {"type": "string"},
            "value": {},
        },
    },
}
# A POST that may come without a body.
OPTIONAL_BODY = "_duplicate_create"
PATCH_MEDIA = ("application/merge-patch+json", "application/json-patch+json")


def _header(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description)


REQUEST_ID = OpenApiParameter(
    "X-Request-ID",
    OpenApiTypes.UUID,
    OpenApiParameter.HEADER,
    description="Taken over into the answer and the logs; without it, one is made.",
)
IF_MATCH = _header("If-Match", "An ETag: the change is made only if the entity still has it (else 412).")
IF_NONE_MATCH = _header("If-None-Match", "An ETag: an entity that still has it is not sent again (304).")
IDEMPOTENCY_KEY = _header("Idempotency-Key", "The same key and body within 24 h get the first answer again.")


class AutoSchema(SpectacularSchema):
    """What views declare in their own words: tags, filters, entity tags, bulk actions."""

    def get_tags(self) -> list[str]:
        view_tags = getattr(self.view, "schema_tags", None)
        return list(view_tags) if view_tags else super().get_tags()

    def get_description(self) -> str:  # type: ignore[override]  # as the package has it
        """What the action says of itself; else what all actions of its name do."""
        action = getattr(self.view, "action", "") or ""
        own = inspect.getdoc(getattr(type(self.view), action, None)) if action else None
        return own or DESCRIPTIONS.get(action, "")

    def get_override_parameters(self) -> list[Any]:
        found = [*super().get_override_parameters(), REQUEST_ID]
        action = getattr(self.view, "action", "")
        if action == "list":
            found += [one.parameter(name) for name, one in getattr(self.view, "filters", {}).items()]
        if getattr(self.view, "entity_tags", False) and action in TAGGED:
            found.append(TAGGED[action])
        if self.method == "POST" and getattr(self.view, "repeatable", False):
            found.append(IDEMPOTENCY_KEY)
        return found

    def get_request_serializer(self) -> Any:
        bulk = self._bulk()
        return bulk if bulk is not None else super().get_request_serializer()

    def get_response_serializers(self) -> Any:
        bulk, action = self._bulk(), getattr(self.view, "action", "")
        if bulk is None:
            return super().get_response_serializers()
        if action == "bulk_destroy":
            return {204: None}
        statuses = {"bulk_create": [201], "bulk_update": [200, 201], "bulk_partial_update": [200]}
        return dict.fromkeys(statuses[action], bulk)

    def _bulk(self) -> Any:
        """The list of entities that a bulk action takes and answers; None for any other action."""
        action = getattr(self.view, "action", "") or ""
        serializer = getattr(self.view, "bulk_serializer", None)
        if serializer is None or not action.startswith("bulk_"):
            return None
        return serializer(many=True, partial=action == "bulk_partial_update")


DESCRIPTIONS = {
    "list": "A list.",
    "create": "Makes one.",
    "retrieve": "One by its id.",
    "update": "Replaces it; what is left out gets its default.",
    "partial_update": "Changes what the patch names.",
    "destroy": "Deletes it.",
    "restore": "Brings a deleted one back.",
    "bulk_create": "Makes up to 200, all or none.",
    "bulk_update": "Makes or replaces up to 200 by id, all or none.",
    "bulk_partial_update": "Changes up to 200 by id, all or none.",
    "bulk_destroy": "Deletes up to 200 by id, all or none.",
}
TAGGED = {
    "preferences": IF_NONE_MATCH,
    "retrieve": IF_NONE_MATCH,
    **dict.fromkeys(GUARDED, IF_MATCH),
}


# A mark on operations that answer with a file: JSON too is then sent as it is.
A_FILE = "x-file"
# A mark on operations that answer null where there is nothing.
OR_NULL = "x-or-null"


def wrap_answers(result: Json, **_: Any) -> Json:
    """A drf-spectacular hook: wraps each JSON answer and adds the failures."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas |= {"Meta": META, "Error": ERROR, "Failure": FAILURE, "JsonPatch": JSON_PATCH}
    result["components"]["responses"] = _failures()
    for operations in result.get("paths", {}).values():
        for method, operation in operations.items():
            if isinstance(operation, dict) and "responses" in operation:
                _describe(method, operation, schemas)
    return _plain(result)


def _plain(value: Any) -> Any:
    """Limits of decimal fields as numbers."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


def _describe(method: str, operation: Json, schemas: Json) -> None:
    for one in operation.get("parameters", []):
        if one["in"] == "path" and one["name"].endswith("_id"):
            one["schema"]["format"] = "uuid"
    named = {one["name"] for one in operation.get("parameters", [])}
    if "fields" in named:
        _allow_sparse(operation["responses"], schemas)
    if operation.pop(OR_NULL, False):
        content = operation["responses"]["200"]["content"]["application/json"]
        content["schema"] = {"anyOf": [content["schema"], {"type": "null"}]}
    _wrap(operation["responses"], is_file=operation.pop(A_FILE, False))
    if "If-None-Match" in named:
        operation["responses"]["304"] = {"description": "It still has the ETag that If-None-Match names."}
    body = operation.get("requestBody", {})
    if body and not operation["operationId"].endswith(OPTIONAL_BODY):
        body["required"] = True
    content = body.get("content", {})
    if "application/json-patch+json" in content:
        content["application/json-patch+json"] = {"schema": {"$ref": "#/components/schemas/JsonPatch"}}


def _allow_sparse(responses: Json, schemas: Json) -> None:
    """`fields` leaves fields out: the whole entity, or one in which nothing is required."""
    content = responses["200"]["content"]["application/json"]
    schema = content["schema"]
    reference = schema["items"] if schema.get("type") == "array" else schema
    name = reference["$ref"].rsplit("/", 1)[1]
    whole = schemas[name]
    sparse = {key: value for key, value in whole.items() if key != "required"}
    schemas[f"Sparse{name}"] = {**sparse, "description": f"Those fields of {name} that `fields` names."}
    either = {"anyOf": [dict(reference), {"$ref": f"#/components/schemas/Sparse{name}"}]}
    content["schema"] = {"type": "array", "items": either} if reference is not schema else either


def _wrap(responses: Json, *, is_file: bool) -> None:
    for status, response in responses.items():
        content = response.get("content", {}).get("application/json")
        if status.startswith("2") and content and not is_file:
            content["schema"] = _success(content.get("schema", {}))
    for status in FAILURES:
        responses.setdefault(status, {"$ref": f"#/components/responses/Failure{status}"})


def _failures() -> Json:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}}
    return {
        f"Failure{status}": {"description": text, "content": content} for status, text in FAILURES.items()
    }


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
