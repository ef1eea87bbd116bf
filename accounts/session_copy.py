"""The copy of live sign-ins in Redis, under `session:<user>:<sid>`, for operators and for other programs.

The database decides who is signed in: Redis may come back empty, and then its copies are made again as the
sign-ins are used.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import redis
from django.utils import timezone

from accounts.models import SignInSession
from tmi.lib.json import encode
from tmi.lib.redis import client

logger = logging.getLogger(__name__)


def keep(session: SignInSession, jwt_hash: str = "") -> None:
    """Writes the copy; `jwt_hash` is the SHA-256 of the latest access token, if there is one."""
    key, user = _key(session.user_id, session.pk), session.user
    told = {"id": str(user.pk), "name": user.name, "email": user.email, "provider": user.provider}
    fields: dict[Any, Any] = {
        "expires_at": session.expires_at.isoformat(),
        "user_data": encode(told).decode(),
    }
    if jwt_hash:
        fields["jwt_hash"] = jwt_hash
    seconds = max(int((session.expires_at - timezone.now()).total_seconds()), 1)
    try:
        with client().pipeline(transaction=False) as pipe:
            pipe.hset(key, mapping=fields)
            pipe.hsetnx(key, "jwt_hash", "")
            pipe.expire(key, seconds)
            pipe.execute()
    except redis.RedisError as error:
        logger.warning("A sign-in was not copied to Redis: %s", error)


def forget(user_id: UUID, session_ids: Iterable[UUID]) -> None:
    keys = [_key(user_id, pk) for pk in session_ids]
    try:
        if keys:
            client().delete(*keys)
    except redis.RedisError as error:
        logger.warning("Ended sign-ins stay in Redis until they expire: %s", error)


def _key(user_id: UUID, session_id: UUID) -> str:
    return f"session:{user_id}:{session_id}"
