"""A server that things happen to: processes are killed and restarted under the feet of a crowd of clients."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil

from tests.tmi.instance import Instance
from tests.tools.crowd import Crowd
from tests.tools.room import Room, make_room

T = TypeVar("T")


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """Runs it to its end in a thread of its own: a browser of other tests may keep a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, scenario).result()


SETTINGS = {
    "TMI_COLLABORATION_CONNECTIONS_PER_USER": "500",
    "TMI_COLLABORATION_OPERATIONS_PER_SECOND": "10000",
    "TMI_COLLABORATION_OPERATIONS_BURST": "10000",
    "TMI_RATE_LIMITS_SIGN_IN_PER_MINUTE": "0",
    "TMI_RATE_LIMITS_REQUESTS_PER_MINUTE": "0",
    "TMI_RATE_LIMITS_PER_ENDPOINT_PER_MINUTE": "0",
    "TMI_SERVER_SHUTDOWN_TIMEOUT": "5s",
    # A soak is longer than the life of a token.
    "TMI_AUTH_JWT_EXPIRATION_SECONDS": "86400",
}
OVER_SECONDS = 60
CELLS = 1_000

# Whether what was done is over: everything that was there runs again.
Over = Callable[[], bool]


@dataclass(frozen=True)
class Kind:
    """Which server it is."""

    engine: str = "daphne"
    processes: int = 1


class Stage:
    """A running server. Each of `FAULTS` is done to it and answers when that is over."""

    def __init__(self, folder: Path, kind: Kind, **settings: str) -> None:
        own = {"TMI_SERVER_ENGINE": kind.engine, "TMI_SERVER_PROCESSES": str(kind.processes)}
        self.kind = kind
        self.instance = Instance(folder / "d", **SETTINGS, **own, **settings).start()
        self._turn = 0

    def room(self, writers: int = 3) -> Room:
        """A fresh diagram and people who may write on it.

        It is so large that who comes back gets the missed operations, which are shorter than all of it.
        """
        return make_room(self.instance.url, self.instance.env, writers=writers, cells=(CELLS,))

    def close(self) -> None:
        self.instance.clean_up()

    def log(self) -> str:
        return self.instance.said()

    # -- what happens

    def kill_web(self) -> Over:
        """A web process ends at once, each in turn."""
        pids = sorted(self.instance.web())
        self._turn += 1
        victim = pids[self._turn % len(pids)]
        psutil.Process(victim).kill()
        return lambda: len(self.instance.web() - {victim}) == self.kind.processes

    def kill_redis(self) -> Over:
        """Redis ends at once and comes back empty."""
        return self._end("valkey", signal.SIGKILL)

    def kill_postgres(self) -> Over:
        """The database ends at once and recovers from its log."""
        return self._end("postgres", signal.SIGKILL)

    def restart_postgres(self) -> Over:
        """The database shuts down in order and is started again."""
        return self._end("postgres", signal.SIGINT)

    def renew(self) -> Over:
        """All web processes are replaced, one after another."""
        before = self.instance.web()
        assert self.instance.process is not None
        self.instance.process.send_signal(signal.SIGUSR2)
        return lambda: not before & self.instance.web()

    def _end(self, name: str, number: int) -> Over:
        before = self.instance.engines()[name]
        before.send_signal(number)

        def over() -> bool:
            with suppress(KeyError):
                return self.instance.engines()[name].pid != before.pid
            return False

        return over


Fault = Callable[[Stage], Over]


def tracebacks(log: str) -> Counter[str]:
    """The tracebacks in a server's log by what was logged and the last line of each."""
    found: Counter[str] = Counter()
    for line in log.splitlines():
        if "Traceback" in line:
            with suppress(ValueError, TypeError):
                told = json.loads(line)
                last = told["exception"].strip().splitlines()[-1]
                found[f"{told['logger']}: {told['message'][:120]}: {last[:160]}"] += 1
                continue
            found[line[:200]] += 1
    return found


@dataclass(frozen=True)
class Recovery:
    """Seconds until everybody's edits were answered again, and until the server was whole as well."""

    edits: float
    whole: float


async def suffer(stage: Stage, crowd: Crowd, fault: Fault) -> Recovery:
    """Does it while the crowd edits, and waits until everybody has got over it. Raises TimeoutError."""
    began = time.perf_counter()
    over = fault(stage)
    edits = await crowd.recovery(OVER_SECONDS)
    deadline = began + OVER_SECONDS
    while not over():
        if time.perf_counter() > deadline:
            raise TimeoutError(f"not over after {OVER_SECONDS} s: {stage.log()[-2000:]}")
        await asyncio.sleep(0.1)
    await crowd.recovery(OVER_SECONDS)
    return Recovery(edits, time.perf_counter() - began)
