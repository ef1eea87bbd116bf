"""Figures of what happens, counted where it happens; `/metrics` shows those of all web processes together.

The library decides at its import whether processes share their figures: where `PROMETHEUS_MULTIPROC_DIR`
names a directory, each writes into a file of its own there. `serve` sees to that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

SAMPLE_SECONDS = 2.0
FAST = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Counter("tmi_http_requests", "Requests answered.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "tmi_http_request_seconds", "Time to answer a request.", ["method", "route"], buckets=FAST
)
SOCKETS = Gauge("tmi_websocket_connections", "Open sockets at diagrams.", multiprocess_mode="livesum")
CLOSES = Counter("tmi_websocket_closes", "Sockets that the server closed.", ["code"])
OPERATIONS = Counter("tmi_operations", "Operations on diagrams that were accepted.")
REJECTED = Counter("tmi_operations_rejected", "Operations on diagrams that were rejected.", ["reason"])
COMMIT_SECONDS = Histogram(
    "tmi_operation_commit_seconds", "Time to commit operations that waited together.", buckets=FAST
)
ROOMS = Gauge("tmi_rooms", "Diagrams held open, once for each process.", multiprocess_mode="livesum")
QUEUE = Gauge("tmi_queue_depth", "What waits for its turn.", ["queue"], multiprocess_mode="livesum")
POOL = Gauge(
    "tmi_database_pool_connections", "Connections of the pools.", ["state"], multiprocess_mode="livesum"
)
POOL_WAITING = Gauge(
    "tmi_database_pool_waiting", "Callers that wait for a connection.", multiprocess_mode="livesum"
)
MEMORY = Gauge("tmi_web_memory_bytes", "Resident memory of the web processes.", multiprocess_mode="livesum")
PROCESSES = Gauge("tmi_web_processes", "Web processes that live.", multiprocess_mode="livesum")

_watched: list[tuple[Any, Callable[[], float]]] = []


def watch(gauge: Any, now: Callable[[], float]) -> None:
    """Has a gauge show what a function says, which may be asked from any thread."""
    _watched.append((gauge, now))


def sample() -> None:
    """Asks all watched functions."""
    for gauge, now in _watched:
        with suppress(RuntimeError):  # a collection that grew while it was counted
            gauge.set(now())


def keep_sampling() -> None:
    """Asks again and again, in a thread of its own: another process may be the one that answers /metrics."""

    def forever() -> None:
        while True:
            sample()
            time.sleep(SAMPLE_SECONDS)

    threading.Thread(target=forever, name="metrics", daemon=True).start()
