"""What dies and comes back under a crowd that edits: nothing that was acknowledged is lost or moved."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.conftest import LONG, LONG_TWO, QUICK_TWO, Case, StageOf
from tests.faults.stage import Fault, Stage, run, suffer
from tests.tools.crowd import Crowd, Verdict

pytestmark = pytest.mark.xdist_group("faults")


async def edit_through(stage: Stage, case: Case, fault: Fault) -> tuple[Crowd, Verdict]:
    """A crowd that edits while it happens, so often, and what came of it."""
    room = await asyncio.to_thread(stage.room)
    async with Crowd(room.diagram, room.writers, case.clients) as crowd:
        async with crowd.editing(case.rate):
            await asyncio.sleep(1)
            for _ in range(case.times):
                await suffer(stage, crowd, fault)
                await asyncio.sleep(0.5)
        return crowd, await crowd.verdict()


def everything_held(verdict: Verdict, case: Case) -> None:
    assert verdict.holds, verdict
    assert verdict.acknowledged > case.rate / 2
    assert 4401 not in verdict.closes, verdict


@pytest.mark.parametrize("case", LONG)
def test_a_web_process_killed_under_load(stage_of: StageOf, case: Case) -> None:
    _, verdict = run(edit_through(stage_of(case.kind), case, Stage.kill_web))
    everything_held(verdict, case)
    assert verdict.closes, "nobody noticed"


@pytest.mark.parametrize("case", [QUICK_TWO, *LONG_TWO])
def test_one_of_two_web_processes_at_a_diagram_killed(stage_of: StageOf, case: Case) -> None:
    stage = stage_of(case.kind)

    async def scenario() -> tuple[Crowd, Verdict]:
        room = await asyncio.to_thread(stage.room)
        async with Crowd(room.diagram, room.writers, case.clients) as crowd:
            async with crowd.editing(case.rate):
                await asyncio.sleep(1)
                # One each: wherever the clients are, some are thrown out.
                for _ in range(2 * case.times):
                    await suffer(stage, crowd, Stage.kill_web)
            return crowd, await crowd.verdict()

    _, verdict = run(scenario())
    everything_held(verdict, case)
    assert verdict.closes, "nobody noticed"


@pytest.mark.parametrize("case", [QUICK_TWO, *LONG_TWO])
def test_redis_killed_and_back_empty(stage_of: StageOf, case: Case) -> None:
    crowd, verdict = run(edit_through(stage_of(case.kind), case, Stage.kill_redis))
    everything_held(verdict, case)
    assert not verdict.closes, "somebody was thrown out"
    assert all(len(client.people) == len(crowd.people) for client in crowd.clients)


@pytest.mark.parametrize("case", [QUICK_TWO, *LONG])
def test_postgresql_killed(stage_of: StageOf, case: Case) -> None:
    _, verdict = run(edit_through(stage_of(case.kind), case, Stage.kill_postgres))
    everything_held(verdict, case)
    assert verdict.reasons["unavailable"], "nobody noticed"


@pytest.mark.parametrize("case", LONG)
def test_postgresql_restarted(stage_of: StageOf, case: Case) -> None:
    _, verdict = run(edit_through(stage_of(case.kind), case, Stage.restart_postgres))
    everything_held(verdict, case)


@pytest.mark.parametrize("case", LONG)
def test_a_rolling_restart(stage_of: StageOf, case: Case) -> None:
    _, verdict = run(edit_through(stage_of(case.kind), case, Stage.renew))
    everything_held(verdict, case)
    assert set(verdict.closes) == {1001}, "every client is told that the server goes away"
