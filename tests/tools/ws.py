"""A client of a diagram's socket that forgets nothing, and as a program a small crowd of them.

    python -m tests.tools.ws http://localhost:8080 --diagram ID --email E --password P --rate 20 --seconds 10

joins, edits at a rate, waits until everything is answered, and says what was acknowledged, lost or out of
order, and whether all copies are what the database has.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import socket as sockets
import sys
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from tests.tools.edits import Hand
from tests.tools.replica import Replica
from tests.tools.rest import Diagram, Person

# After these a client need not come back.
FOR_GOOD = {4400, 4403, 4404, 4410, 4413}
# These mean "not now": the operation is kept and sent again.
NOT_NOW = {"unavailable", "rate_limited"}
# Whoever is not answered stops drawing after a while.
MOST_OUTSTANDING = 30
NO_CODE = 1006


@dataclass
class Sent:
    """An operation of ours that has not been answered."""

    operation_id: str
    text: str
    serial: int
    first: float = 0.0
    times: int = 0


@dataclass
class Client:
    """One tab of a person. `run` keeps it connected; `edit` may be called whether it is or not."""

    person: Person
    diagram: Diagram
    hand: Hand = field(default_factory=lambda: Hand(uuid.uuid4()))
    receive_buffer: int = 0
    # What it waits for before it comes back after it was thrown out.
    hold_back: Callable[[], Awaitable[None]] | None = None

    def __post_init__(self) -> None:
        self.replica = Replica()
        self.outstanding: dict[str, Sent] = {}
        self.acknowledged: dict[str, int] = {}
        self.refused: dict[str, str] = {}
        self.latencies: list[float] = []
        # When an operation was first sent, and the number it got: the latest that was answered.
        self.latest: tuple[float, int] = (0.0, 0)
        self.reasons: Counter[str] = Counter()
        self.closes: Counter[int] = Counter()
        self.troubles: Counter[str] = Counter()
        self.joined = asyncio.Event()
        self.joins: list[float] = []
        self.people: set[str] = set()
        self.ended: int | None = None
        self.reading = asyncio.Event()
        self.reading.set()
        self.socket: ClientConnection | None = None
        self._leaving = False
        self._resent: set[str] = set()
        self._serial = self._last_serial = 0
        self._tasks: set[asyncio.Task[None]] = set()

    # -- being there

    async def run(self) -> None:
        """Connects again and again, until told to leave or closed for good."""
        pause = 0.05
        while not self._leaving and self.ended is None:
            joins = len(self.joins)
            try:
                await self._stay()
            except (OSError, WebSocketException, TimeoutError) as error:
                self.troubles[str(error.code) if isinstance(error, HTTPError) else type(error).__name__] += 1
            pause = 0.05 if len(self.joins) > joins else min(1.0, pause * 2)
            if not self._leaving:
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
                if self.hold_back is not None:
                    await self.hold_back()

    async def leave(self) -> None:
        self._leaving = True
        self.reading.set()
        for task in self._tasks:
            task.cancel()
        if self.socket is not None:
            await self.socket.close()

    async def _stay(self) -> None:
        since = "" if self.replica.vector is None else f"&since={self.replica.vector}"
        ticket = await self.person.ticket()
        place = f"{self.person.url.replace('http', 'ws', 1)}/ws/diagrams/{self.diagram.id}"
        began = time.perf_counter()
        options: dict[str, Any] = {"compression": None, "max_size": None, "proxy": None, "close_timeout": 2}
        if self.receive_buffer:
            options["sock"] = await self._narrow_socket()
        async with connect(f"{place}?ticket={ticket}{since}", **options) as socket:
            self.socket = socket
            try:
                async for raw in socket:
                    await self.reading.wait()
                    await self._hear(orjson.loads(raw), began)
            finally:
                self.joined.clear()
                self.socket = None
                if not self._leaving:
                    code = int(socket.close_code or NO_CODE)
                    self.closes[code] += 1
                    self.ended = code if code in FOR_GOOD else None

    async def _narrow_socket(self) -> sockets.socket:
        """A connection into which the system takes little for us."""
        host, _, port = self.person.url.partition("://")[2].partition(":")
        made = sockets.socket()
        made.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, self.receive_buffer)
        made.setblocking(False)
        address = sockets.getaddrinfo(host, int(port), sockets.AF_INET)[0][4]
        await asyncio.get_running_loop().sock_connect(made, address)
        return made

    # -- editing

    async def edit(self, operation: dict[str, Any] | None = None) -> Sent:
        """Sends an operation, by default one that the hand draws, now or when there is a connection."""
        self._serial += 1
        operation_id = str(uuid.uuid4())
        message = {
            "message_type": "diagram_operation",
            "operation_id": operation_id,
            "base_vector": self.replica.vector or 0,
            "operation": operation or self.hand.next(self.replica.cells),
        }
        sent = Sent(operation_id, orjson.dumps(message).decode(), self._serial)
        self.outstanding[operation_id] = sent
        if self.joined.is_set():
            await self.transmit(sent)
        return sent

    async def transmit(self, sent: Sent) -> None:
        """Sends it, once more if need be; without a connection it waits for the next one."""
        if self.socket is None:
            return
        sent.first = sent.first or time.perf_counter()
        sent.times += 1
        if sent.times > 1:
            self._resent.add(sent.operation_id)
        with suppress(ConnectionClosed):
            await self.socket.send(sent.text)

    async def edit_at(self, rate: float) -> None:
        """Edits so often a second, until cancelled."""
        due = time.perf_counter() + random.random() / rate  # noqa: S311
        while True:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            due = max(due, time.perf_counter() - 1) + 1 / rate
            if self.replica.vector is not None and len(self.outstanding) < MOST_OUTSTANDING:
                await self.edit()

    # -- hearing

    async def _hear(self, message: dict[str, Any], began: float) -> None:
        kind = message.get("message_type") or message.get("event")
        if kind == "diagram_operation":
            self._operation(message)
        elif kind == "diagram_state":
            self.replica.take_state(message)
        elif kind == "sync_status":
            if message["update_vector"] != self.replica.vector:
                self.replica.faults["told to be up to date, and is not"] += 1
        elif kind == "operation_rejected":
            await self._rejected(message)
        elif kind == "error":
            self.reasons[f"error {message['code']}"] += 1
        elif kind == "participants_update":
            self.people = {one["user_internal_uuid"] for one in message["participants"]}
            if not self.joined.is_set():
                await self._join(began)
        if self.replica.faults["gap"] and kind == "diagram_operation":
            await self._catch_up(message["sequence_number"])

    async def _join(self, began: float) -> None:
        """All that comes first has come; what was not answered before is sent again."""
        if self.replica.vector is None:
            self.replica.faults["people before the diagram"] += 1
        self.joins.append(time.perf_counter() - began)
        self.joined.set()
        for sent in list(self.outstanding.values()):
            await self.transmit(sent)

    def _operation(self, message: dict[str, Any]) -> None:
        operation_id, number = message["operation_id"], message["sequence_number"]
        self.replica.take(message, repeated=operation_id in self._resent)
        sent = self.outstanding.pop(operation_id, None)
        if sent is None:
            if self.acknowledged.get(operation_id, number) != number:
                self.replica.faults["acknowledged with two numbers"] += 1
            return
        self.acknowledged[operation_id] = number
        self.latest = max(self.latest, (sent.first, number))
        if sent.times == 1:
            self.latencies.append(time.perf_counter() - sent.first)
            if sent.serial < self._last_serial:
                self.replica.faults["acknowledged in another order than sent"] += 1
            self._last_serial = max(self._last_serial, sent.serial)

    async def _rejected(self, message: dict[str, Any]) -> None:
        reason, sent = message["reason"], self.outstanding.get(message["operation_id"])
        self.reasons[reason] += 1
        if message["requires_resync"]:
            await self._catch_up(message["update_vector"])
        if sent is None:
            return
        if reason in NOT_NOW:
            wait = message.get("retry_after_ms", 200) / 1000
            task = asyncio.create_task(self._again(sent, wait))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self.give_up(sent, reason)

    def give_up(self, sent: Sent, reason: str) -> None:
        """The operation was refused for good."""
        self.refused[sent.operation_id] = reason
        self.latest = max(self.latest, (sent.first, self.replica.vector or 0))
        del self.outstanding[sent.operation_id]

    async def _again(self, sent: Sent, wait: float) -> None:
        await asyncio.sleep(wait)
        if sent.operation_id in self.outstanding and self.joined.is_set():
            await self.transmit(sent)

    async def _catch_up(self, vector: int) -> None:
        """Asks for what is missing before `vector`."""
        if self.replica.vector is not None and self.replica.vector < vector and self.socket is not None:
            asked = {"message_type": "sync_request", "update_vector": self.replica.vector}
            with suppress(ConnectionClosed):
                await self.socket.send(orjson.dumps(asked).decode())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--diagram", required=True, help="its id")
    parser.add_argument("--token", help="an access token; or else:")
    parser.add_argument("--email")
    parser.add_argument("--password")
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--rate", type=float, default=20, help="operations a second of all clients together")
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    if options.token:
        person = Person(options.url, options.token)
    elif options.email and options.password:
        person = Person.signed_in(options.url, options.email, options.password)
    else:
        parser.error("--token, or --email and --password")
    return asyncio.run(_edit_together(person, options))


async def _edit_together(person: Person, options: argparse.Namespace) -> int:
    from tests.tools.crowd import Crowd

    diagram = await _find(person, options.diagram)
    async with Crowd(diagram, [person], options.clients) as crowd:
        async with crowd.editing(options.rate):
            await asyncio.sleep(options.seconds)
        verdict = await crowd.verdict()
    print(verdict)
    return 0 if verdict.holds else 1


async def _find(person: Person, diagram_id: str) -> Diagram:
    """The diagram among those that the person may see."""
    cursor: str | None = ""
    while cursor is not None:
        answer = await asyncio.to_thread(person.call, "GET", f"/threat_models?limit=100&cursor={cursor}")
        for model in answer["data"]:
            found = Diagram(model["id"], diagram_id)
            with suppress(HTTPError):
                await person.ask("GET", f"{found.path}?fields=id")
                return found
        cursor = answer["meta"]["pagination"]["next_cursor"]
    raise SystemExit(f"no diagram {diagram_id} for this person")


if __name__ == "__main__":
    sys.exit(main())
