"""Web processes are replaced one after another under requests and sockets: nothing fails, nothing is lost."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import replace
from typing import Any

import pytest

from tests.faults.conftest import QUICK_TWO, Case, StageOf
from tests.faults.stage import Kind, Stage, run, suffer
from tests.tools.crowd import Crowd, Verdict
from tests.tools.requests_load import Load
from tests.tools.rest import Person

pytestmark = pytest.mark.xdist_group("faults")

ROUNDS = [
    pytest.param(Case(Kind(engine, 2), clients=8, rate=60, times=50), marks=pytest.mark.fault)
    for engine in ("daphne", "uvicorn")
]


@pytest.mark.parametrize("case", ROUNDS)
def test_a_rolling_restart_under_requests_and_sockets(stage_of: StageOf, case: Case) -> None:
    load, verdict = run(_renewed_under_load(stage_of(case.kind), case))
    print(f"\n{case.kind.engine}, {case.times} rounds: {load}\n{verdict}")
    assert load.failures == []
    assert load.answers.total() > 20
    assert verdict.holds, verdict
    assert set(verdict.closes) == {1001}


async def _renewed_under_load(stage: Stage, case: Case) -> tuple[Load, Verdict]:
    room = await asyncio.to_thread(stage.room)
    load = Load(room.writers[0], room.diagram.threat_model_id)
    async with Crowd(room.diagram, room.writers, case.clients) as crowd:
        with load.going_on():
            async with crowd.editing(case.rate):
                await asyncio.sleep(0.5)
                for _ in range(case.times):
                    await suffer(stage, crowd, Stage.renew)
        verdict = await crowd.verdict()
    stored = await asyncio.to_thread(names_of_threats, room.writers[0], room.diagram.threat_model_id)
    assert sorted(stored) == sorted(load.made), "a threat is there twice, or not at all"
    return load, verdict


def names_of_threats(person: Person, threat_model_id: str) -> list[str]:
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page: Any = person.call("GET", f"/threat_models/{threat_model_id}/threats?limit=100&cursor={cursor}")
        found += [threat["name"] for threat in page["data"]]
        cursor = page["meta"]["pagination"]["next_cursor"]
    return found


@pytest.mark.fault
def test_tables_change_under_requests_and_edits(stage_of: StageOf) -> None:
    """Locks on all tables at once: whoever changes tables gives way, and no request fails."""
    load, verdict = run(_changed_under_load(stage_of(Kind("daphne", 2))))
    print(f"\n{load}\n{verdict}")
    assert load.failures == []
    assert verdict.holds, verdict


async def _changed_under_load(stage: Stage) -> tuple[Load, Verdict]:
    room = await asyncio.to_thread(stage.room)
    load = Load(room.writers[0], room.diagram.threat_model_id)
    async with Crowd(room.diagram, room.writers, 8) as crowd:
        with load.going_on():
            async with crowd.editing(60):
                for what in ("enable", "disable"):
                    await asyncio.to_thread(stage.instance.manage, "tmi_rls", what)
        return load, await crowd.verdict()


@pytest.mark.fault
def test_a_request_that_is_under_way_is_answered_before_the_server_ends(stage_of: StageOf) -> None:
    """SIGTERM while people ask: who was heard is answered, and the server ends within its time."""
    stage = stage_of(QUICK_TWO.kind)
    room = stage.room()
    load = Load(room.writers[0], room.diagram.threat_model_id)
    with load.going_on():
        time.sleep(0.5)
        began = time.monotonic()
        assert stage.instance.stop(signal.SIGTERM) == 0
        took = time.monotonic() - began
        time.sleep(0.2)
    # The timeout of requests, and what ending the engines takes.
    assert took < 5 + 10
    # Once nobody listens any more connections are refused; nobody who was connected is let down.
    assert load.answers[200] > 0
    let_down = [said for said in load.failures if "ConnectionRefused" not in said]
    stage.instance.start()
    person = replace(room.writers[0], url=stage.instance.url)
    assert sorted(names_of_threats(person, load.threat_model_id)) == sorted(load.made)
    assert let_down == []
