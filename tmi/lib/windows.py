"""Counting in Redis within windows of a minute, under the keys `rate_limit:<who>:<endpoint>`."""

from __future__ import annotations

from dataclasses import dataclass

from tmi.lib.redis import client

WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Window:
    """How often something was asked for in its present window, and the seconds until the next one begins."""

    count: int
    seconds_left: int


def hit(who: str, *endpoints: str) -> list[Window]:
    """Counts one more request of each endpoint, in one round trip. Raises redis.RedisError."""
    with client().pipeline(transaction=False) as pipe:
        for endpoint in endpoints:
            key = f"rate_limit:{who}:{endpoint}"
            pipe.incr(key)
            pipe.expire(key, WINDOW_SECONDS, nx=True)
            pipe.ttl(key)
        found = pipe.execute()
    return [Window(count, max(ttl, 1)) for count, _set, ttl in zip(*[iter(found)] * 3, strict=True)]
