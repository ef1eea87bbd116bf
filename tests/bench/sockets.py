"""Sockets that edit as fast or as evenly as asked: a process of its own that is not what is measured.

It is told what to do in one line of JSON, says in another when all have joined, begins at "go", and answers
with one line more. Frames are counted without being read; each client looks only for its own operations.
"""

from __future__ import annotations

import http.client
import json
import select
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.tools.frames import PING, PONG, frame, opened, whole

OPERATION = b'"message_type":"diagram_operation"'
LISTED = b'"message_type":"participants_update"'
CHUNK = 512 * 1024
PINGED = 0x80 | PING
# What is not there so long after the last edit does not come any more.
DRAIN_SECONDS = 20.0
QUIET_SECONDS, SETTLE_SECONDS = 0.5, 3.0
NARROW = 64 * 1024


@dataclass
class Plan:
    """What is to be done at the socket `path` of a server."""

    url: str
    path: str
    tokens: list[str]
    connections: int
    # How many join at a time.
    together: int = 1
    # Operations a second by all together; 0: each keeps `window` of them under way.
    rate: float = 0
    window: int = 8
    seconds: float = 5
    # The cell that each moves, or that all do.
    cells: list[str] = field(default_factory=list)
    padding: int = 0
    # So many of the sockets stop reading when it begins, and edit nothing.
    deaf: int = 0
    run: int = 0


class Socket:
    """One connection; `acknowledged` are the seconds that each of its operations took."""

    def __init__(self, index: int, plan: Plan, ticket: str) -> None:
        self.index, self.plan = index, plan
        self.deaf = index < plan.deaf
        began = time.perf_counter()
        query = f"?ticket={ticket}" if ticket else ""
        self.socket, self.rest = opened(
            f"{plan.url}{plan.path}{query}", receive_buffer=NARROW if self.deaf else 0
        )
        self.joined = 0.0
        if ticket:
            while LISTED not in self.rest:
                self.rest += self._received()
            self.joined = time.perf_counter() - began
        self.socket.setblocking(False)
        self.mark = b'"operation_id":"%08x-' % index
        self.operations = self.made = self.heard = 0
        self.sent: dict[int, float] = {}
        self.acknowledged: list[float] = []
        self.unsent = b""
        self.closed = False

    def _received(self) -> bytes:
        received = self.socket.recv(CHUNK)
        if not received:
            raise ConnectionError("closed while joining")
        return received

    def begin(self) -> None:
        """Counts from nought."""
        self.made = self.heard = 0
        self.sent, self.acknowledged = {}, []

    def edit(self) -> None:
        self.operations += 1
        self.made += 1
        number, padding = self.operations, self.plan.padding
        cell = self.plan.cells[self.index % len(self.plan.cells)]
        text = f',"properties":{{"description":"{number} {"x" * padding}"}}' if padding else ""
        message = (
            '{"message_type":"diagram_operation",'
            f'"operation_id":"{self.index:08x}-{self.plan.run:04x}-4000-8000-{number:012x}",'
            f'"operation":{{"type":"patch","cells":[{{"id":"{cell}","operation":"update",'
            f'"data":{{"position":{{"x":{number},"y":{self.index}}}{text}}}}}]}}}}'
        )
        self.sent[number] = time.perf_counter()
        self._send(frame(message.encode()))

    def _send(self, frames: bytes) -> None:
        self.unsent += frames
        try:
            with suppress(BlockingIOError):
                self.unsent = self.unsent[self.socket.send(self.unsent) :]
        except ConnectionError:
            self.closed = True

    def read(self, into: memoryview) -> None:
        """Takes what has arrived."""
        try:
            size = self.socket.recv_into(into)
        except BlockingIOError:
            return
        except ConnectionError:
            size = 0
        if size:
            self._take(self.rest + into[:size])
        else:
            self.closed = True

    def _take(self, data: bytes) -> None:
        end = 0
        while (found := whole(data, end)) is not None:
            if data[end] == PINGED:
                self._send(frame(data[slice(*found)], PONG))
            end = found[1]
        self.rest = data[end:]
        self.heard += data.count(OPERATION, 0, end)
        at, now, size = data.find(self.mark, 0, end), 0.0, len(self.mark)
        while at >= 0:
            now = now or time.perf_counter()
            number = int(data[at + size + 15 : at + size + 27], 16)
            began = self.sent.pop(number, None)
            if began is not None:
                self.acknowledged.append(now - began)
            at = data.find(self.mark, at + size, end)

    def flush(self) -> None:
        if self.unsent:
            self._send(b"")


