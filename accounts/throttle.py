"""Slowing down whoever guesses passwords: per account a growing wait, per address a number a minute.

Counted in Redis. While Redis is away nobody is kept out.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings

from accounts.models import User
from tmi.lib.errors import DomainError
from tmi.lib.redis import client
from tmi.lib.windows import hit

logger = logging.getLogger(__name__)

FREE_FAILURES = 5
LONGEST_WAIT = 60
FORGOTTEN_AFTER = 3600


def check(account: str, address: str) -> None:
    """Raises RATE_LIMITED where the account must wait, or the address has asked too often this minute."""
    _refuse(lambda: max(_account_wait(account), _address_wait(address)))


def check_account(account: str) -> None:
    """The same of an account alone, where the address was counted already."""
    _refuse(lambda: _account_wait(account))


def _refuse(wait_of: Callable[[], int]) -> None:
    wait = _tolerant(wait_of) if _limit() else 0
    if wait:
        raise DomainError(
            "Too many attempts to sign in. Try again later.",
            code="RATE_LIMITED",
            headers={"Retry-After": str(wait)},
        )


def failed(account: str) -> None:
    """Counts a wrong password: after five in a row each costs twice the wait of the one before."""
    if _limit() == 0:
        return
    _tolerant(lambda: _count_failure(_account_key(account)))


def succeeded(account: str) -> None:
    _tolerant(lambda: client().delete(_account_key(account)))


def code_account(user: User) -> str:
    """What wrong codes of a second factor are counted under: a right password does not end that count."""
    return f"second factor of {user.pk}"


def _limit() -> int:
    return int(settings.CONFIG.rate_limits.sign_in_per_minute)


def _count_failure(key: str) -> None:
    failures = int(client().hincrby(key, "failures", 1))
    if failures >= FREE_FAILURES:
        wait = min(2 ** min(failures - FREE_FAILURES, 10), LONGEST_WAIT)
        client().hset(key, "until", str(time.time() + wait))
    client().expire(key, FORGOTTEN_AFTER)


def _account_wait(account: str) -> int:
    until: Any = client().hget(_account_key(account), "until")
    return max(int(float(until) - time.time() + 1), 0) if until else 0


def _address_wait(address: str) -> int:
    [window] = hit(address, "sign_in")
    return window.seconds_left if window.count > _limit() else 0


def _account_key(account: str) -> str:
    """Addresses are not written down in Redis."""
    return f"sign_in_failures:{hashlib.sha256(account.strip().lower().encode()).hexdigest()}"


def _tolerant(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except redis.RedisError as error:
        logger.warning("Sign-in attempts are not counted: %s", error)
        return 0
