"""When a connection counts as one that does not read, and how much a person may send."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import uuid4

import pytest

from collaboration.connection import TOO_SLOW, Connection
from collaboration.limits import EditLimit
from threatmodels.access import Place
from threatmodels.roles import Role

LIMIT = 1_000


class Stuffed:
    """A wire of which the test takes what it wants."""

    def __init__(self):
        self.held, self.code = 0, None

    def write(self, frames):
        self.held += len(frames)
        return self.held

    def waiting(self):
        return self.held

    def close(self, code):
        self.code = code


def connected():
    wire = Stuffed()
    limits = SimpleNamespace(slow_close_bytes=LIMIT, slow_presence_bytes=LIMIT // 2)
    place = Place(uuid4(), uuid4(), uuid4())
    return Connection(place, "Ann", Role.WRITER, uuid4(), wire=wire, limits=limits), wire


def test_one_message_may_be_larger_than_what_may_wait():
    one, wire = connected()
    one.send(b"x" * 5 * LIMIT)
    one.send(b"x" * LIMIT)
    assert wire.code is None
    one.send(b"x")
    assert wire.code == TOO_SLOW


def test_what_was_read_allows_nothing_any_more():
    one, wire = connected()
    one.send(b"x" * 5 * LIMIT)
    wire.held = 0
    one.send(b"x" * 600)
    one.send(b"x" * 600)
    assert wire.code is None
    one.send(b"x" * 600)
    assert wire.code == TOO_SLOW


def test_presence_is_dropped_first():
    one, wire = connected()
    one.send(b"x" * 600)
    one.send_presence(b"cursor")
    assert wire.held == 600
    wire.held = 0
    one.send_presence(b"cursor")
    assert wire.held == len(b"cursor")


def test_after_a_refusal_no_edit_overtakes_it_until_its_wait_is_over(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("collaboration.limits.time.monotonic", lambda: clock[0])
    limit = EditLimit(50, 3)
    assert [limit.take() for _ in range(4)] == [True, True, True, False]
    assert limit.wait_seconds() == pytest.approx(0.2)
    clock[0] += 0.15
    # The bucket has filled up again meanwhile.
    assert not limit.take()
    assert limit.wait_seconds() == pytest.approx(0.05)
    assert limit.take(edit=False)
    clock[0] += 0.051
    assert limit.take()


def test_the_wait_is_as_long_as_it_takes_until_there_is_another_edit(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("collaboration.limits.time.monotonic", lambda: clock[0])
    limit = EditLimit(0.5, 1)
    assert [limit.take(), limit.take()] == [True, False]
    clock[0] += limit.wait_seconds() - 0.01
    assert not limit.take()
    clock[0] += limit.wait_seconds() + 0.001
    assert limit.take()
