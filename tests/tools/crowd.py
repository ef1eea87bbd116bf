"""Many clients at one diagram, and the verdict on what became of everything they were told."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.tools.edits import Hand
from tests.tools.replica import Replica, mark
from tests.tools.rest import Diagram, Person
from tests.tools.ws import Client

SETTLE_SECONDS = 120
LATE_SECONDS = 30


@dataclass
class Verdict:
    """What was acknowledged, and what does not agree with the database; each fault with an example."""

    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    # Refused for good and carried out all the same; or unanswered although everybody was connected.
    contradicted: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    closes: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    WRONG = ("lost", "doubled", "out_of_order", "differing", "contradicted", "unanswered", "faults")

    @property
    def holds(self) -> bool:
        return not any(getattr(self, name) for name in self.WRONG)

    def __str__(self) -> str:
        told = [f"acknowledged {self.acknowledged}"]
        told += [f"{name.replace('_', ' ')} {len(getattr(self, name))}" for name in self.WRONG]
        if len(self.latencies) > 1:
            cuts = statistics.quantiles(self.latencies, n=100)
            told.append(f"p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms")
        examples = [f"  {name}: {list(found)[:5]}" for name in self.WRONG if (found := getattr(self, name))]
        counts = [f"  refused {dict(self.reasons)}, closed {dict(self.closes)}"]
        if self.faults:
            counts.append(f"  faults {dict(self.faults)}")
        return "\n".join([", ".join(told), *counts, *examples])


class Crowd:
    """`clients` tabs of some people. `async with` joins them all and makes them leave."""

    def __init__(
        self,
        diagram: Diagram,
        people: Sequence[Person],
        clients: int,
        *,
        seed: object = 0,
        kind: Callable[..., Client] = Client,
    ) -> None:
        self.diagram, self.people = diagram, people
        self.clients = [kind(people[n % len(people)], diagram, Hand(f"{seed} {n}")) for n in range(clients)]
        if clients > 1:
            self.clients[-1].hold_back = self._others_go_on
        self._running: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Crowd:
        self._running = [asyncio.create_task(client.run()) for client in self.clients]
        await self.joined()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(client.leave() for client in self.clients), return_exceptions=True)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def joined(self, seconds: float = SETTLE_SECONDS) -> float:
        """Waits until everybody is connected; how long that took. Raises TimeoutError."""
        began = time.monotonic()
        await _until(lambda: all(client.joined.is_set() for client in self.clients), seconds, self._said)
        return time.monotonic() - began

    @asynccontextmanager
    async def editing(self, rate: float) -> AsyncIterator[None]:
        """Everybody edits meanwhile, `rate` operations a second together."""
        each = rate / len(self.clients)
        tasks = [asyncio.create_task(client.edit_at(each)) for client in self.clients]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
        problems = [one for one in done if isinstance(one, Exception)]
        if problems:
            raise problems[0]

    async def recovery(self, seconds: float = SETTLE_SECONDS) -> float:
        """How long from now until everybody had an edit of theirs answered and saw the others'.

        Somebody has to be editing. Raises TimeoutError.
        """
        began = time.perf_counter()
        await _until(lambda: all(client.latest[0] > began for client in self.clients), seconds, self._said)
        seen = max(client.latest[1] for client in self.clients)
        await _until(lambda: all((c.replica.vector or 0) >= seen for c in self.clients), seconds, self._said)
        return time.perf_counter() - began

    async def settle(self, seconds: float = SETTLE_SECONDS) -> None:
        """Waits until everything is answered and all copies are where the database is, if that happens."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not any(client.outstanding for client in self.clients):
                vector, _ = await self.diagram.read(self.people[0])
                if all(client.replica.vector == vector for client in self.clients):
                    return
            await asyncio.sleep(0.1)

    async def verdict(self) -> Verdict:
        """Waits for everybody and compares: what they were told, the log, the diagram, and their copies."""
        await self.settle()
        vector, cells = await self.diagram.read(self.people[0])
        log = await self.diagram.log(self.people[0])
        return judge(self.clients, log, vector, cells)

    async def _others_go_on(self) -> None:
        """The last one comes back when there is something to catch up with, if that happens soon."""
        last, deadline = self.clients[-1].replica.vector or 0, time.monotonic() + LATE_SECONDS
        while time.monotonic() < deadline:
            if any((client.replica.vector or 0) > last + 2 for client in self.clients):
                return
            await asyncio.sleep(0.02)

    def _said(self) -> str:
        away = [n for n, client in enumerate(self.clients) if not client.joined.is_set()]
        vectors = sorted({str(client.replica.vector) for client in self.clients})
        troubles = sum((client.troubles for client in self.clients), Counter[str]())
        closes = sum((client.closes for client in self.clients), Counter[int]())
        return f"away {away}, at {vectors}, troubles {dict(troubles)}, closed {dict(closes)}"


async def _until(condition: Callable[[], bool], seconds: float, said: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {said()}")
        await asyncio.sleep(0.02)


def judge(
    clients: Sequence[Client], log: list[dict[str, Any]], vector: int, cells: dict[str, Any]
) -> Verdict:
    """What clients were told against the log (the first operation first) and the diagram of the database."""
    verdict = Verdict()
    numbers = [row["sequence_number"] for row in log]
    if numbers != list(range(1, vector + 1)):
        verdict.out_of_order.append(f"the log has {len(numbers)} operations of {vector}, or not in order")
    ids = Counter(row["operation_id"] for row in log)
    verdict.doubled += [operation_id for operation_id, times in ids.items() if times > 1]
    at = {row["sequence_number"]: row["operation_id"] for row in log}
    for number, client in enumerate(clients):
        _judge_one(verdict, f"client {number}", client, at, ids)
        verdict.differing += _differences(f"client {number}", client.replica, vector, cells)
    verdict.differing += _differences("the log replayed", _replayed(log), vector, cells)
    return verdict


def _judge_one(verdict: Verdict, who: str, client: Client, at: dict[int, str], ids: Counter[str]) -> None:
    verdict.acknowledged += len(client.acknowledged)
    for operation_id, number in client.acknowledged.items():
        if operation_id not in ids:
            verdict.lost.append(f"{who}: {operation_id}, acknowledged as {number}")
        elif at.get(number) != operation_id:
            verdict.out_of_order.append(f"{who}: {operation_id} was acknowledged as {number}")
    for number, operation_id in at.items():
        if client.replica.delivered(number) not in (0, mark(operation_id)):
            verdict.out_of_order.append(f"{who}: got another operation as {number}")
    verdict.contradicted += [f"{who}: {one}" for one in client.refused if one in ids]
    verdict.unanswered += [f"{who}: {one}" for one in client.outstanding]
    verdict.faults += client.replica.faults
    verdict.reasons += client.reasons
    verdict.closes += client.closes
    verdict.latencies += client.latencies


def _differences(who: str, replica: Replica, vector: int, cells: dict[str, Any]) -> list[str]:
    if replica.vector != vector:
        return [f"{who} is at {replica.vector}, the database at {vector}"]
    keys = replica.cells.keys() | cells.keys()
    wrong = [key for key in keys if replica.cells.get(key) != cells.get(key)]
    return [f"{who}: {wrong[0]}: {replica.cells.get(wrong[0])} != {cells.get(wrong[0])}"] if wrong else []


def _replayed(log: list[dict[str, Any]]) -> Replica:
    replica = Replica()
    replica.vector = 0
    for row in log:
        replica.take(row, repeated=False)
    return replica
