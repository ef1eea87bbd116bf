"""One diagram in one process: its cells, its people, and the session that they are in."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from collaboration import people, protocol
from collaboration.actions import session as sessions
from collaboration.actions.session import SessionState
from collaboration.company import Company
from collaboration.connection import NOT_ALLOWED, SESSION_ENDED, Connection
from collaboration.fanout import Fanout, frame
from collaboration.ledger import Ledger
from collaboration.limits import EditLimit
from collaboration.telling import PROCESS
from threatmodels.roles import Role
from tmi.lib.clock import now_text
from tmi.lib.errors import Unavailable

if TYPE_CHECKING:
    from collaboration.hub import Hub

logger = logging.getLogger(__name__)

# A room without people is kept for whoever reloads the page.
LINGER_SECONDS = 5.0
# Every second the room hears at least itself, when Redis is there.
TOUCH_SECONDS = 3.0
# Many threats that are made at once are one change to whoever looks at them.
THREATS_PAUSE = 0.2


class Room:
    """`ledger` are the cells, `company` the people. Used from the event loop only."""

    def __init__(self, hub: Hub, diagram_id: UUID) -> None:
        self.hub, self.diagram_id = hub, diagram_id
        self.here = Fanout()
        self.company = Company(hub, diagram_id, self.here)
        self.ledger = Ledger(hub, diagram_id, self.here, on_told=self._told, on_gone=self.gone)
        self.heard_at = -TOUCH_SECONDS
        self._limits: dict[UUID, EditLimit] = {}
        self._hostless_since: float | None = None
        self._telling_of_threats = False
        self._empty_since = time.monotonic()

    @property
    def session(self) -> SessionState | None:
        """The live session, as it was last seen."""
        return self.company.session

    # -- coming and going

    async def enter(self, connection: Connection, session_id: UUID, there: frozenset[UUID]) -> None:
        """Tells everybody of somebody whom the ledger has greeted, and them who is here.

        `there` are the people who are in the session by any process. Raises Unavailable.
        """
        await self.refresh_session(session_id)
        await self.company.introduce(connection, there)

    async def leave(self, connection: Connection) -> None:
        """The socket is closed; when it was the person's last one, the person has left."""
        if connection not in self.here:
            return
        self.here.discard(connection)
        if not len(self.here):
            self._empty_since = time.monotonic()
        user_id = connection.user_id
        if not self.here.of(user_id):
            self.company.gone(user_id)
        self.company.changed()
        self.company.tell_others()
        if self.company.is_expected(user_id):
            return  # they have joined already, and what is written now would say that they have left
        if user_id not in self.company.everybody() and self.session is not None:
            await self._quietly(self.hub.run(sessions.leave_session, self.session.id, [user_id]))
            await self.mend()

    async def close(self) -> None:
        """The process forgets the diagram."""
        self.company.tell_others(closing=True)
        await self.ledger.write_checkpoint()

    def is_idle(self) -> bool:
        """Whether nobody has been here for a while."""
        empty = not len(self.here) and not self.ledger.is_busy and not self.company.is_expected()
        return empty and time.monotonic() - self._empty_since > LINGER_SECONDS

    def is_in_touch(self) -> bool:
        """Whether the rooms of other processes can be heard; if not, nobody knows who is there."""
        return time.monotonic() - self.heard_at <= TOUCH_SECONDS

    def edit_limit(self, user_id: UUID) -> EditLimit:
        """What is left to a person, in however many tabs."""
        limits = self.hub.limits
        if user_id not in self._limits:
            self._limits[user_id] = EditLimit(limits.operations_per_second, limits.operations_burst)
        return self._limits[user_id]

    def _told(self, first: int, texts: list[bytes]) -> None:
        if self.company.elsewhere:  # a process that nobody knows of yet begins with what the database has
            message = {"type": "operations", "process": PROCESS, "first": first, "texts": texts}
            self.hub.publish(self.company.group, message)
        if self.session is not None:
            self.hub.keep_operations(self.session.id, texts)

    # -- the session

    async def refresh_session(self, session_id: UUID | None = None) -> None:
        """Reads the session anew and does what follows from it."""
        asked = {one for one in (session_id, self.session and self.session.id) if one is not None}
        if not asked:
            return
        try:
            found = await self.hub.run(sessions.states_of, list(asked))
        except Unavailable:
            return  # the next look around makes up for it
        # First the one that is over: whoever is still in it is told how it ended.
        for session in sorted(found.values(), key=lambda one: one.ended is None):
            self.take_session(session)

    def take_session(self, session: SessionState) -> None:
        """A session of the diagram as the database has it; when it has not ended, it is the only such one."""
        if session.ended is not None:
            self.end(session.id, session.ended.by, session.ended.message)
            return
        if self.session is not None and self.session.id != session.id:
            self.end(self.session.id, None, sessions.EXPIRED)
        before, self.company.session = self.session, session
        for user_id in session.removed:
            for connection in self.here.of(user_id):
                connection.close(NOT_ALLOWED)
        if before is not None and before.presenter != session.presenter:
            said = protocol.CurrentPresenter(current_presenter=session.presenter, timestamp=now_text())
            self.here.send(frame(said))
        if before != session:
            self.company.changed()

    async def change_session(self, change: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Changes the session in the database, here, and in the other processes."""
        await self.hub.run(change, *args, **kwargs)
        await self.refresh_session()
        self.hub.publish(self.company.group, {"type": "session", "process": PROCESS})

    async def mend(self) -> None:
        """Lets nobody present who is not here, and finds a host for a session that has lost its own."""
        if not self.is_in_touch():
            return
        if self.session is not None and self.company.everybody():
            await self._mend_presenter(self.session)
        if self.session is not None and self.company.everybody():
            await self._mend_host(self.session)

    async def _mend_presenter(self, session: SessionState) -> None:
        there, presenter = self.company.everybody(), session.presenter
        if presenter is not None and presenter not in there:
            back = session.host if session.host in there else None
            change = self.change_session(sessions.set_presenter, session.id, back, instead_of=presenter)
            await self._quietly(change)

    async def _mend_host(self, session: SessionState) -> None:
        there, host = self.company.everybody(), session.host
        if host in there and there[host].role >= Role.WRITER:
            self._hostless_since = None
            return
        now = time.monotonic()
        self._hostless_since = self._hostless_since or now
        waited = now - self._hostless_since >= self.hub.limits.host_grace_seconds
        heir = people.longest_writer(there)
        if (heir or host) is not None and (host is None or waited):
            self._hostless_since = None
            presents = host is None and session.presenter is None
            change = self.change_session(
                sessions.become_host, session.id, heir, instead_of=host, presents=presents
            )
            await self._quietly(change)

    def end(self, session_id: UUID, by: UUID | None, message: str) -> None:
        """A session is over: everybody who is in it is told and closed; others may be in the next one."""
        self._dismiss((one for one in self.here if one.session_id == session_id), by, message)
        if self.session is not None and self.session.id == session_id:
            self.company.session = None

    def _dismiss(self, connections: Iterable[Connection], by: UUID | None, message: str) -> None:
        said = frame(protocol.SessionEnded(user_internal_uuid=by, message=message, timestamp=now_text()))
        for connection in connections:
            connection.send(said)
            connection.close(SESSION_ENDED)

    def threats_changed(self) -> None:
        """Says soon, and once for all that happens until then, that threats are to be read again."""
        if not self._telling_of_threats:
            self._telling_of_threats = True
            self.hub.loop.call_later(THREATS_PAUSE, self._tell_of_threats)

    def _tell_of_threats(self) -> None:
        self._telling_of_threats = False
        self.here.send(frame(protocol.ThreatsChanged(timestamp=now_text())))

    async def gone(self) -> None:
        """The diagram or its model was deleted."""
        await self._quietly(self.hub.run(sessions.end_sessions_of, [self.diagram_id]))
        self._dismiss(self.here, None, sessions.DELETED)
        self.company.session = None

    async def _quietly(self, doing: Awaitable[Any]) -> None:
        """What the next look around makes up for when it fails now."""
        try:
            await doing
        except Exception as error:
            if not isinstance(error, Unavailable):
                logger.exception("A room could not be tended")
