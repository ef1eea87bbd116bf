"""The people at a diagram as everybody there is told of them: who comes and goes, and where they point."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from collaboration import people, protocol
from collaboration.actions.session import SessionState
from collaboration.connection import Connection
from collaboration.fanout import Fanout, frame
from collaboration.people import Person
from collaboration.telling import PROCESS, group_of
from tmi.lib.clock import now_text
from tmi.server.wire import text_frame

if TYPE_CHECKING:
    from collaboration.hub import Hub

PRESENCE_SECONDS = 1 / 30
LISTING_SECONDS = 0.1
MEET_SECONDS = 0.2


class Company:
    """Who is here by this process, and who elsewhere. `session` says who hosts and presents."""

    def __init__(self, hub: Hub, diagram_id: UUID, here: Fanout) -> None:
        self.hub, self.here = hub, here
        self.group = group_of(diagram_id)
        self.elsewhere = people.Elsewhere()
        self.session: SessionState | None = None
        self._arriving: Counter[UUID] = Counter()
        self._since: dict[UUID, str] = {}
        self._known: dict[UUID, Person] | None = None
        self._listing = b""
        self._listing_frame = b""
        self._listing_due: asyncio.TimerHandle | None = None
        self._listed_at = 0.0
        self._presence: dict[tuple[UUID, str], bytes] = {}
        self._presence_due: asyncio.TimerHandle | None = None

    # -- who is here

    @contextmanager
    def arriving(self, user_id: UUID) -> Iterator[None]:
        """While a socket is on its way in, it counts as one of the person's."""
        self._arriving[user_id] += 1
        try:
            yield
        finally:
            self._arriving[user_id] -= 1
            if not self._arriving[user_id]:
                del self._arriving[user_id]

    def is_expected(self, user_id: UUID | None = None) -> bool:
        """Whether a socket is on its way in, of that person or of anybody."""
        return bool(self._arriving) if user_id is None else user_id in self._arriving

    def gone(self, user_id: UUID) -> None:
        """Their last tab here is closed."""
        self._since.pop(user_id, None)

    def people(self) -> dict[UUID, Person]:
        """Who is here by this process."""
        found: dict[UUID, Person] = {}
        for one in self.here:
            if not one.closed:
                known = found.get(one.user_id)
                count = known.connections + 1 if known else 1
                since = self._since.setdefault(one.user_id, now_text())
                found[one.user_id] = Person(one.name, one.role, since, count)
        return found

    def everybody(self) -> dict[UUID, Person]:
        """Who is here by any process, longest present first."""
        return people.merged([self.people(), *self.elsewhere.people()])

    def connections(self, user_id: UUID) -> tuple[int, int]:
        """The sockets of a person, and of all, with those that are on their way in."""
        there = self.everybody()
        mine = there[user_id].connections if user_id in there else 0
        all_ = sum(person.connections for person in there.values())
        return mine + self._arriving[user_id], all_ + self._arriving.total()

    # -- telling of it

    async def introduce(self, connection: Connection, there: frozenset[UUID]) -> None:
        """Sends a newcomer the list of who is here; `there` are known to be in the session somewhere."""
        deadline = time.monotonic() + MEET_SECONDS
        while not there <= self.everybody().keys() and time.monotonic() < deadline:
            await asyncio.sleep(MEET_SECONDS / 20)  # other processes are telling of theirs
        if self._known is None:
            self._known = self.everybody()
        if connection in self.here:
            self._update_listing()
            connection.send(self._listing_frame)
            connection.listing = self._listing
            connection.met = frozenset(self.everybody())
        self.changed()
        self.tell_others()

    def changed(self) -> None:
        """Tells everybody here who has come and gone and who is here now; many changes at once together."""
        if self._listing_due is None:
            wait = max(0.0, self._listed_at + LISTING_SECONDS - time.monotonic())
            self._listing_due = self.hub.loop.call_later(wait, self._tell_listing)

    def _tell_listing(self) -> None:
        self._listing_due = None
        self._listed_at = time.monotonic()
        after = self.everybody()
        before = after if self._known is None else self._known
        self._known = after
        for user_id in after.keys() - before.keys():
            joined = protocol.Joined(user_internal_uuid=user_id, timestamp=now_text())
            self._tell_introduced(frame(joined), user_id, came=True)
        for user_id in before.keys() - after.keys():
            left = protocol.Left(user_internal_uuid=user_id, timestamp=now_text())
            self._tell_introduced(frame(left), user_id, came=False)
        self._update_listing()
        for connection in self.here:
            connection.met = None
            if connection.listing is not None and connection.listing is not self._listing:
                connection.listing = self._listing
                connection.send(self._listing_frame)

    def _tell_introduced(self, frames: bytes, user_id: UUID, *, came: bool) -> None:
        """Not to newcomers: `introduce` sends them the whole list, and until then they know of nobody.

        Nor to those who came in meanwhile, as far as their list says it already.
        """
        for connection in self.here:
            if connection.listing is None or (came and connection.user_id == user_id):
                continue
            if connection.met is None or (user_id in connection.met) != came:
                connection.send(frames)

    def _update_listing(self) -> None:
        session = self.session
        host, presenter = (session.host, session.presenter) if session else (None, None)
        listed = self._participants(host, presenter)
        listing = orjson.dumps([listed, host, presenter])
        if listing != self._listing:
            self._listing = listing
            said = protocol.ParticipantsUpdate(
                participants=listed, host=host, current_presenter=presenter, timestamp=now_text()
            )
            self._listing_frame = frame(said)

    def _participants(self, host: UUID | None, presenter: UUID | None) -> list[protocol.Participant]:
        there = self.everybody()
        colors = people.colors(there)
        return [
            protocol.Participant(
                user_internal_uuid=user_id,
                name=person.name,
                color=colors[user_id],
                role=person.role.label,  # type: ignore[arg-type]  # one of the three
                is_host=user_id == host,
                is_presenter=user_id == presenter,
                joined_at=person.joined_at,
            )
            for user_id, person in there.items()
        ]

    def tell_others(self, *, asks: bool = False, closing: bool = False) -> None:
        """Tells the other processes who is here; `asks` them to answer with theirs."""
        told = [] if closing else people.packed(self.people())
        self.hub.publish(self.group, {"type": "people", "process": PROCESS, "people": told, "asks": asks})

    def hear_others(self, process: str, rows: list[list[Any]], *, asks: bool) -> None:
        """Who is at another process."""
        there = people.unpacked(rows)
        self.elsewhere.heard(process, there, time.monotonic())
        for user_id, person in there.items():
            # Whoever closes the older of two tabs has been here as long as before.
            if user_id in self._since and person.joined_at:
                self._since[user_id] = min(self._since[user_id], person.joined_at)
        self.changed()
        if asks:
            self.tell_others()

    # -- where they point

    def relay(self, user_id: UUID, kind: str, text: bytes) -> None:
        """Tells the others where somebody's cursor is, or the like: the latest, thirty times a second."""
        self._presence[user_id, kind] = text
        if self._presence_due is None:
            self._tell_presence()

    def _tell_presence(self) -> None:
        self._presence_due = None
        if not self._presence:
            return
        told, self._presence = self._presence, {}
        rows = [(str(user_id), text) for (user_id, _kind), text in told.items()]
        self.hear_presence(rows)
        if self.elsewhere:
            self.hub.publish(self.group, {"type": "presence", "process": PROCESS, "rows": rows})
        self._presence_due = self.hub.loop.call_later(PRESENCE_SECONDS, self._tell_presence)

    def hear_presence(self, rows: list[tuple[str, bytes]]) -> None:
        """Cursors and the like, for everybody here but those whose they are."""
        for user_id, text in rows:
            self.here.send_presence(text_frame(text), but=UUID(user_id))