class Load:
    """All sockets of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.poll = select.epoll()
        self.sockets: dict[int, Socket] = {}
        self.all: list[Socket] = []
        self.into = memoryview(bytearray(CHUNK))
        with ThreadPoolExecutor(plan.together) as threads:
            joining = [threads.submit(_joined, plan, index) for index in range(plan.connections)]
            for one in as_completed(joining):
                self._add(one.result())
        self.all.sort(key=lambda one: one.index)
        self.editing = [one for one in self.all if not one.deaf]

    def _add(self, one: Socket) -> None:
        self.all.append(one)
        self.sockets[one.socket.fileno()] = one
        self.poll.register(one.socket, select.EPOLLIN)
        self._read(0)

    def wait_for_quiet(self) -> None:
        """Until nothing comes any more; many sockets are always pinged somewhere, so not for ever."""
        deadline = time.perf_counter() + SETTLE_SECONDS
        while self._read(QUIET_SECONDS) and time.perf_counter() < deadline:
            pass

    def go(self) -> dict[str, Any]:
        """Does what the plan says and waits until everything has arrived, or does not come any more."""
        for one in self.all:
            one.begin()
            if one.deaf:
                with suppress(OSError):  # it has been before
                    self.poll.unregister(one.socket)
        began, busy = time.perf_counter(), time.process_time()
        self._evenly(began) if self.plan.rate else self._flat_out(began)
        edited = time.perf_counter() - began
        delivered = sum(one.heard for one in self.editing)
        answered = sum(len(one.acknowledged) for one in self.editing)
        share = (time.process_time() - busy) / edited
        self._drain()
        return {
            "seconds": edited,
            "sent": sum(one.made for one in self.editing),
            "acknowledged": sorted(seconds for one in self.editing for seconds in one.acknowledged),
            # In the time of editing alone.
            "answered": answered,
            "delivered": delivered,
            "heard": [one.heard for one in self.editing],
            "closed": sum(one.closed for one in self.editing),
            "generator": share,
        }

    def _evenly(self, began: float) -> None:
        gap, number = 1 / self.plan.rate, 0
        while (now := time.perf_counter()) < began + self.plan.seconds:
            while began + number * gap <= now:
                self.editing[number % len(self.editing)].edit()
                number += 1
            self._read(max(0.0, began + number * gap - time.perf_counter()))

    def _flat_out(self, began: float) -> None:
        while time.perf_counter() < began + self.plan.seconds:
            for one in self.editing:
                while len(one.sent) < self.plan.window and not one.unsent and not one.closed:
                    one.edit()
                one.flush()
            self._read(0.01)

    def _drain(self) -> None:
        deadline = time.perf_counter() + DRAIN_SECONDS
        total = sum(one.made for one in self.editing)
        while time.perf_counter() < deadline and not all(one.closed for one in self.editing):
            for one in self.editing:
                one.flush()
            if all(one.heard >= total and not one.sent for one in self.editing):
                return
            self._read(0.05)

    def _read(self, seconds: float) -> int:
        ready = self.poll.poll(seconds)
        for number, _ in ready:
            one = self.sockets[number]
            one.read(self.into)
            if one.closed:
                self.poll.unregister(number)
        return len(ready)


def _joined(plan: Plan, index: int) -> Socket:
    """Opened by the people in turn; by nobody where there are none."""
    return Socket(
        index, plan, _ticket(plan.url, plan.tokens[index % len(plan.tokens)]) if plan.tokens else ""
    )


def _ticket(url: str, token: str) -> str:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=30)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request("POST", "/api/v1/ws/ticket", "{}", headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"no ticket: {answer.status} {content[:300]!r}")
    ticket: str = json.loads(content)["data"]["ticket"]
    return ticket


def main() -> None:
    plan = Plan(**json.loads(sys.stdin.readline()))
    socket.setdefaulttimeout(30)
    load = Load(plan)
    load.wait_for_quiet()
    print(json.dumps({"joined": [one.joined for one in load.all]}), flush=True)
    for order in sys.stdin:
        if order.strip() == "go":
            print(json.dumps(load.go()), flush=True)


if __name__ == "__main__":
    main()
