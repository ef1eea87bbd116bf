"""Changing tables while people are at work: whoever would wait long for a lock gives way and begins again.

A statement that waits for a table's lock keeps everybody waiting who asks for the table after it, and one
that holds one table while it waits for the next can stand in a circle with a request. Giving up within less
than PostgreSQL's `deadlock_timeout` (1 s) means that it is never the request that fails.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import DeadlockDetected, LockNotAvailable

LOCK_MS = 300
# Between two tries; by chance, so that it does not meet the same beat of requests each time.
PAUSE_SECONDS = (0.2, 1.0)
GIVE_UP_SECONDS = 300.0
CHANGES = re.compile(r"\s*(ALTER|CREATE|DROP|LOCK|TRUNCATE|COMMENT)\b", re.I)


def giving_way(
    change: Callable[[], None], connection: BaseDatabaseWrapper, tell: Callable[[str], None]
) -> None:
    """Carries out `change`, which commits what it has done or takes it back, until no lock stood in its way.

    `tell` gets a line the first time. Raises OperationalError after five minutes.
    """
    deadline, told = time.monotonic() + GIVE_UP_SECONDS, False
    while True:
        try:
            with connection.execute_wrapper(_briefly):
                return change()
        except OperationalError as problem:
            if not isinstance(problem.__cause__, LockNotAvailable | DeadlockDetected):
                raise
            if time.monotonic() > deadline:
                raise
        if not told:
            tell("people are at work on a table that changes; trying until there is a gap")
            told = True
        time.sleep(random.uniform(*PAUSE_SECONDS))  # noqa: S311


def _briefly(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """For this transaction: a session would keep it, and behind PgBouncer it may be somebody else's."""
    if context["connection"].in_atomic_block and CHANGES.match(str(sql)):
        context["cursor"].cursor.execute(f"SET LOCAL lock_timeout = {LOCK_MS}")
    return execute(sql, params, many, context)
