"""When a connection counts as one that does not read."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import uuid4

from collaboration.connection import TOO_SLOW, Connection
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
