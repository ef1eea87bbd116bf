"""The keys of collaboration in Redis, for whoever looks there; nothing here relies on them.

All have a time to live and are written again and again, so that a killed process leaves nothing behind.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from redis import asyncio as redis

from collaboration.actions.session import SessionState
from collaboration.people import People

SECONDS = 10
OPERATION_SECONDS = 3600
MOST_OPERATIONS = 1_000


@dataclass(frozen=True, slots=True)
class Presence:
    """A room as this process sees it: its own people, and all."""

    diagram_id: UUID
    session: SessionState | None
    here: People
    everybody: People


class Keys:
    """Writes them in one go each; raises RedisError."""

    def __init__(self) -> None:
        self._client: Any = redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1
        )

    async def presence(self, rooms: Sequence[Presence]) -> None:
        """ws:connections, ws:presenter and collab:session of these rooms."""
        async with self._client.pipeline() as pipe:
            for room in rooms:
                _connections(pipe, room)
                if room.session is not None:
                    _session(pipe, room, room.session)
            await pipe.execute()

    async def operations(self, session_id: UUID, texts: Sequence[bytes]) -> None:
        """collab:operations, the latest last."""
        key = f"collab:operations:{session_id}"
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.rpush(key, *texts)
            pipe.ltrim(key, -MOST_OPERATIONS, -1)
            pipe.expire(key, OPERATION_SECONDS)
            await pipe.execute()


def _connections(pipe: Any, room: Presence) -> None:
    key = f"ws:connections:{room.diagram_id}"
    everybody = [str(user_id) for user_id in room.everybody]
    # Written whole: what another process put there belongs to everybody as well.
    pipe.delete(key)
    if everybody:
        pipe.sadd(key, *everybody)
        pipe.expire(key, SECONDS)


def _session(pipe: Any, room: Presence, session: SessionState) -> None:
    presenter = f"ws:presenter:{room.diagram_id}"
    if session.presenter is not None:
        pipe.set(presenter, str(session.presenter), ex=SECONDS)
    else:
        pipe.delete(presenter)
    key = f"collab:session:{session.id}"
    values = {
        "host_user_internal_uuid": str(session.host or ""),
        "diagram_id": str(room.diagram_id),
        "participants": json.dumps([str(user_id) for user_id in room.everybody]),
    }
    pipe.hset(key, mapping=values)
    pipe.expire(key, SECONDS)
