"""The messages of the protocol as JSON Schema, and the AsyncAPI document that tells of them."""

from __future__ import annotations

import dataclasses
import inspect
from functools import lru_cache
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter

from collaboration import protocol
from threatmodels.cell_schema import CELL, CELL_PATCH
from tmi.api.versions import VERSIONS

Schema = dict[str, Any]

UUID: Schema = {"type": "string", "format": "uuid"}
STEP: Schema = {
    "description": "add: `data` is a whole cell; update: a merge patch of it (RFC 7396); remove: null.",
    "oneOf": [
        {
            "type": "object",
            "required": ["id", "operation", "data"],
            "properties": {"id": UUID, "operation": {"const": kind}, "data": data},
        }
        for kind, data in (("add", CELL), ("update", CELL_PATCH))
    ]
    + [
        {
            "type": "object",
            "required": ["id", "operation"],
            "properties": {"id": UUID, "operation": {"const": "remove"}, "data": {"type": "null"}},
        }
    ],
}
OPERATION: Schema = {
    "type": "object",
    "required": ["type", "cells"],
    "properties": {"type": {"const": "patch"}, "cells": {"type": "array", "items": STEP}},
}
EDIT: Schema = {
    "type": "object",
    "description": "Steps that are carried out as a whole or not at all; the id is the client's.",
    "required": ["message_type", "operation_id", "operation"],
    "properties": {
        "message_type": {"const": "diagram_operation"},
        "operation_id": UUID,
        "base_vector": {"type": ["integer", "null"]},
        "operation": OPERATION,
    },
}
CLOSE_CODES = {
    1001: "The server goes away; come back, to whichever process.",
    1013: "Too slow, or the database is away; come back later.",
    4400: "Twenty malformed messages in a row.",
    4401: "Not signed in, or signed out.",
    4403: "No longer allowed, or removed from this session.",
    4404: "There is no such diagram for this person.",
    4408: "Nothing was heard for too long.",
    4410: "The session has ended.",
    4413: "A message was too large.",
    4429: "Too many messages or connections.",
}


def names_of(kind: type[Any]) -> tuple[str, str]:
    """The field that tells a message's kind, and what it says: ("message_type", "cursor")."""
    hints = get_type_hints(kind)
    field = "event" if "event" in hints else "message_type"
    return field, get_args(hints[field])[0]


@lru_cache(maxsize=1)
def message_schemas() -> dict[str, Schema]:
    """Every message: `message.client.NAME` and `message.server.NAME`."""
    found: dict[str, Schema] = {"message.client.diagram_operation": EDIT}
    for name, kind in protocol.FROM_CLIENTS.items():
        found[f"message.client.{name}"] = TypeAdapter(kind).json_schema()
    for kind in protocol.FROM_SERVER:
        found[f"message.server.{names_of(kind)[1]}"] = _of_server(kind)
    return found


def _of_server(kind: type[Any]) -> Schema:
    schema = TypeAdapter(kind).json_schema(mode="serialization")
    schema["description"] = inspect.getdoc(kind) if not _is_generated(kind) else ""
    # What has a default in the code is there all the same, but for one field.
    schema["required"] = [f.name for f in dataclasses.fields(kind) if f.name != "retry_after_ms"]
    schema["additionalProperties"] = False
    properties = schema["properties"]
    if "operation" in properties:
        properties["operation"] = OPERATION
    if "cells" in properties:
        properties["cells"] = {"type": "array", "items": CELL}
    return schema


def _is_generated(kind: type[Any]) -> bool:
    """Whether the docstring is the signature that `dataclass` puts there."""
    return (kind.__doc__ or "").startswith(f"{kind.__name__}(")


@lru_cache(maxsize=1)
def asyncapi() -> Schema:
    """AsyncAPI 3.0: the socket of a diagram, and every message in both directions."""
    schemas = message_schemas()
    messages = {_key(name): {"name": name, "payload": schema} for name, schema in schemas.items()}
    channel = "diagram"
    directions = {"receive": "message.client.", "send": "message.server."}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "TMI: editing a diagram together",
            "version": VERSIONS[-1].number,
            "description": "Seen from the server: it receives what clients send. It closes with these codes: "
            + " ".join(f"{code}: {said}" for code, said in CLOSE_CODES.items()),
        },
        "channels": {
            channel: {
                "address": "/ws/diagrams/{diagram_id}",
                "parameters": {"diagram_id": {"description": "The id of the diagram, a UUID."}},
                "messages": {key: {"$ref": f"#/components/messages/{key}"} for key in messages},
                "bindings": {
                    "ws": {
                        "query": {
                            "type": "object",
                            "properties": {
                                "ticket": {"type": "string", "description": "From POST /api/v1/ws/ticket."},
                                "since": {"type": "integer", "description": "The last operation known."},
                            },
                        }
                    }
                },
            }
        },
        "operations": {
            action: {
                "action": action,
                "channel": {"$ref": f"#/channels/{channel}"},
                "messages": [
                    {"$ref": f"#/channels/{channel}/messages/{_key(name)}"}
                    for name in schemas
                    if name.startswith(prefix)
                ],
            }
            for action, prefix in directions.items()
        },
        "components": {"messages": messages},
    }


def _key(name: str) -> str:
    return name.removeprefix("message.").replace(".", "_")
