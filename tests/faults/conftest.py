"""Servers for the faults, one of each kind, and how hard each is tried: briefly in every run of the tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.stage import Kind, Stage


@dataclass(frozen=True)
class Case:
    """How large and how often."""

    kind: Kind
    clients: int
    rate: float
    times: int


QUICK_TWO = Case(Kind(processes=2), clients=6, rate=60, times=1)
LONG = [
    pytest.param(Case(Kind(engine, processes), clients=20, rate=150, times=4), marks=pytest.mark.fault)
    for engine in ("daphne", "uvicorn")
    for processes in (1, 2)
]
LONG_TWO = [one for one in LONG if one.values[0].kind.processes == 2]  # type: ignore[attr-defined]
StageOf = Callable[[Kind], Stage]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ours one kind of server after another, where the first of them stood."""
    places = [index for index, item in enumerate(items) if _kind_of(item)]
    for index, item in zip(places, sorted((items[at] for at in places), key=_kind_of), strict=True):
        items[index] = item


def _kind_of(item: pytest.Item) -> str:
    """The kind of server that a test wants, or nothing."""
    case = item.callspec.params.get("case") if hasattr(item, "callspec") else None
    return f"{case.kind.engine} {case.kind.processes}" if isinstance(case, Case) else ""


def pytest_make_parametrize_id(val: object) -> str | None:
    return f"{val.kind.engine}-{val.kind.processes}" if isinstance(val, Case) else None


@pytest.fixture(scope="session")
def stage_of() -> Iterator[StageOf]:
    """`stage_of(kind)` is a server; the tests come sorted by kind, so that only the last one is kept."""
    kept: dict[Kind, tuple[Stage, Path]] = {}

    def end() -> None:
        for stage, folder in kept.values():
            stage.close()
            shutil.rmtree(folder, ignore_errors=True)
        kept.clear()

    def stage_of(kind: Kind) -> Stage:
        if kind not in kept:
            end()
            folder = Path(tempfile.mkdtemp(prefix="tmi-f-"))
            kept[kind] = (Stage(folder, kind), folder)
        return kept[kind][0]

    yield stage_of
    end()
