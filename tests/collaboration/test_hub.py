"""What only an unlucky moment shows: a room that opens while the hub waits for the database."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import pytest
from django.conf import settings

from collaboration import log
from collaboration.actions import session as sessions
from collaboration.connection import Connection
from collaboration.fanout import Fanout
from collaboration.hub import Hub
from collaboration.ledger import Ledger
from collaboration.log import Replica, Submission
from collaboration.room import Room
from tests.faults.stage import run
from tests.threatmodels.drawing import IDS, STRANGER, box
from threatmodels.access import Place
from threatmodels.models import DiagramOperation
from threatmodels.operations import State, patch, update
from threatmodels.roles import Role
from tmi.lib.errors import Unavailable

B, OTHER = IDS[1:3]


class Database:
    """One diagram, whose box names an asset; stands in for a hub that asks a real database."""

    def __init__(self):
        self.id, self.cells, self.rows = uuid4(), [box(B) | {"data_asset_ids": [STRANGER]}], []
        self.deleted, self.away = frozenset(), False

    def ledger(self, told=None):
        """A process at the diagram, and who listens there."""
        ledger = Ledger(self, self.id, Fanout(), on_told=told or (lambda *_: None), on_gone=None)
        listener = Listener()
        ledger.here.add(listener.connection)
        return ledger, listener

    async def run(self, function, *args):
        if self.away:
            raise Unavailable("The database is away.")
        return getattr(self, function.__name__)(*args)

    def spawn(self, coroutine):
        self.task = asyncio.ensure_future(coroutine)

    def load(self, _id):
        state = State(self.cells)
        for row in self.rows:
            state.apply(row.operation)
        return Replica(self.id, uuid4(), state, len(self.rows), 0, self.deleted)

    def reload(self, _id, told):
        return self.load(_id), self.rows[told:]

    def hidden_assets(self, _id):
        return self.deleted

    def append(self, replica, submissions):
        for one in submissions:
            applied = log._carry_out(replica, one, None)
            replica.vector += 1
            self.rows.append(
                DiagramOperation(
                    operation_id=one.operation_id,
                    actor_id=one.actor_id,
                    sequence_number=replica.vector,
                    operation=applied.operation,
                )
            )
        return log.Outcome(self.rows[-len(submissions) :], [None] * len(submissions))


class Listener:
    """The other end of a connection; `seen` are the messages that it was sent."""

    def __init__(self):
        self.seen = []
        place = Place(uuid4(), uuid4(), uuid4())
        limits = settings.CONFIG.collaboration
        self.connection = Connection(place, "Ann", Role.WRITER, uuid4(), wire=self, limits=limits)

    def close(self, code):
        self.code = code

    def write(self, frames):
        while frames:
            short = frames[1] & 127
            at, length = (2, short) if short < 126 else (4, int.from_bytes(frames[2:4], "big"))
            self.seen.append(json.loads(frames[at : at + length]))
            frames = frames[at + length :]
        return 0


def session(pk=None, ended=None):
    return sessions.SessionState(pk or uuid4(), None, None, ended, frozenset())


def assets(cells):
    return cells[0]["data_asset_ids"]


def test_a_room_that_opens_while_the_database_is_asked_is_not_taken_for_deleted(monkeypatch):
    gone = []

    async def note_gone(room):
        gone.append(room.diagram_id)

    async def scenario():
        hub = Hub()
        known, deleted = uuid4(), uuid4()

        async def answer(_function, asked):
            hub.room(uuid4())
            return dict.fromkeys(set(asked) - {deleted}, (0, frozenset()))

        monkeypatch.setattr(Room, "gone", note_gone)
        monkeypatch.setattr(hub, "run", answer)
        hub.room(known)
        hub.room(deleted)
        await hub._check_vectors()
        assert gone == [deleted]

    run(scenario())


def test_a_process_that_has_not_heard_of_a_deleted_asset_keeps_what_the_log_has():
    async def scenario():
        database, told = Database(), []
        (one, listener), (other, _) = database.ledger(lambda *news: told.append(news)), database.ledger()
        for ledger in (one, other):
            await ledger._ready()
        database.deleted = frozenset({STRANGER})
        await one.assets_changed()
        change = Submission(uuid4(), uuid4(), patch([update(B, {"data_asset_ids": [OTHER]})]))
        one.ask(listener.connection, change)
        await database.task
        (news,) = told
        await other.hear(*news)
        assert assets((await other._ready()).state.listed()) == [OTHER, STRANGER]
        assert (await other._ready()).state.listed() == database.load(None).state.listed()
        assert assets([step["data"] for step in listener.seen[-1]["operation"]["cells"]]) == [OTHER]

    run(scenario())


@pytest.mark.parametrize("loaded_anew", [False, True])
def test_an_asset_that_was_deleted_while_the_database_was_away_vanishes_when_it_is_back(loaded_anew):
    async def scenario():
        database = Database()
        ledger, listener = database.ledger()
        await ledger._ready()
        database.deleted, database.away = frozenset({STRANGER}), True
        await ledger.assets_changed()
        if loaded_anew:
            await ledger.catch_up(1)
        database.away = False
        if loaded_anew:
            await ledger._ready()
        else:
            assert not ledger.hides(database.deleted)
            await ledger.assets_changed()
        assert [(one["message_type"], assets(one["cells"])) for one in listener.seen] == [
            ("diagram_state", [])
        ]
        assert ledger.hides(database.deleted)

    run(scenario())


@pytest.mark.parametrize(("deleted", "told"), [([STRANGER], "diagram_state"), ([OTHER], "sync_status")])
def test_who_comes_back_sees_no_asset_that_was_deleted_meanwhile(deleted, told):
    async def scenario():
        database = Database()
        (ledger, _), listener = database.ledger(), Listener()
        database.deleted = frozenset(deleted)
        await ledger.greet(listener.connection, since=0)
        assert [one["message_type"] for one in listener.seen] == [told]
        assert not listener.seen[0].get("cells") or assets(listener.seen[0]["cells"]) == []

    run(scenario())


def test_only_who_reaches_the_database_all_the_time_takes_silence_for_the_end_of_a_session(monkeypatch):
    clock, ended = [1_000.0], []

    async def scenario():
        hub = Hub()

        async def answer(function, *_args, silent_before=None):
            if function is sessions.end_stale_sessions:
                ended.append(silent_before and clock[0] - silent_before.timestamp())

        async def away(*_args):
            raise Unavailable("The database is away.")

        async def rounds(*seconds):
            ended.clear()
            for pause in seconds:
                clock[0] += pause
                await hub._keep_house()
            return list(ended)

        monkeypatch.setattr("collaboration.hub.time.time", lambda: clock[0])
        monkeypatch.setattr(hub, "run", answer)
        assert await rounds(0, 20, 21, 20) == [None, None, None, 300]
        # It hung, and a machine slept; both look like this.
        assert await rounds(400, 20, 20, 20) == [None, None, None, 300]
        monkeypatch.setattr(hub, "run", away)
        with pytest.raises(Unavailable):
            await rounds(20)
        monkeypatch.setattr(hub, "run", answer)
        assert await rounds(1, 20, 20, 20) == [None, None, None, 300]

    run(scenario())


def test_who_comes_in_again_while_their_last_socket_closes_has_not_left(monkeypatch):
    async def scenario():
        hub, left = Hub(), []

        async def answer(function, *args):
            if function is sessions.leave_session:
                left.append(args)
            return {}

        monkeypatch.setattr(hub, "run", answer)
        room, listener = hub.room(uuid4()), Listener()
        room.company.session = session()
        user_id = listener.connection.user_id
        room.here.add(listener.connection)
        with room.company.arriving(user_id):
            await room.leave(listener.connection)
        assert not left
        room.here.add(listener.connection)
        await room.leave(listener.connection)
        assert left == [(room.session.id, [user_id])]

    run(scenario())


def test_a_room_that_hears_of_the_end_by_the_next_session_alone_tells_how_the_last_one_ended(monkeypatch):
    async def scenario():
        hub, listener, person = Hub(), Listener(), uuid4()
        room, last, following = hub.room(uuid4()), listener.connection.session_id, uuid4()
        ending = sessions.Ending(person, sessions.ENDED_BY_PERSON)
        known = {following: session(following), last: session(last, ending)}

        async def answer(_function, asked):
            return {pk: known[pk] for pk in asked}

        monkeypatch.setattr(hub, "run", answer)
        room.take_session(session(last))
        room.here.add(listener.connection)
        await room.refresh_session(following)
        assert room.session.id == following
        assert listener.code == 4410
        said = listener.seen[-1]
        assert (said["user_internal_uuid"], said["message"]) == (str(person), sessions.ENDED_BY_PERSON)

    run(scenario())
