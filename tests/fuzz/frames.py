"""Throws broken messages at the socket of a diagram: what clients may send, spoiled in every way.

`make fuzz` runs it beside the requests. The server may refuse and close as it likes; it may not fail, grow,
stop answering others, or let anything into a diagram that does not belong there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import random
import re
import shutil
import sys
import tempfile
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.e2e.site import ROOT, Site, start
from tests.faults.stage import tracebacks
from tests.fuzz.messages import Spoiler
from tests.tools.crowd import Crowd
from tests.tools.frames import CLOSE, TEXT, Frames, frame
from tests.tools.rest import Diagram, Person
from tests.tools.room import Room, make_room
from threatmodels.cells import validate_cells

SETTINGS = {
    "TMI_COLLABORATION_CONNECTIONS_PER_USER": "200",
    "TMI_COLLABORATION_OPERATIONS_PER_SECOND": "400",
    "TMI_COLLABORATION_OPERATIONS_BURST": "2000",
}
WRITERS, READERS = 4, 2
# Frames on their way at once by each connection, of which each worker has so many.
TOGETHER, CONNECTIONS = 40, 16
SILENT_SECONDS = 30
# Removing what is not there is always refused, in its turn: sent last, it says when all before is answered.
LAST = (
    b'{"message_type":"diagram_operation","operation_id":"%b","operation":{"type":"patch","cells":'
    b'[{"id":"%b","operation":"remove","data":null}]}}'
)
# What everybody gets is not looked into by everybody.
OFTEN = re.compile(
    rb'\{"message_type":"(diagram_operation|cursor|selection|presenter_\w+|participants_update)"'
)
# What a process takes for itself the first time that everything is used is no leak.
WARM = 0.1
MOST_GROWTH_MB = 15.0


@dataclass
class Found:
    """What was sent, what came back by kind, how connections ended, and what must not happen."""

    sent: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    closes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


@dataclass
class Thrower:
    """One connection after another, each used until the server closes it."""

    person: Person
    diagram: Diagram
    spoiler: Spoiler
    found: Found
    thrown: int = 0

    async def throw(self, amount: int, until: float) -> None:
        """Throws so many, or as many as there is time for."""
        while self.thrown < amount and time.monotonic() < until:
            try:
                await self._one_connection(amount, until)
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                self.found.closes[type(error).__name__] += 1
            except TimeoutError:
                self.found.faults.append(f"silent for {SILENT_SECONDS} s after {self.spoiler.last!r}"[:1500])
                return

    async def _one_connection(self, amount: int, until: float) -> None:
        reader, writer = await self._open()
        frames = Frames()
        try:
            while self.thrown < amount and time.monotonic() < until:
                batch = self.spoiler.frames(TOGETHER)
                self.thrown += len(batch)
                self.found.sent += len(batch)
                self.found.kinds.update(kind for kind, _ in batch)
                mark = str(uuid.uuid4()).encode()
                writer.write(b"".join(text for _, text in batch) + frame(LAST % (mark, mark)))
                if not await asyncio.wait_for(self._hear(reader, frames, mark), SILENT_SECONDS):
                    return
        finally:
            writer.close()

    async def _hear(self, reader: asyncio.StreamReader, frames: Frames, mark: bytes) -> bool:
        """Whether the connection is still open when all has been answered that was sent before the mark."""
        while True:
            received = await reader.read(1 << 18)
            if not received:
                self.found.closes["cut"] += 1
                return False
            marked = False
            for opcode, payload in frames.feed(received):
                if opcode == CLOSE:
                    self.found.closes[str(int.from_bytes(payload[:2], "big"))] += 1
                    return False
                if opcode == TEXT:
                    marked = marked or (b"operation_rejected" in payload[:40] and mark in payload)
                    self._count(payload)
            if marked:
                return True

    def _count(self, text: bytes) -> None:
        if (often := OFTEN.match(text)) is not None:
            self.found.answers[often[1].decode()] += 1
            return
        try:
            message = json.loads(text)
        except ValueError:
            self.found.faults.append(f"the server sent {text[:300]!r}")
            return
        kind = message.get("message_type") or message.get("event")
        self.found.answers[str(message.get("code") or message.get("reason") or kind)] += 1
        if message.get("code") == "INTERNAL_ERROR":
            self.found.faults.append(f"{text[:500]!r} after {self.spoiler.last!r}"[:1500])
        if kind == "diagram_state":
            self.spoiler.knows([cell["id"] for cell in message["cells"]])

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        ticket = await self.person.ticket()
        host, _, port = self.person.url.partition("://")[2].partition(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 22)
        place = f"/ws/diagrams/{self.diagram.id}?ticket={ticket}"
        lines = [f"GET {place} HTTP/1.1", f"Host: {host}:{port}", "Upgrade: websocket", "Connection: Upgrade"]
        lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "", ""]
        writer.write("\r\n".join(lines).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            self.found.faults.append(f"no upgrade: {head[:300]!r}")
            raise ConnectionError
        return reader, writer


def work(room: Room, amount: int, seed: int, seconds: float, out: str) -> None:
    """A process of its own: connections of all people, readers at a diagram that nobody may change."""
    found, until = Found(), time.monotonic() + seconds
    people = [(person, room.diagrams[0]) for person in room.writers] * 3
    people += [(person, room.diagrams[1]) for person in room.readers] * 2

    async def throw() -> None:
        throwers = [
            Thrower(*people[n % len(people)], Spoiler(f"{seed} {n}"), found) for n in range(CONNECTIONS)
        ]
        await asyncio.gather(*(one.throw(amount // CONNECTIONS + 1, until) for one in throwers))

    asyncio.run(throw())
    Path(out).write_text(json.dumps(vars(found)))


def throw_all(room: Room, amount: int, options: argparse.Namespace, folder: Path) -> Found:
    """All workers together."""
    outs = [str(folder / f"{number}.json") for number in range(options.workers)]
    each, seconds = amount // options.workers, options.minutes * 60
    workers = [
        multiprocessing.Process(target=work, args=(room, each, options.seed + number, seconds, out))
        for number, out in enumerate(outs)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        if worker.exitcode:
            raise RuntimeError("a worker has failed: see above")
    whole = Found()
    for out in outs:
        told = json.loads(Path(out).read_text())
        whole.sent += told["sent"]
        whole.faults += told["faults"]
        for name in ("kinds", "answers", "closes"):
            getattr(whole, name).update(told[name])
    return whole


async def still_well(room: Room) -> list[str]:
    """What is wrong with the diagrams now, and with editing one."""
    faults = []
    for number, diagram in enumerate(room.diagrams):
        _, cells = await diagram.read(room.writers[0])
        faults += [f"diagram {number}: {problem}" for problem in validate_cells(list(cells.values()))][:5]
    vector, _ = await room.diagrams[1].read(room.writers[0])
    if vector != 1:
        faults.append(f"readers have changed their diagram: {vector}")
    async with Crowd(room.diagrams[0], room.writers[:2], 2) as crowd:
        async with crowd.editing(20):
            await asyncio.sleep(2)
        await crowd.settle()
        known = sum(len(client.acknowledged) for client in crowd.clients)
        vectors = {client.replica.vector for client in crowd.clients}
        if known < 10 or len(vectors) > 1:
            faults.append(f"editing goes on no more: {known} acknowledged, at {vectors}")
        copies = [client.replica.cells for client in crowd.clients]
        if copies[0] != copies[1]:
            faults.append("two clients see different diagrams")
    return faults


def memory(site: Site) -> float:
    """Megabytes of the web process."""
    children = psutil.Process(site.process.pid).children()
    return max(one.memory_info().rss for one in children if "tmi.server.web" in " ".join(one.cmdline())) / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--engine", choices=("daphne", "uvicorn"), default="daphne")
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))  # noqa: S311
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tmi-fuzz-"))
    began = time.monotonic()
    site = start(folder / "d", TMI_SERVER_ENGINE=options.engine, **SETTINGS)
    try:
        room = make_room(site.url, site.env, writers=WRITERS, readers=READERS, cells=(20, 20))
        found = throw_all(room, int(options.frames * WARM), options, folder)
        warm = memory(site)
        options.seed += 1000
        more = throw_all(room, int(options.frames * (1 - WARM)), options, folder)
        grown = memory(site) - warm
        found = Found(
            found.sent + more.sent,
            found.kinds + more.kinds,
            found.answers + more.answers,
            found.closes + more.closes,
            found.faults + more.faults,
        )
        found.faults += asyncio.run(still_well(room))
        log = next(folder.glob("serve-*.log"))
        found.faults += [f"{times} x {what}" for what, times in tracebacks(log.read_text()).items()]
        if grown > MOST_GROWTH_MB:
            found.faults.append(f"the web process has grown by {grown:.1f} MB")
        print(f"memory of the web process: {warm:.1f} MB, after the other frames {warm + grown:.1f} MB")
        return report(found, options, time.monotonic() - began)
    finally:
        site.stop()
        (ROOT / "var").mkdir(exist_ok=True)
        for log in folder.glob("serve-*.log"):
            shutil.copy(log, ROOT / "var" / "fuzz-frames-server.log")
        shutil.rmtree(folder, ignore_errors=True)


def report(found: Found, options: argparse.Namespace, seconds: float) -> int:
    """Prints the figures; 1 where something happened that must not."""
    print(f"{found.sent:,} frames in {seconds:.0f} s, {options.engine}, seed {options.seed}")
    for name in ("kinds", "answers", "closes"):
        print(f"{name}: {dict(getattr(found, name).most_common(20))}")
    print(f"faults: {len(found.faults)}")
    for fault in found.faults[:20]:
        print(f"  {fault}")
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
