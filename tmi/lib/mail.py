"""Mails that nobody waits for: whoever caused one is answered whether or not the mail server is there."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from queue import Full, Queue
from typing import Any

from django.core.mail.backends import smtp
from django.core.mail.message import EmailMessage
from django.db import transaction

logger = logging.getLogger(__name__)

THREADS = 2
# More are not kept while the server is away: they are in memory alone.
MOST_WAITING = 1_000
# What still waits when the process ends is given so long.
LAST_SECONDS = 5.0


class EmailBackend(smtp.EmailBackend):
    """Sends after the commit, in a thread; what goes wrong is logged. `at_once` sends here and raises.

    Other backends, such as the one that tests have, send when they are asked.
    """

    def __init__(self, *given: Any, at_once: bool = False, **named: Any) -> None:
        super().__init__(*given, **named)
        self.at_once = at_once

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        if self.at_once:
            return super().send_messages(email_messages) or 0
        send = partial(super().send_messages, list(email_messages))
        transaction.on_commit(lambda: _later(send), robust=True)
        return len(email_messages)


def flush(seconds: float = LAST_SECONDS) -> bool:
    """Waits until nothing is left to send; whether that came in time."""
    with _waiting.all_tasks_done:
        return _waiting.all_tasks_done.wait_for(lambda: not _waiting.unfinished_tasks, seconds)


_waiting: Queue[Callable[[], object]] = Queue(MOST_WAITING)
_lock = threading.Lock()
_threads: list[threading.Thread] = []


def _later(send: Callable[[], object]) -> None:
    with _lock:
        if not _threads:
            _threads.extend(threading.Thread(target=_work, name="mail", daemon=True) for _ in range(THREADS))
            for thread in _threads:
                thread.start()
            atexit.register(flush)
    try:
        _waiting.put_nowait(send)
    except Full:
        logger.error("A mail was not sent: too many are waiting for the mail server")


def _work() -> None:
    while True:
        send = _waiting.get()
        try:
            send()
        except Exception as error:  # a thread that ended would send nothing any more
            # Errors of mail servers name the addresses.
            reason = getattr(error, "strerror", None) or getattr(error, "smtp_code", None) or ""
            logger.error("A mail was not sent: %s %s", type(error).__name__, reason)
        finally:
            _waiting.task_done()
