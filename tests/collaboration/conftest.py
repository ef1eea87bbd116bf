"""Servers for the tests of sockets: one that most use, and one with two processes and little patience."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.collaboration.served import CELLS, Drawing, Served, serving


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The servers do for all tests of sockets, which stay in one process."""
    for item in items:
        if "tests/collaboration/test_socket_" in item.nodeid:
            item.add_marker(pytest.mark.xdist_group("socket"))


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    with serving(COLLABORATION_HOST_GRACE_SECONDS="1", COLLABORATION_OPERATIONS_BURST="40") as running:
        yield running


@pytest.fixture(scope="session")
def served_by_two() -> Iterator[Served]:
    """By the other engine, in two processes; a connection on which nothing is said is closed soon."""
    with serving(
        SERVER_ENGINE="uvicorn",
        SERVER_PROCESSES="2",
        COLLABORATION_HOST_GRACE_SECONDS="1",
        COLLABORATION_PING_SECONDS="1",
        COLLABORATION_SILENCE_SECONDS="4",
        COLLABORATION_INACTIVE_SECONDS="12",
        COLLABORATION_CONNECTIONS_PER_DIAGRAM="10",
    ) as running:
        yield running


@pytest.fixture
def draw(request: pytest.FixtureRequest) -> Iterator[Callable[..., Drawing]]:
    """`draw(served)` is a new diagram there; its sockets are closed in the end."""
    made: list[Drawing] = []

    def draw_one(where: Served, cells: list[dict] = CELLS) -> Drawing:
        made.append(Drawing(where, cells))
        return made[-1]

    yield draw_one
    for one in made:
        one.close()


@pytest.fixture
def drawing(served: Served, draw: Callable[..., Drawing]) -> Drawing:
    return draw(served)
