"""How many requests a person, or an address where nobody is signed in, may make in a minute."""

from __future__ import annotations

import logging
import re
from typing import Any

import redis
from django.conf import settings
from rest_framework.request import Request

from tmi.address import client_address
from tmi.lib.errors import DomainError
from tmi.lib.windows import hit

logger = logging.getLogger(__name__)

Headers = dict[str, str]
EVERYTHING = "all"
_PARAMETER = re.compile(r"<[^>]*>")


def count(request: Request) -> Headers:
    """Counts a request; the `RateLimit-` headers of its answer. Raises RATE_LIMITED.

    While Redis is away nothing is counted and nobody is refused.
    """
    chosen = settings.CONFIG.rate_limits
    limits = {_endpoint(request): chosen.per_endpoint_per_minute, EVERYTHING: chosen.requests_per_minute}
    limits = {name: limit for name, limit in limits.items() if limit}
    if not limits:
        return {}
    try:
        windows = hit(_caller(request), *limits)
    except redis.RedisError as error:
        logger.warning("Requests are not counted: %s", error)
        return {}
    used = [
        (limit - w.count, limit, w.seconds_left) for limit, w in zip(limits.values(), windows, strict=True)
    ]
    remaining, limit, reset = min(used)
    headers = {
        "RateLimit-Limit": str(limit),
        "RateLimit-Remaining": str(max(remaining, 0)),
        "RateLimit-Reset": str(reset),
    }
    if remaining < 0:
        wait = {"Retry-After": str(reset)}
        raise DomainError("Too many requests. Try again later.", code="RATE_LIMITED", headers=headers | wait)
    return headers


def _caller(request: Request) -> str:
    """The person's id, or the address; an authentication that failed is not tried again."""
    user: Any = getattr(request, "_user", None)
    return str(user.pk) if user is not None and user.is_authenticated else client_address(request._request)


def _endpoint(request: Request) -> str:
    match = request._request.resolver_match
    return _PARAMETER.sub("-", match.route) if match else "unknown"
