"""The Redis client of this process."""

from __future__ import annotations

from functools import lru_cache

import redis
from django.conf import settings


@lru_cache(maxsize=1)
def client() -> redis.Redis:
    """Text in, text out; short time-outs, so that a Redis that is away holds nobody up."""
    return redis.Redis.from_url(
        settings.REDIS_URL, decode_responses=True, socket_timeout=1, socket_connect_timeout=1
    )
