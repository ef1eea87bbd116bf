"""The load, seen by its parent: a process that joins, waits for a word, edits, and tells what came of it"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import psutil

from tests.bench.row import share
from tests.bench.sockets import Plan
from tests.e2e.site import ROOT


@dataclass
class Watch:
    """What some processes use while something goes on: a share of one core, and memory at its highest."""

    processes: Sequence[psutil.Process]
    cpu: float = 0
    peak: float = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watch:
        self._used, self._began = self._cpu_seconds(), time.perf_counter()
        self._sampler = threading.Thread(target=self._sample)
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._sampler.join()

    def _cpu_seconds(self) -> float:
        return sum(sum(one.cpu_times()[:2]) for one in self.processes)

    def _sample(self) -> None:
        while not self._stop.wait(0.05):
            self.peak = max(self.peak, max(one.memory_info().rss for one in self.processes) / 1e6)

    def lap(self) -> None:
        """The share of a core since it began."""
        self.cpu = (self._cpu_seconds() - self._used) / (time.perf_counter() - self._began)


@dataclass(frozen=True)
class Result:
    """Latencies in milliseconds, rates a second, shares of a core, megabytes."""

    p50: float
    p99: float
    operations: float
    deliveries: float
    lost: int
    closed: int
    cpu: float
    generator: float
    peak: float


class Generator:
    """`with` it the sockets are open."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        command = [sys.executable, "-m", "tests.bench.sockets"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        self._say(json.dumps(asdict(plan)))
        self.joined: list[float] = sorted(self._hear()["joined"])

    def __enter__(self) -> Generator:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def go(self, web: Sequence[psutil.Process]) -> Result:
        """Edits; `web` are the processes that serve it."""
        with Watch(web) as watch:
            self._say("go")
            threading.Timer(self.plan.seconds * 0.95, watch.lap).start()
            told = self._hear()
        taken = told["acknowledged"]
        lost = sum(max(0, told["sent"] - heard) for heard in told["heard"])
        return Result(
            p50=share(taken, 0.5) * 1000,
            p99=share(taken, 0.99) * 1000,
            operations=told["answered"] / told["seconds"],
            deliveries=told["delivered"] / told["seconds"],
            lost=lost + told["sent"] - len(taken),
            closed=told["closed"],
            cpu=watch.cpu,
            generator=told["generator"],
            peak=watch.peak,
        )

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the load generator ended: see above")
        told: dict[str, Any] = json.loads(line)
        return told
