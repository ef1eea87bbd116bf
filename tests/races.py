"""Many who do the same at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def at_once(number: int, act: Callable[[], T]) -> list[T]:
    """What each of so many threads got that began together."""
    gate = threading.Barrier(number)

    def one() -> T:
        try:
            connections["default"].ensure_connection()
            gate.wait(60)
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(number) as pool:
        return [asked.result() for asked in [pool.submit(one) for _ in range(number)]]
