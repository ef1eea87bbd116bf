"""A program at the socket of a diagram: sends what it is told, and holds every answer against its schema."""

from __future__ import annotations

import json
import re
import socket
import time
import uuid
from functools import lru_cache
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from collaboration.message_schemas import message_schemas

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
# The seed's six messages: exactly these keys.
SEED = {
    "diagram_operation": {
        "message_type",
        "user_internal_uuid",
        "operation_id",
        "sequence_number",
        "operation",
        "timestamp",
    },
    "current_presenter": {"message_type", "current_presenter", "timestamp"},
    "presenter_cursor": {"message_type", "user_internal_uuid", "cursor_position", "timestamp"},
    "join": {"event", "user_internal_uuid", "timestamp"},
    "leave": {"event", "user_internal_uuid", "timestamp"},
    "session_ended": {"event", "user_internal_uuid", "message", "timestamp"},
}
PATIENCE = 10.0


def kind_of(message):
    return message.get("message_type") or message["event"]


@lru_cache
def _validator(kind):
    return Draft202012Validator(message_schemas()[f"message.server.{kind}"])


class Tab:
    """One socket. `seen` is everything that it was sent so far, in order."""

    def __init__(self, connection, diagram_id):
        self.connection, self.diagram_id = connection, diagram_id
        self.seen = []
        self.code = None

    # -- sending

    def send(self, message_type, **fields):
        self.send_text(json.dumps({"message_type": message_type, **fields}))

    def send_text(self, text):
        self.connection.send(text)

    def ask(self, *steps, operation_id=None, **more):
        """Sends an operation and waits for nothing; its id."""
        operation_id = operation_id or str(uuid.uuid4())
        operation = {"type": "patch", "cells": list(steps)}
        self.send("diagram_operation", **{"operation_id": operation_id, "operation": operation, **more})
        return operation_id

    def edit(self, *steps, **more):
        """Sends an operation; the answer, which is the accepted operation or a rejection."""
        operation_id = self.ask(*steps, **more)
        return self.until("diagram_operation", "operation_rejected", operation_id=operation_id)

    # -- hearing

    def next(self, timeout=PATIENCE):
        """The next message. Raises TimeoutError, ConnectionClosed."""
        try:
            message = json.loads(self.connection.recv(timeout=timeout))
        except ConnectionClosed as closed:
            self.code = closed.rcvd.code if closed.rcvd else 1006
            raise
        kind = kind_of(message)
        _validator(kind).validate(message)
        assert TIMESTAMP.match(message["timestamp"]), message
        assert kind not in SEED or set(message) == SEED[kind], message
        self.seen.append(message)
        return message

    def until(self, *kinds, timeout=PATIENCE, where=None, **fields):
        """The next message of these kinds with these fields, for which `where` is true."""
        end = time.monotonic() + timeout
        while True:
            try:
                message = self.next(max(0.0, end - time.monotonic()))
            except (TimeoutError, ConnectionClosed) as error:
                heard = [kind_of(one) for one in self.seen[-8:]]
                raise AssertionError(f"no {kinds} {fields}: {error!r}; lately {heard}") from None
            fits = kind_of(message) in kinds and all(message.get(k) == v for k, v in fields.items())
            if fits and (where is None or where(message)):
                return message

    def people(self, where, timeout=PATIENCE):
        """The next participants_update for which `where` is true."""
        return self.until("participants_update", where=where, timeout=timeout)

    def fence(self):
        """What came before the answer to a question that is asked now."""
        start = len(self.seen)
        self.send("sync_request", update_vector=-1)
        self.until("diagram_state")
        return self.seen[start:-1]

    def closed(self, timeout=PATIENCE):
        """The code with which the server closes; what comes before it is in `seen`."""
        end = time.monotonic() + timeout
        try:
            while True:
                self.next(max(0.0, end - time.monotonic()))
        except ConnectionClosed:
            return self.code

    def kinds(self):
        return [kind_of(message) for message in self.seen]

    def close(self):
        self.connection.close()

    def drop(self):
        """Goes without a goodbye."""
        self.connection.socket.shutdown(2)


def open_tab(base_url, diagram_id, *, query="", headers=None, origin=None, host=None):
    """A socket at `/ws/diagrams/{diagram_id}?{query}`. Raises InvalidStatus when it is refused at once."""
    where = urlsplit(base_url)
    address = f"ws://{host or where.hostname}:{where.port}/ws/diagrams/{diagram_id}"
    connection = connect(
        f"{address}?{query}" if query else address,
        # Whatever the name, it is this machine.
        sock=socket.create_connection((where.hostname, where.port)),
        legacy=True,
        additional_headers=headers or {},
        origin=origin,
        compression=None,
        open_timeout=20,
        close_timeout=1,
        ping_interval=None,
        max_size=None,
    )
    return Tab(connection, diagram_id)


def status_of(call):
    """The HTTP status with which a socket is refused before the upgrade."""
    try:
        call()
    except InvalidStatus as refused:
        return refused.response.status_code
    return 101
