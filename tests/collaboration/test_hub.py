"""What only an unlucky moment shows: a room that opens while the hub waits for the database."""

from __future__ import annotations

from uuid import uuid4

from collaboration.hub import Hub
from collaboration.room import Room
from tests.faults.stage import run


def test_a_room_that_opens_while_the_database_is_asked_is_not_taken_for_deleted(monkeypatch):
    gone = []

    async def note_gone(room):
        gone.append(room.diagram_id)

    async def scenario():
        hub = Hub()
        known, deleted = uuid4(), uuid4()

        async def answer(_function, asked):
            hub.room(uuid4())
            return dict.fromkeys(set(asked) - {deleted}, 0)

        monkeypatch.setattr(Room, "gone", note_gone)
        monkeypatch.setattr(hub, "run", answer)
        hub.room(known)
        hub.room(deleted)
        await hub._check_vectors()
        assert gone == [deleted]

    run(scenario())
