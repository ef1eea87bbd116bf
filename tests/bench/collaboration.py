"""People at one diagram: how fast an edit is acknowledged and delivered, beside a hub that only passes on."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

import psutil

from tests.bench.generator import Generator, Result, Watch
from tests.bench.row import Row, share
from tests.bench.sockets import Plan
from tests.e2e.site import ROOT, start
from tests.tools.room import Room, make_room

# Limits of a person are out of the way: a few people are many clients here.
SETTINGS = {
    "TMI_COLLABORATION_CONNECTIONS_PER_USER": "1000",
    "TMI_COLLABORATION_CONNECTIONS_PER_DIAGRAM": "1000",
    "TMI_COLLABORATION_OPERATIONS_PER_SECOND": "1000000",
    "TMI_COLLABORATION_OPERATIONS_BURST": "1000000",
}
FEW, MANY, SOCKETS = 20, 200, 500
RATE, SECONDS, REPEATS = 200, 3.0, 3
SMALL, LARGE = 100, 10_000
# So long are the texts that fill what waits for a slow reader.
PADDING = 6_000
# Deliveries a second, whatever the hub does.
FLOORS = {"daphne": 12_000, "uvicorn": 40_000}
# The processes that serve two hundred people.
FOR_MANY = {"daphne": 2, "uvicorn": 1}

_runs = count(1)


def rows(engine: str) -> list[Row]:
    """All rows about one engine."""
    with _hub(engine) as bare:
        limit, most = _typical(bare, RATE), _typical(bare, 0)
    with _served(engine, processes=1) as (web, room):
        found = _memory(engine, web, room)
        few = _typical(_at(room, 0, FEW), RATE, web)
        found += _steady(engine, few, limit)
        found += _flat_out(engine, _typical(_at(room, 2, FEW), 0, web), most)
        if FOR_MANY[engine] == 1:
            found += _many(engine, 1, web, room)
        found += _large(engine, few, web, room)
        found += _slow(engine, web, room)
    with _served(engine, processes=2) as (web, room):
        two = _typical(_at(room, 0, 2 * FEW), RATE, web)
        told = f"{engine}: two processes, {2 * FEW} clients, against one with {FEW}"
        found.append(Row(f"{told}: p50", two.p50, few.p50, "ms", 1.5, True))
        found.append(Row(f"{told}: p99", two.p99, few.p99, "ms", 1.5, True))
        if FOR_MANY[engine] == 2:
            found += _many(engine, 2, web, room)
    return found


# -- what is measured


def _steady(engine: str, ours: Result, bare: Result) -> list[Row]:
    what = f"{engine}: {RATE} operations/s, {FEW} clients"
    beside = f"bare hub {bare.p50:.1f} / {bare.p99:.1f} ms, {bare.cpu * 100:.0f} %"
    return [
        Row(f"{what}: acknowledged, p50 ({beside})", ours.p50, 2, "ms", 1, True),
        Row(f"{what}: acknowledged, p99", ours.p99, 10, "ms", 1, True),
        Row(f"{what}: web process, of a core", ours.cpu * 100, 25, "%", 1, True),
        Row(f"{what}: lost", ours.lost, 1, "", 0, True),
    ]


def _flat_out(engine: str, ours: Result, bare: Result) -> list[Row]:
    what = f"{engine}: flat out, {FEW} clients"
    clients = f"load {ours.generator * 100:.0f} %, for the hub {bare.generator * 100:.0f} % of a core"
    found = [
        Row(f"{what}: deliveries ({clients})", ours.deliveries, bare.deliveries, "/s", 0.5),
        Row(f"{what}: deliveries, at least", ours.deliveries, FLOORS[engine], "/s", 1),
        Row(f"{what}: lost", ours.lost, 1, "", 0, True),
    ]
    if engine == "uvicorn":
        found.append(Row(f"{what}: operations", ours.operations, 2_000, "/s", 1))
    return found


def _many(engine: str, processes: int, web: Sequence[psutil.Process], room: Room) -> list[Row]:
    plan = replace(_at(room, 3, MANY), seconds=2 * SECONDS, rate=RATE)
    with _loaded(plan) as load:
        ours = load.go(web)
    what = f"{engine}: {MANY} participants, {RATE} operations/s, {processes} process{'es' * (processes > 1)}"
    told = f"{ours.deliveries:.0f} deliveries/s, load {ours.generator * 100:.0f} % of a core"
    return [
        Row(f"{what}: acknowledged, p99 ({told})", ours.p99, 25, "ms", 1, True),
        Row(f"{what}: lost", ours.lost, 1, "", 0, True),
    ]


def _large(engine: str, few: Result, web: Sequence[psutil.Process], room: Room) -> list[Row]:
    with _loaded(_at(room, 1, FEW, rate=RATE)) as load:
        ours = statistics.median(load.go(web).p99 for _ in range(REPEATS))
        joined = share(load.joined, 0.95) * 1000
    what = f"{engine}: {LARGE:,} cells"
    return [
        Row(f"{what}, against {SMALL}: acknowledged, p99", ours, few.p99, "ms", 1.5, True),
        Row(f"{what}: joining, p95", joined, 300, "ms", 1, True),
    ]


def _slow(engine: str, web: Sequence[psutil.Process], room: Room) -> list[Row]:
    plan = replace(_at(room, 4, FEW, rate=RATE), padding=PADDING)
    results = []
    for deaf in (0, 1):
        with _loaded(replace(plan, deaf=deaf)) as load:
            # In the end it has been cut off.
            results.append([load.go(web) for _ in range(REPEATS)])
    alone, beside = results
    limit, ours = (statistics.median(one.p99 for one in side) for side in results)
    more = max(one.peak for one in beside) - max(one.peak for one in alone)
    what = f"{engine}: one of {FEW} does not read"
    return [
        Row(f"{what}: the others' p99", ours, limit, "ms", 1.2, True),
        Row(f"{what}: memory more", max(0.0, more), 8, "MB", 1, True),
        Row(f"{what}: lost for the others", sum(one.lost for one in beside), 1, "", 0, True),
    ]


def _memory(engine: str, web: Sequence[psutil.Process], room: Room) -> list[Row]:
    with _loaded(_at(room, 5, SOCKETS)), Watch(web) as watch:
        watch._stop.wait(2)
    return [Row(f"{engine}: memory of a web process, {SOCKETS} sockets", watch.peak, 250, "MB", 1, True)]


# -- how


def _at(room: Room, diagram: int, connections: int, *, rate: float = 0) -> Plan:
    """Sockets at one of the diagrams, each of which moves a cell of its own."""
    place = room.diagrams[diagram]
    cells = [str(uuid.UUID(int=number + 1)) for number in range(SMALL)]
    tokens = [person.token for person in room.writers]
    url = room.writers[0].url
    plan = Plan(url, f"/ws/diagrams/{place.id}", tokens, connections, cells=cells, seconds=SECONDS)
    return replace(plan, rate=rate, together=1 if connections <= 2 * FEW else 4)


@contextmanager
def _loaded(plan: Plan) -> Iterator[Generator]:
    # An id of an operation is good once for a diagram.
    with Generator(replace(plan, run=next(_runs))) as load:
        yield load


def _typical(plan: Plan, rate: float, web: Sequence[psutil.Process] | None = None) -> Result:
    """The run in the middle, by p99 or by deliveries."""
    with _loaded(replace(plan, rate=rate)) as load:
        results = [load.go(web or _hub_process()) for _ in range(REPEATS)]
    by: Callable[[Result], float] = (lambda one: one.p99) if rate else (lambda one: one.deliveries)
    return sorted(results, key=by)[REPEATS // 2]


@contextmanager
def _served(engine: str, processes: int) -> Iterator[tuple[list[psutil.Process], Room]]:
    folder = Path(tempfile.mkdtemp(prefix="tmi-bench-"))
    site = None
    try:
        own = {"TMI_SERVER_ENGINE": engine, "TMI_SERVER_PROCESSES": str(processes)}
        site = start(folder / "d", **own, **SETTINGS)
        children = psutil.Process(site.process.pid).children()
        web = [one for one in children if "tmi.server.web" in " ".join(one.cmdline())]
        cells = [SMALL, LARGE, *[SMALL] * 4]
        yield web, make_room(site.url, site.env, writers=MANY, cells=cells)
    finally:
        if site is not None:
            site.stop()
        shutil.rmtree(folder, ignore_errors=True)


_hubs: list[psutil.Process] = []


def _hub_process() -> list[psutil.Process]:
    return _hubs


@contextmanager
def _hub(engine: str) -> Iterator[Plan]:
    """A bare hub, and sockets at it that do what ours do."""
    folder = Path(tempfile.mkdtemp(prefix="tmi-hub-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {"TMI_SERVER_ENGINE": engine, "TMI_SERVER_PORT": str(port), "TMI_DATA_DIR": str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.hub"],
        cwd=ROOT,
        env={**{k: v for k, v in os.environ.items() if not k.startswith("TMI_")}, **own},
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        _hubs[:] = [psutil.Process(process.pid)]
        yield Plan(f"http://127.0.0.1:{port}", "/", [], FEW, cells=[str(uuid.UUID(int=1))], seconds=SECONDS)
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        shutil.rmtree(folder, ignore_errors=True)
