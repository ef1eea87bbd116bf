"""Kills and restarts everything that a server consists of, again and again, under people who edit.

`make soak` runs it: web processes, Redis and PostgreSQL in turn, then a while without faults, in which people
also ask for things, come and go, which shows whether memory, open files and keys grow (`--calm 3600`: an
hour). It ends with 1 where anything that was acknowledged is lost, doubled or moved.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import redis

from tests.faults.stage import Fault, Kind, Recovery, Stage, suffer, tracebacks
from tests.tmi.instance import command_line
from tests.tools.crowd import Crowd, Verdict
from tests.tools.requests_load import Load
from tests.tools.room import Room

SAMPLE_SECONDS = 1.0
# A web process that dies sooner is replaced later and later.
BETWEEN_SECONDS = 5.5
REQUEST_SECONDS = 0.2
VISIT_SECONDS = 1.0


@dataclass
class Sample:
    """One look at one web process, and at Redis."""

    at: float
    megabytes: float
    files: int
    sockets: int
    keys: int


@dataclass
class Looks:
    """Everything that could grow, looked at each second; by process."""

    stage: Stage
    samples: dict[int, list[Sample]] = field(default_factory=dict)

    async def watch(self) -> None:
        while True:
            with suppress(psutil.Error, redis.RedisError, OSError, KeyError):  # gone at the moment
                await asyncio.to_thread(self._look)
            await asyncio.sleep(SAMPLE_SECONDS)

    def _look(self) -> None:
        place = re.search(r"unixsocket:(\S+)", command_line(self.stage.instance.engines()["valkey"]))
        if place is None:  # it is about to start
            return
        with redis.Redis(unix_socket_path=place[1]) as client:
            keys = client.dbsize()
        for pid in self.stage.instance.web():
            process = psutil.Process(pid)
            seen = Sample(
                time.monotonic(),
                process.memory_info().rss / 1e6,
                process.num_fds(),
                len(process.net_connections(kind="tcp")),
                keys,
            )
            self.samples.setdefault(pid, []).append(seen)

    def told(self, since: float) -> list[str]:
        """What each process that lives began and ended with since then, and how its memory grew."""
        lines = []
        for pid, samples in self.samples.items():
            late = [one for one in samples if one.at >= since]
            if pid not in self.stage.instance.web() or len(late) < 10:
                continue
            first, last = late[0], late[-1]
            lines.append(
                f"  web process {pid}: {first.megabytes:.1f} -> {last.megabytes:.1f} MB "
                f"({slope(late):+.2f} MB/min in the second half), "
                f"files {first.files} -> {last.files}, sockets {first.sockets} -> {last.sockets}, "
                f"Redis keys {first.keys} -> {last.keys}"
            )
        return lines


def slope(samples: Sequence[Sample]) -> float:
    """Megabytes a minute, by least squares over the second half: the first one warms up."""
    half = samples[len(samples) // 2 :]
    line = statistics.linear_regression([one.at for one in half], [one.megabytes for one in half])
    return line.slope * 60


def plan(kills: int, restarts: int, seed: int) -> list[Fault]:
    """All faults in an order by chance, PostgreSQL killed and shut down in turn."""
    faults: list[Fault] = [Stage.kill_web] * kills + [Stage.kill_redis] * restarts + [Stage.renew] * 2
    faults += [(Stage.kill_postgres, Stage.restart_postgres)[number % 2] for number in range(restarts)]
    random.Random(seed).shuffle(faults)  # noqa: S311
    return faults


async def soak(stage: Stage, options: argparse.Namespace) -> tuple[Verdict, list[tuple[str, Recovery]]]:
    room = await asyncio.to_thread(stage.room)
    recoveries: list[tuple[str, Recovery]] = []
    async with Crowd(room.diagram, room.writers, options.clients, seed=options.seed) as crowd:
        looks = Looks(stage)
        watching = asyncio.create_task(looks.watch())
        async with crowd.editing(options.rate):
            await asyncio.sleep(2)
            for fault in plan(options.kills, options.restarts, options.seed):
                began = time.monotonic()
                recovery = await suffer(stage, crowd, fault)
                recoveries.append((fault.__name__, recovery))
                said = f"{fault.__name__:17} edits again after {recovery.edits:5.2f} s"
                print(f"{said}, whole after {recovery.whole:5.2f} s", flush=True)
                await asyncio.sleep(max(0.5, began + BETWEEN_SECONDS - time.monotonic()))
            calm = time.monotonic()
            load = await mixed(room, options.calm)
        print(f"in {options.calm:.0f} s without faults, {options.rate:.0f} operations/s, {load}:")
        print(*looks.told(calm), sep="\n", flush=True)
        watching.cancel()
        return await crowd.verdict(), recoveries


async def mixed(room: Room, seconds: float) -> Load:
    """What else goes on beside the editing: requests, and somebody who comes to the diagram and leaves."""
    reads = ("", "/threats?limit=50", "/diagrams", "/assets", f"/diagrams/{room.diagram.id}/svg")
    load = Load(room.writers[0], room.diagram.threat_model_id, people=2, reads=reads, pause=REQUEST_SECONDS)
    until = time.monotonic() + seconds
    with load.going_on():
        while time.monotonic() < until:
            async with Crowd(room.diagram, room.writers, 1):
                await asyncio.sleep(VISIT_SECONDS)
    return load


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="of web processes")
    parser.add_argument("--restarts", type=int, default=5, help="of Redis, and of PostgreSQL")
    parser.add_argument("--calm", type=float, default=120, help="seconds without faults at the end")
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--rate", type=float, default=150, help="operations a second")
    parser.add_argument("--engine", choices=("daphne", "uvicorn"), default="daphne")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))  # noqa: S311
    options = parser.parse_args()
    print(f"{options.engine}, {options.processes} web processes, seed {options.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="tmi-soak-"))
    stage = None
    try:
        stage = Stage(folder, Kind(options.engine, options.processes))
        verdict, recoveries = asyncio.run(soak(stage, options))
        return report(verdict, recoveries, stage.log())
    finally:
        if stage is not None:
            stage.close()
        shutil.rmtree(folder, ignore_errors=True)


def report(verdict: Verdict, recoveries: list[tuple[str, Recovery]], log: str) -> int:
    """Prints the figures; 1 where something happened that must not."""
    for name in sorted({name for name, _ in recoveries}):
        times = [one.edits for kind, one in recoveries if kind == name]
        told = f"{len(times)} times, edits again after {statistics.median(times):.2f} s"
        print(f"{name:17} {told}, {max(times):.2f} s at most")
    print(verdict)
    found = tracebacks(log)
    print(f"tracebacks in the server's log: {found.total()}")
    for what, times in found.items():
        print(f"  {times} x {what}")
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    sys.exit(main())
