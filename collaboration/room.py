"""One diagram in one process: its connections, its copy of the cells, and who is here.

Whatever reads or changes the copy holds `lock`, so that every connection gets every operation once and in
order, beginning with the state that it was sent. The database decides the order; other processes are told.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from collaboration import log, people, protocol
from collaboration.actions import session as sessions
from collaboration.actions.session import SessionState
from collaboration.connection import NOT_ALLOWED, SESSION_ENDED, Connection
from collaboration.fanout import Fanout, Recent, frame, operation_text
from collaboration.limits import EditLimit
from collaboration.people import Person
from collaboration.telling import PROCESS, group_of
from threatmodels import log as operation_log
from threatmodels.actions.operation import without_assets
from threatmodels.models import DiagramOperation
from threatmodels.operations import Rejected
from threatmodels.roles import Role
from tmi.lib.clock import now_text
from tmi.lib.errors import NotFound, Unavailable
from tmi.server.wire import text_frame

if TYPE_CHECKING:
    from collaboration.hub import Hub

logger = logging.getLogger(__name__)

MOST_IN_BATCH = 256
# A quiet diagram is written whole after a while; a busy one now and then, so that reading it stays short.
QUIET_SECONDS, BUSY_SECONDS, BUSY_OPERATIONS = 2.0, 30.0, 2_000
PRESENCE_SECONDS = 1 / 30
LISTING_SECONDS = 0.1
# A room without people is kept for whoever reloads the page.
LINGER_SECONDS = 5.0
MEET_SECONDS = 0.2
# No cell is written in fewer bytes.
SMALLEST_CELL = 60


@dataclass(frozen=True, slots=True)
class TakeBack:
    """A request to undo or redo, in the order of edits."""

    actor_id: UUID
    kind: log.Kind


Ask = log.Submission | TakeBack


class Room:
    """Use `enter`, `leave` and the methods of messages from the event loop only."""

    def __init__(self, hub: Hub, diagram_id: UUID) -> None:
        self.hub, self.diagram_id = hub, diagram_id
        self.lock = asyncio.Lock()
        self.here = Fanout()
        self.elsewhere = people.Elsewhere()
        self.session: SessionState | None = None
        self.threat_model_id: UUID | None = None
        self.closed = False
        self.heard_at = time.monotonic()
        self.limits: dict[UUID, EditLimit] = {}
        self._replica: log.Replica | None = None
        self._recent = Recent(0)
        self._state: tuple[int, frozenset[str], bytes] | None = None
        self._asked: deque[tuple[Connection, Ask]] = deque()
        self._committing = False
        self._changed_at = self._written_at = 0.0
        self._since: dict[UUID, str] = {}
        self._known: dict[UUID, Person] = {}
        self._listing: bytes = b""
        self._listing_frame: bytes = b""
        self._listing_due: asyncio.TimerHandle | None = None
        self._listed_at = 0.0
        self._presence: dict[tuple[UUID, str], bytes] = {}
        self._presence_due: asyncio.TimerHandle | None = None
        self._hostless_since: float | None = None
        self._empty_since = time.monotonic()

    @property
    def told(self) -> int:
        """The number of the last operation that the connections were sent."""
        return self._recent.told

    # -- coming and going

    async def enter(
        self, connection: Connection, since: int | None, session_id: UUID, there: frozenset[UUID]
    ) -> None:
        """Sends the diagram and who is here, and from then on everything that happens.

        `there` are the people who are in the session by any process. Raises NotFound, Unavailable.
        """
        async with self.lock:
            if self._replica is not None:  # it may lag while nobody is here
                await self._catch_up()
            connection.send(await self._behind(await self._ready(), since))
            self._since.setdefault(connection.user_id, now_text())
            self.here.add(connection)
        if self.session is None or self.session.id != session_id:
            self.session = None
        await self.refresh_session(session_id)
        await self._meet(there)
        if connection in self.here:
            self._update_listing()
            connection.send(self._listing_frame)
            connection.listing = self._listing
        self.people_changed()
        self.tell_people()

    async def _meet(self, there: frozenset[UUID]) -> None:
        """Waits a moment until other processes have told of their people, who are no news to a newcomer."""
        deadline = time.monotonic() + MEET_SECONDS
        while not there <= self.everybody().keys() and time.monotonic() < deadline:
            await asyncio.sleep(MEET_SECONDS / 20)
        if len(self.here) == 1:
            self._known = self.everybody()

    async def leave(self, connection: Connection) -> None:
        """The socket is closed; when it was the person's last one, the person has left."""
        if connection not in self.here:
            return
        self.here.discard(connection)
        if not len(self.here):
            self._empty_since = time.monotonic()
        if not self.here.of(connection.user_id):
            self._since.pop(connection.user_id, None)
        self.people_changed()
        self.tell_people()
        if connection.user_id not in self.everybody() and self.session is not None:
            await self._quietly(self.hub.run(sessions.leave_session, self.session.id, [connection.user_id]))
            await self.mend()

    async def close(self) -> None:
        """The process forgets the diagram."""
        self.closed = True
        self.tell_people()
        await self._write_checkpoint()

    def is_idle(self) -> bool:
        """Whether nobody has been here for a while."""
        idle = not len(self.here) and not self._asked and not self._committing
        return idle and time.monotonic() - self._empty_since > LINGER_SECONDS

    # -- edits

    def ask(self, connection: Connection, ask: Ask) -> None:
        """Carries out an edit or takes one back, after those that were asked for before."""
        self._asked.append((connection, ask))
        if not self._committing:
            self._committing = True
            self.hub.spawn(self._carry_out())

    async def _carry_out(self) -> None:
        try:
            while self._asked:
                async with self.lock:
                    await self._carry_out_some(self._next_batch())
        finally:
            self._committing = False

    def _next_batch(self) -> list[tuple[Connection, Ask]]:
        """Edits up to the next request to take one back, or that request."""
        batch = [self._asked.popleft()]
        if isinstance(batch[0][1], TakeBack):
            return batch
        while self._asked and len(batch) < MOST_IN_BATCH and not isinstance(self._asked[0][1], TakeBack):
            batch.append(self._asked.popleft())
        return batch

    async def _carry_out_some(self, batch: list[tuple[Connection, Ask]]) -> None:
        try:
            replica = await self._ready()
            first = batch[0][1]
            if isinstance(first, TakeBack):
                news, undone = await self.hub.run(log.take_back, replica, first.actor_id, first.kind)
                self._tell(news)
                batch[0][0].send(frame(_history(first.kind, undone)))
                return
            submissions = [ask for _, ask in batch if isinstance(ask, log.Submission)]
            outcome = await self.hub.run(log.append, replica, submissions)
        except NotFound:
            self._replica = None
            await self.gone()
        except Exception as error:
            if not isinstance(error, Unavailable):
                logger.exception("Edits of %s failed", self.diagram_id)
            self._replica = None
            self.hub.count("rejected", len(batch))
            for connection, ask in batch:
                self._refuse(connection, ask, Rejected("unavailable", "The database is away; try again."))
        else:
            self._tell(outcome.news)
            for (connection, ask), result in zip(batch, outcome.results, strict=True):
                if isinstance(result, log.Repeated):
                    connection.send(text_frame(operation_text(result.accepted, replica.hidden)))
                elif result is not None:
                    self.hub.count("rejected")
                    self._refuse(connection, ask, result)

    def _refuse(self, connection: Connection, ask: Ask, error: Rejected) -> None:
        if isinstance(ask, TakeBack):
            said = protocol.Error(
                code="SERVICE_UNAVAILABLE", message=error.message, details={}, timestamp=now_text()
            )
            connection.send(frame(said))
        else:
            self.reject(connection, ask.operation_id, error)

    def reject(self, connection: Connection, operation_id: UUID, error: Rejected) -> None:
        """Tells the sender of an operation that it was not carried out."""
        said = protocol.rejection(operation_id, error, update_vector=self.told, timestamp=now_text())
        connection.send(frame(said))

    def _tell(self, news: list[DiagramOperation]) -> None:
        """Sends operations to everybody here and hands them to the other processes."""
        if not news:
            return
        hidden = self._replica.hidden if self._replica else frozenset()
        texts = [operation_text(row, hidden) for row in news]
        self._deliver(texts)
        if self.elsewhere:  # a process that nobody knows of yet begins with what the database has
            first = news[0].sequence_number
            mine = {"type": "operations", "process": PROCESS, "first": first, "texts": texts}
            self.hub.publish(group_of(self.diagram_id), mine)
        if self.session is not None:
            self.hub.keep_operations(self.session.id, texts)
        self.hub.count("operations", len(news))

    def _deliver(self, texts: list[bytes]) -> None:
        frames = [text_frame(text) for text in texts]
        self._recent.add(frames)
        self.here.send(b"".join(frames) if len(frames) > 1 else frames[0])
        self._changed_at = time.monotonic()

    # -- the copy

    async def _ready(self) -> log.Replica:
        """The copy, loaded anew after whatever put it in doubt. Raises NotFound, Unavailable."""
        if self._replica is not None:
            return self._replica
        if len(self.here):
            replica, missed = await self.hub.run(log.reload, self.diagram_id, self.told)
            if missed:
                self._deliver([operation_text(row, replica.hidden) for row in missed])
        else:
            replica = await self.hub.run(log.load, self.diagram_id)
            self._recent = Recent(replica.vector)
        self._replica, self.threat_model_id = replica, replica.threat_model_id
        return replica

    async def catch_up(self, vector: int) -> None:
        """Fetches what other processes have written, up to `vector` at least."""
        if vector <= self.told or not len(self.here):
            return
        async with self.lock:
            if vector > self.told:
                await self._catch_up()

    async def _catch_up(self) -> None:
        try:
            replica = await self._ready()
            missed = await self.hub.run(log.catch_up, replica)
        except NotFound:
            await self.gone()
        except Exception as error:
            self._replica = None
            if not isinstance(error, Unavailable):
                logger.exception("Catching up with %s failed", self.diagram_id)
        else:
            if missed:
                self._deliver([operation_text(row, replica.hidden) for row in missed])

    async def hear_operations(self, first: int, texts: list[bytes]) -> None:
        """Operations that another process has committed."""
        async with self.lock:
            fresh = texts[self.told + 1 - first :] if first <= self.told else texts
            if not fresh or self._replica is None:
                return
            if first > self.told + 1 or self._replica.hidden:
                await self._catch_up()
                return
            try:
                for text in fresh:
                    self._replica.state.apply(orjson.loads(text)["operation"])
                    self._replica.vector += 1
            except Rejected:
                logger.exception("The copy of %s had gone astray", self.diagram_id)
                self._replica = None
                return
            self._deliver(fresh)

    async def send_behind(self, connection: Connection, since: int) -> None:
        """What the connection is missing since an operation."""
        async with self.lock:
            try:
                connection.send(await self._behind(await self._ready(), since))
            except NotFound:
                await self.gone()
            except Unavailable as error:
                said = protocol.Error(
                    code=error.code, message=error.message, details={}, timestamp=now_text()
                )
                connection.send(frame(said))

    async def _behind(self, replica: log.Replica, since: int | None) -> bytes:
        """Frames with the missed operations, or with the whole diagram where that is shorter."""
        if since is None or not 0 <= since <= replica.vector:
            return self._whole(replica)
        if since == replica.vector:
            return frame(protocol.SyncStatus(update_vector=replica.vector, timestamp=now_text()))
        kept = self._recent.since(since)
        if kept is None:
            rows = await self.hub.run(operation_log.since, self.diagram_id, since)
            rows = [row for row in rows if row.sequence_number <= replica.vector]
            if len(rows) != replica.vector - since:
                return self._whole(replica)
            kept = [text_frame(operation_text(row, replica.hidden)) for row in rows]
        missed = b"".join(kept)
        if len(missed) < SMALLEST_CELL * len(replica.state.cells):
            return missed
        whole = self._whole(replica)
        return missed if len(missed) < len(whole) else whole

    def _whole(self, replica: log.Replica) -> bytes:
        if self._state is None or self._state[:2] != (replica.vector, replica.hidden):
            cells = replica.state.listed()
            if replica.hidden:
                cells = [without_assets(cell, replica.hidden) for cell in cells]
            said = protocol.DiagramState(
                diagram_id=self.diagram_id, update_vector=replica.vector, cells=cells, timestamp=now_text()
            )
            self._state = (replica.vector, replica.hidden, frame(said))
        return self._state[2]

    async def assets_changed(self) -> None:
        """An asset of the model was deleted or restored: cells that name it look different now."""
        async with self.lock:
            if self._replica is None:
                return
            try:
                hidden = await self.hub.run(log.hidden_assets, self._replica.threat_model_id)
            except Unavailable:
                self._replica = None
                return
            named = {a for cell in self._replica.state.cells.values() for a in cell.get("data_asset_ids", ())}
            differs = not named.isdisjoint(hidden ^ self._replica.hidden)
            self._replica.hidden = hidden
            if differs:
                self._recent = Recent(self._replica.vector)
                self.here.send(self._whole(self._replica))

    async def rest(self) -> None:
        """Writes the cells into the diagram's row, when it is quiet or has not been done for long."""
        replica = self._replica
        if replica is None or replica.checkpoint >= replica.vector:
            return
        now = time.monotonic()
        quiet = now - self._changed_at > QUIET_SECONDS
        busy = now - self._written_at > BUSY_SECONDS and replica.vector - replica.checkpoint > BUSY_OPERATIONS
        if quiet or busy:
            await self._write_checkpoint()

    async def _write_checkpoint(self) -> None:
        async with self.lock:
            replica = self._replica
            if replica is None or replica.checkpoint >= replica.vector:
                return
            vector, cells = replica.vector, replica.state.listed()
        self._written_at = time.monotonic()
        try:
            await self.hub.run(operation_log.checkpoint, self.diagram_id, vector, cells)
        except Unavailable:
            return
        replica.checkpoint = vector

    # -- people

    def people(self) -> dict[UUID, Person]:
        """Who is here by this process."""
        found: dict[UUID, Person] = {}
        for one in self.here:
            if one.closed:
                continue
            known = found.get(one.user_id)
            count = known.connections + 1 if known else 1
            found[one.user_id] = Person(one.name, one.role, self._since.get(one.user_id, ""), count)
        return found

    def everybody(self) -> dict[UUID, Person]:
        """Who is here by any process, longest present first."""
        return people.merged([self.people(), *self.elsewhere.people()])

    def connections(self, user_id: UUID) -> tuple[int, int]:
        """The open sockets of a person, and of all."""
        there = self.everybody()
        mine = there[user_id].connections if user_id in there else 0
        return mine, sum(person.connections for person in there.values())

    def edit_limit(self, user_id: UUID) -> EditLimit:
        limits = self.hub.limits
        if user_id not in self.limits:
            self.limits[user_id] = EditLimit(limits.operations_per_second, limits.operations_burst)
        return self.limits[user_id]

    def people_changed(self) -> None:
        """Tells everybody here who has come and gone and who is here now; many changes at once together."""
        if self._listing_due is None:
            wait = max(0.0, self._listed_at + LISTING_SECONDS - time.monotonic())
            self._listing_due = self.hub.loop.call_later(wait, self._tell_listing)

    def _tell_listing(self) -> None:
        self._listing_due = None
        self._listed_at = time.monotonic()
        before, after = self._known, self.everybody()
        self._known = after
        for user_id in after.keys() - before.keys():
            self.here.send(
                frame(protocol.Joined(user_internal_uuid=user_id, timestamp=now_text())), but=user_id
            )
        for user_id in before.keys() - after.keys():
            self.here.send(frame(protocol.Left(user_internal_uuid=user_id, timestamp=now_text())))
        self._update_listing()
        for connection in self.here:
            if connection.listing is not self._listing:
                connection.listing = self._listing
                connection.send(self._listing_frame)

    def _update_listing(self) -> None:
        there, session = self.everybody(), self.session
        host, presenter = (session.host, session.presenter) if session else (None, None)
        colors = people.colors(there)
        listed = [
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
        listing = orjson.dumps([listed, host, presenter])
        if listing != self._listing:
            self._listing = listing
            said = protocol.ParticipantsUpdate(
                participants=listed, host=host, current_presenter=presenter, timestamp=now_text()
            )
            self._listing_frame = frame(said)

    def tell_people(self, *, asks: bool = False) -> None:
        """Tells the other processes who is here; `asks` them to answer with theirs."""
        told = people.packed(self.people()) if not self.closed else []
        message = {"type": "people", "process": PROCESS, "people": told, "asks": asks}
        self.hub.publish(group_of(self.diagram_id), message)

    def hear_people(self, process: str, rows: list[list[Any]], *, asks: bool) -> None:
        self.elsewhere.heard(process, people.unpacked(rows), time.monotonic())
        self.people_changed()
        if asks:
            self.tell_people()

    # -- presence

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
            message = {"type": "presence", "process": PROCESS, "rows": rows}
            self.hub.publish(group_of(self.diagram_id), message)
        self._presence_due = self.hub.loop.call_later(PRESENCE_SECONDS, self._tell_presence)

    def hear_presence(self, rows: list[tuple[str, bytes]]) -> None:
        for user_id, text in rows:
            self.here.send_presence(text_frame(text), but=UUID(user_id))

    # -- the session

    async def refresh_session(self, session_id: UUID | None = None) -> None:
        """Reads the session anew and does what follows from it."""
        wanted = session_id or (self.session.id if self.session else None)
        if wanted is None:
            return
        try:
            found = await self.hub.run(sessions.states_of, [wanted])
        except Unavailable:
            return
        if wanted in found:
            self.take_session(found[wanted])

    def take_session(self, session: SessionState) -> None:
        """The session as the database has it."""
        before, self.session = self.session, session
        if session.ended:
            self.end(None, sessions.EXPIRED)
            return
        for user_id in session.removed:
            for connection in self.here.of(user_id):
                connection.close(NOT_ALLOWED)
        if before is not None and before.presenter != session.presenter:
            said = protocol.CurrentPresenter(current_presenter=session.presenter, timestamp=now_text())
            self.here.send(frame(said))
        if before != session:
            self.people_changed()

    async def change_session(self, change: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Changes the session in the database, here, and in the other processes."""
        done = await self.hub.run(change, *args, **kwargs)
        await self.refresh_session()
        self.hub.publish(group_of(self.diagram_id), {"type": "session", "process": PROCESS})
        return done

    async def mend(self) -> None:
        """Lets nobody present who is not here, and finds a host for a session that has lost its own."""
        session, there = self.session, self.everybody()
        if session is None or session.ended or not there:
            return
        if session.presenter is not None and session.presenter not in there:
            back = session.host if session.host in there else None
            await self._quietly(
                self.change_session(sessions.set_presenter, session.id, back, instead_of=session.presenter)
            )
        session = self.session
        hosting = there.get(session.host) if session and session.host else None
        if session is None or (hosting is not None and hosting.role >= Role.WRITER):
            self._hostless_since = None
            return
        now = time.monotonic()
        self._hostless_since = self._hostless_since or now
        heir = people.longest_writer(there)
        waited = now - self._hostless_since >= self.hub.limits.host_grace_seconds
        if heir is not None and (session.host is None or waited):
            self._hostless_since = None
            begins = session.host is None and session.presenter is None
            await self._quietly(
                self.change_session(
                    sessions.become_host, session.id, heir, instead_of=session.host, presents=begins
                )
            )

    def end(self, by: UUID | None, message: str) -> None:
        """The session is over: everybody is told and closed."""
        said = protocol.SessionEnded(user_internal_uuid=by, message=message, timestamp=now_text())
        self.here.send(frame(said))
        for connection in self.here:
            connection.close(SESSION_ENDED)
        self.session = None

    async def gone(self) -> None:
        """The diagram or its model was deleted."""
        await self._quietly(self.hub.run(sessions.end_sessions_of, [self.diagram_id]))
        self.end(None, sessions.DELETED)

    async def _quietly(self, doing: Awaitable[Any]) -> None:
        """What the next round makes up for when it fails now."""
        try:
            await doing
        except Exception as error:
            if not isinstance(error, Unavailable):
                logger.exception("A room could not be tended")


def _history(kind: log.Kind, undone: log.Undone) -> protocol.HistoryOperation:
    return protocol.HistoryOperation(
        operation_type=kind,
        message=undone.message,  # type: ignore[arg-type]  # one of the four
        operation_id=undone.operation_id,
        undone_operation_id=undone.undone_operation_id,
        timestamp=now_text(),
    )
