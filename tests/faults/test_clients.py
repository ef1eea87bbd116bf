"""Clients that misbehave, and many that come at once: the others do not suffer, and nothing is lost."""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import replace
from typing import Any

import pytest

from tests.faults.conftest import LONG, Case, StageOf
from tests.faults.stage import Stage, run, suffer
from tests.tools.crowd import Crowd, Verdict
from tests.tools.edits import patch, step
from tests.tools.ws import Client, Sent

pytestmark = pytest.mark.xdist_group("faults")

LONG_TEXT = "x" * 28_000
# More than the system's buffers and the server's own limit hold together.
OVERFLOWING = 20_000_000
NARROW = 64 * 1024


def box(key: str, label: str, description: str = "") -> dict[str, Any]:
    properties = {"label": label, "description": description}
    place = {"position": {"x": 0, "y": 0}, "size": {"width": 140, "height": 80}}
    return {"id": key, "type": "process", "properties": properties, **place}


# -- a client that stops reading


class Narrow(Client):
    """Its system takes little for it when it does not read."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.receive_buffer = NARROW


@pytest.mark.parametrize("case", LONG)
def test_a_client_that_stops_reading_is_cut_off_and_the_others_go_on(stage_of: StageOf, case: Case) -> None:
    stage = stage_of(case.kind)
    crowd, verdict, waits = run(_somebody_stops_reading(stage))
    assert verdict.holds, verdict
    deaf, others = crowd.clients[0], crowd.clients[1:]
    assert deaf.closes, "it was never cut off"
    assert not any(client.closes for client in others)
    assert max(waits) < 2, "the others waited for it"


async def _somebody_stops_reading(stage: Stage) -> tuple[Crowd, Verdict, list[float]]:
    room = await asyncio.to_thread(stage.room)
    async with Crowd(room.diagram, room.writers, 4, kind=Narrow) as crowd:
        deaf, *others = crowd.clients
        keys = [str(uuid.uuid4()) for _ in others]
        for client, key in zip(others, keys, strict=True):
            await client.edit(patch(step(key, "add", box(key, "Wide"))))
        await crowd.settle()
        deaf.reading.clear()
        sent, number = 0, 0
        while sent < OVERFLOWING:
            for client, key in zip(others, keys, strict=True):
                number += 1
                changed = {"properties": {"description": f"{number} {LONG_TEXT}"}}
                await client.edit(patch(step(key, "update", changed)))
                sent += len(LONG_TEXT)
            await _answered(others)
        waits = [seconds for client in others for seconds in client.latencies]
        deaf.reading.set()
        await crowd.joined()
        return crowd, await crowd.verdict(), waits


async def _answered(clients: list[Client]) -> None:
    deadline = time.monotonic() + 20
    while any(client.outstanding for client in clients):
        assert time.monotonic() < deadline, "the others are not answered any more"
        await asyncio.sleep(0.002)


# -- a client that sends again, and in another order


class Muddled(Client):
    """Sends some operations twice or three times, and some after those that were made later."""

    held: Sent | None = None
    tries: dict[str, int]

    def __post_init__(self) -> None:
        super().__post_init__()
        self.tries = {}

    async def transmit(self, sent: Sent) -> None:
        self._resent.add(sent.operation_id)
        if self.held is None and self.hand.chance.random() < 0.3:
            self.held = sent
            return
        for _ in range(self.hand.chance.choice((1, 1, 2, 3))):
            await super().transmit(sent)
        if self.held is not None:
            held, self.held = self.held, None
            sent.times = held.times = 2  # the order in which they are answered says nothing
            await super().transmit(held)

    async def edit(self, operation: dict[str, Any] | None = None) -> Sent:
        """Often two that belong together: a box and its new name, which can only come second."""
        if operation is None and self.hand.chance.random() < 0.4:
            key = str(uuid.uuid4())
            await super().edit(patch(step(key, "add", box(key, "New"))))
            operation = patch(step(key, "update", {"properties": {"label": "Named"}}))
        return await super().edit(operation)

    def give_up(self, sent: Sent, reason: str) -> None:
        """What came too early is sent again."""
        self.tries[sent.operation_id] = self.tries.get(sent.operation_id, 0) + 1
        if reason == "conflict_detected" and self.tries[sent.operation_id] < 4:
            task = asyncio.create_task(self._again(sent, 0.1))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif sent.operation_id in self.outstanding:
            super().give_up(sent, reason)


@pytest.mark.parametrize("case", LONG)
def test_clients_that_resend_and_swap_have_every_edit_once(stage_of: StageOf, case: Case) -> None:
    stage = stage_of(case.kind)

    async def scenario() -> Verdict:
        room = await asyncio.to_thread(stage.room)
        async with Crowd(room.diagram, room.writers, case.clients, kind=Muddled) as crowd:
            async with crowd.editing(case.rate):
                await asyncio.sleep(3 * case.times)
            for client in crowd.clients:
                if client.held is not None:  # type: ignore[attr-defined]
                    client.held = None  # type: ignore[attr-defined]
                for sent in list(client.outstanding.values()):
                    await Client.transmit(client, sent)
            return await crowd.verdict()

    verdict = run(scenario())
    assert verdict.holds, verdict
    assert verdict.acknowledged > case.rate
    assert verdict.reasons["conflict_detected"], "nothing came too early"


# -- many at once

MANY = [replace(one.values[0], clients=300, rate=20, times=2) for one in LONG]  # type: ignore[attr-defined]


@pytest.mark.parametrize("case", [pytest.param(case, marks=pytest.mark.fault) for case in MANY])
def test_many_clients_that_come_back_at_once(stage_of: StageOf, case: Case) -> None:
    stage = stage_of(case.kind)

    async def scenario() -> Verdict:
        room = await asyncio.to_thread(stage.room)
        async with Crowd(room.diagram, room.writers, case.clients) as crowd:
            async with crowd.editing(case.rate):
                for _ in range(case.times):
                    await suffer(stage, crowd, Stage.kill_web)
            return await crowd.verdict()

    verdict = run(scenario())
    assert verdict.holds, verdict
    assert sum(verdict.closes.values()) >= case.clients / case.kind.processes / 2
