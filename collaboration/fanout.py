"""The connections of a room in this process: every message is encoded once, for all of them."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

from collaboration import protocol
from collaboration.connection import Connection
from threatmodels.actions.operation import shown_operation
from threatmodels.models import DiagramOperation
from tmi.lib.json import time_text
from tmi.server.wire import text_frame

logger = logging.getLogger(__name__)

# What is kept to answer who comes back a moment later.
MOST_KEPT, MOST_KEPT_BYTES = 2_000, 1024 * 1024


class Fanout:
    """Sends to the connections of one room; one that fails stops no other."""

    def __init__(self) -> None:
        self._connections: dict[Connection, None] = {}

    def __iter__(self) -> Iterator[Connection]:
        return iter(tuple(self._connections))

    def __len__(self) -> int:
        return len(self._connections)

    def __contains__(self, connection: Connection) -> bool:
        return connection in self._connections

    def add(self, connection: Connection) -> None:
        self._connections[connection] = None

    def discard(self, connection: Connection) -> None:
        self._connections.pop(connection, None)

    def of(self, user_id: UUID) -> list[Connection]:
        """The tabs of a person."""
        return [one for one in self._connections if one.user_id == user_id]

    def send(self, frames: bytes, *, but: UUID | None = None) -> None:
        """To everybody, or everybody but a person."""
        self._each(Connection.send, frames, but)

    def send_presence(self, frames: bytes, *, but: UUID | None = None) -> None:
        """What slow connections may miss."""
        self._each(Connection.send_presence, frames, but)

    def _each(self, send: Callable[[Connection, bytes], None], frames: bytes, but: UUID | None) -> None:
        for connection in tuple(self._connections):
            if but is None or connection.user_id != but:
                try:
                    send(connection, frames)
                except Exception:
                    logger.exception("A connection failed; it is closed")
                    self.discard(connection)
                    connection.closed = True


class Recent:
    """The frames of the last operations, without gaps."""

    def __init__(self, told: int) -> None:
        self.told = told
        self._frames: deque[bytes] = deque()
        self._bytes = 0

    def add(self, frames: Iterable[bytes]) -> None:
        for frame in frames:
            self._frames.append(frame)
            self._bytes += len(frame)
            self.told += 1
        while len(self._frames) > MOST_KEPT or self._bytes > MOST_KEPT_BYTES:
            self._bytes -= len(self._frames.popleft())

    def since(self, vector: int) -> list[bytes] | None:
        """The frames after operation `vector`; None where they are not kept any more."""
        missing = self.told - vector
        if not 0 <= missing <= len(self._frames):
            return None
        return list(self._frames)[len(self._frames) - missing :]


def frame(message: Any) -> bytes:
    """A message of the server's, ready for every connection."""
    return text_frame(protocol.encode(message))


def operation_text(row: DiagramOperation, hidden: frozenset[str] = frozenset()) -> bytes:
    """The `diagram_operation` of a row of the log, without what nobody is shown."""
    operation = shown_operation(row.operation, hidden) if hidden else row.operation
    return protocol.encode(
        protocol.DiagramOperation(
            user_internal_uuid=row.actor_id,
            operation_id=row.operation_id,
            sequence_number=row.sequence_number,
            operation=operation,
            timestamp=time_text(row.created_at),
        )
    )
