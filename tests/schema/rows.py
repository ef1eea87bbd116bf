"""Valid rows by plain SQL, past every check of the application."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from tmi.lib.ids import new_id


class Parent(str):
    """In place of a value: the key of a new row of that table."""


def unique() -> str:
    return uuid4().hex


def email() -> str:
    return f"{uuid4().hex}@example.org"


# A value is what psycopg takes, a Parent, a function that makes one, or a dict or list that goes in as JSON.
Row = Mapping[str, Any]

PART: Row = {"threat_model_id": Parent("threat_models"), "name": "One"}

# What a row must hold beside its key: nothing that has a default in the database, nothing that may be null.
REQUIRED: dict[str, Row] = {
    "users": {
        "email": email,
        "name": "Ann",
        "provider": "local",
        "provider_user_id": unique,
        "password": "!",
    },
    "groups": {"provider": "*", "group_name": unique},
    "group_members": {"group_internal_uuid": Parent("groups"), "user_internal_uuid": Parent("users")},
    "sign_in_sessions": {"user_internal_uuid": Parent("users"), "expires_at": "2100-01-01"},
    "refresh_tokens": {
        "user_internal_uuid": Parent("users"),
        "session_id": Parent("sign_in_sessions"),
        "token": unique,
        "expires_at": "2100-01-01",
    },
    "client_credentials": {
        "owner_internal_uuid": Parent("users"),
        "client_id": unique,
        "secret_hash": unique,
        "name": "Build server",
    },
    "kept_answers": {
        "user_internal_uuid": Parent("users"),
        "path": "/api/v1/threat_models",
        "key": unique,
        "body_hash": unique,
    },
    "socket_tickets": {
        "session_id": Parent("sign_in_sessions"),
        "ticket": unique,
        "expires_at": "2100-01-01",
    },
    "skipped_undos": {
        "diagram_id": Parent("diagrams"),
        "user_internal_uuid": Parent("users"),
        "operation_id": uuid4,
    },
    "one_time_links": {"purpose": unique, "secret_hash": unique},
    "oauth_clients": {"client_id": unique, "name": "Desk", "redirect_uris": "{https://desk.example.org/}"},
    "authorization_codes": {
        "client_id": Parent("oauth_clients"),
        "session_id": Parent("sign_in_sessions"),
        "user_internal_uuid": Parent("users"),
        "code_hash": unique,
        "redirect_uri": "https://desk.example.org/",
        "code_challenge": "x",
        "expires_at": "2100-01-01",
    },
    "sign_up_invitations": {"email": email, "secret_hash": unique, "expires_at": "2100-01-01"},
    "audit_entries": {"entity_type": "threat", "entity_id": uuid4, "action": "create"},
    "threat_models": {
        "owner_internal_uuid": Parent("users"),
        "created_by_internal_uuid": Parent("users"),
        "name": "Web shop",
    },
    "diagrams": {**PART, "type": "DFD-1.0.0"},
    "diagram_operations": {
        "diagram_id": Parent("diagrams"),
        "sequence_number": 1,
        "operation_id": uuid4,
        "operation": {"type": "patch", "cells": []},
        "inverse": {"type": "patch", "cells": []},
    },
    "assets": {**PART, "type": "data"},
    "threats": {**PART},
    "documents": {**PART, "uri": "https://example.org/plan.pdf"},
    "notes": {**PART, "content": "# Findings"},
    "repositories": {
        "threat_model_id": Parent("threat_models"),
        "uri": "https://example.org/shop.git",
    },
    "metadata": {
        "threat_model_id": Parent("threat_models"),
        "entity_type": "threat_model",
        "entity_id": uuid4,
        "key": "team",
        "value": "blue",
    },
    "threat_model_access": {
        "threat_model_id": Parent("threat_models"),
        "user_internal_uuid": Parent("users"),
        "subject_type": "user",
        "role": "reader",
    },
    "suggestion_decisions": {
        "threat_model_id": Parent("threat_models"),
        "diagram_id": Parent("diagrams"),
        "cell_id": uuid4,
        "category": "Spoofing",
        "verdict": "accepted",
    },
    "rule_packs": {"key": unique},
    "webhooks": {
        "user_internal_uuid": Parent("users"),
        "url": "https://hooks.example.org/",
        "events": "{*}",
        "secret": unique,
        "challenge": unique,
    },
    "webhook_deliveries": {
        "webhook_id": Parent("webhooks"),
        "event_id": uuid4,
        "event": "threat.created",
        "payload": {},
    },
    "access_invitations": {"threat_model_id": Parent("threat_models"), "email": email, "role": "reader"},
    "collaboration_sessions": {
        "threat_model_id": Parent("threat_models"),
        "diagram_id": Parent("diagrams"),
        "websocket_url": "/ws/diagrams/1",
    },
    "session_participants": {
        "session_id": Parent("collaboration_sessions"),
        "user_internal_uuid": Parent("users"),
    },
    "session_removals": {
        "session_id": Parent("collaboration_sessions"),
        "user_internal_uuid": Parent("users"),
    },
}


def key_of(table: str) -> str:
    return "internal_uuid" if table in {"users", "groups"} else "id"


class Rows:
    """Inserts, deletes and reads rows through one cursor."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor

    def add(self, table: str, /, **given: Any) -> UUID:
        """A new row and, where a reference is not given, new rows that it refers to; returns its key."""
        key = key_of(table)
        row = {key: new_id(), **REQUIRED[table], **given}
        values = {column: self._made(value) for column, value in row.items()}
        columns, places = ", ".join(values), ", ".join(["%s"] * len(values))
        self.cursor.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", list(values.values()))
        return values[key]

    def delete(self, table: str, key: UUID) -> None:
        self.cursor.execute(f"DELETE FROM {table} WHERE {key_of(table)} = %s", [key])

    def get(self, table: str, key: UUID, column: str) -> Any:
        """The value of a column; LookupError when there is no such row."""
        self.cursor.execute(f"SELECT {column} FROM {table} WHERE {key_of(table)} = %s", [key])
        found = self.cursor.fetchone()
        if found is None:
            raise LookupError(f"{table} {key}")
        return found[0]

    def has(self, table: str, key: UUID) -> bool:
        self.cursor.execute(f"SELECT 1 FROM {table} WHERE {key_of(table)} = %s", [key])
        return self.cursor.fetchone() is not None

    def set(self, table: str, key: UUID, /, **values: Any) -> None:
        columns = ", ".join(f"{column} = %s" for column in values)
        made = [self._made(value) for value in values.values()]
        self.cursor.execute(f"UPDATE {table} SET {columns} WHERE {key_of(table)} = %s", [*made, key])

    def _made(self, value: Any) -> Any:
        if isinstance(value, Parent):
            return self.add(value)
        if isinstance(value, dict | list):
            return json.dumps(value)
        return value() if callable(value) else value
