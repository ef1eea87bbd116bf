"""The rooms of this process, and what they have in common: threads, the channel layer, a look around.

The database is the truth. Redis carries what has happened to the other processes quickly; what gets lost
there is found by `look_around`, which asks the database for the vectors of all rooms and the deleted
assets of their models, their sessions, and what everybody there may still do.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, TypeVar
from uuid import UUID

from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.models import OuterRef
from psycopg_pool import PoolTimeout

from collaboration import keys, telling
from collaboration.actions import session as sessions
from collaboration.connection import INACTIVE, NOT_ALLOWED, SIGNED_OUT
from collaboration.room import Room
from collaboration.telling import EVENTS, PROCESS, event_of, group_of
from threatmodels import access
from threatmodels.models import Asset, Diagram
from tmi.lib import metrics, rows
from tmi.lib.errors import Unavailable
from tmi.lib.events import Event

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Threads, and database connections, for the rooms of this process.
THREADS = 4
LOOK_SECONDS = 0.7
PRESENCE_SECONDS = 1.0
HOUSEKEEPING_SECONDS = 20.0
# Only a process that has reached the database so long without a pause takes silence for the end of a session:
# meanwhile every other one could note that people are there.
STEADY_SECONDS, LONGEST_PAUSE = 3 * HOUSEKEEPING_SECONDS, 1.5 * HOUSEKEEPING_SECONDS
# Messages that wait for Redis; when it is away they are worth nothing, for the database has them.
MOST_WAITING = 1_000
REDIS_SECONDS = 1.0


class Hub:
    """Made by the first socket, on the event loop of the process; `Hub.of_process` for everybody."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.limits = settings.CONFIG.collaboration
        self.rooms: dict[UUID, Room] = {}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="collaboration")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._inboxes: dict[UUID, asyncio.Task[Any]] = {}
        self._outgoing: asyncio.Queue[Callable[[], Awaitable[Any]]] = asyncio.Queue(MOST_WAITING)
        self._keys = keys.Keys()
        self._kept: dict[UUID, deque[bytes]] = {}
        self._presence_at = self._housekeeping_at = -HOUSEKEEPING_SECONDS
        # When the database was last reached, and since when without a pause.
        self._reached_at = self._steady_since = 0.0
        self._looking = asyncio.Lock()
        self._show()
        self.spawn(self._send_outgoing())
        self.spawn(self._forever(LOOK_SECONDS, self.look_around))
        self.spawn(self._listen(EVENTS, self._hear_event))

    @staticmethod
    @lru_cache(maxsize=1)
    def of_process() -> Hub:
        """The one hub of this process."""
        hub = Hub()
        telling.deliver_to(hub.on_event)
        return hub

    def _show(self) -> None:
        """What /metrics says of the rooms."""
        metrics.watch(metrics.ROOMS, lambda: len(self.rooms))
        metrics.watch(metrics.QUEUE.labels("redis"), self._outgoing.qsize)
        metrics.watch(
            metrics.QUEUE.labels("operations"),
            lambda: sum(room.ledger.waiting for room in self.rooms.values()),
        )

    # -- for rooms

    async def run(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Calls a function that uses the database in a thread. Raises Unavailable when that is away."""
        return await self.loop.run_in_executor(
            self._threads, partial(_with_database, function, *args, **kwargs)
        )

    def spawn(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """A task that is held until it ends, and whose failure is logged."""
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def publish(self, group: str, message: dict[str, Any]) -> None:
        """Sends a message to the rooms of other processes, in order, when Redis takes it."""
        self._queue(partial(self._layer().group_send, group, message))

    def keep_operations(self, session_id: UUID, texts: list[bytes]) -> None:
        """Adds operations to the list of the session in Redis, in a moment."""
        self._kept.setdefault(session_id, deque(maxlen=keys.MOST_OPERATIONS)).extend(texts)

    def room(self, diagram_id: UUID) -> Room:
        """The room of a diagram, which may be new."""
        found = self.rooms.get(diagram_id)
        if found is None:
            found = self.rooms[diagram_id] = Room(self, diagram_id)
            hear = partial(self._hear_room, found)
            task = self.loop.create_task(self._listen(group_of(diagram_id), hear, found.company.tell_others))
            self._inboxes[diagram_id] = task
        return found

    # -- what happens elsewhere

    def on_event(self, event: Event) -> None:
        """An event of this process, from any thread."""
        with suppress(RuntimeError):  # the loop has ended
            self.loop.call_soon_threadsafe(self._take_event, event)

    async def _hear_event(self, message: dict[str, Any]) -> None:
        self._take_event(event_of(message))

    def _take_event(self, event: Event) -> None:
        if event.kind == "diagram.operation":
            room = self.rooms.get(event.entity_id)
            if room is not None and event.data["sequence_number"] > room.ledger.told:
                self.spawn(room.ledger.catch_up(event.data["sequence_number"]))
        elif event.kind == "collaboration_session.ended":
            room = self.rooms.get(UUID(event.data["diagram_id"]))
            if room is not None:
                room.end(event.entity_id, event.actor_id, event.data["message"])
        elif event.kind in ("diagram.deleted", "threat_model.deleted"):
            for room in list(self.rooms.values()):
                if event.entity_id in (room.diagram_id, room.ledger.threat_model_id):
                    self.spawn(room.gone())
        elif event.kind.startswith(("asset.", "threat.", "suggestion.")):
            self._parts_changed(event)
        elif self.rooms and event.kind.startswith(
            ("access.", "group.", "session.", "user.", "threat_model.")
        ):
            self.spawn(self.check_standings())

    def _parts_changed(self, event: Event) -> None:
        """Cells refer to assets, and threats are shown on them."""
        for room in self.rooms.values():
            if event.threat_model_id != room.ledger.threat_model_id:
                continue
            if event.kind.startswith("asset."):
                self.spawn(room.ledger.assets_changed())
            else:
                room.threats_changed()

    async def _hear_room(self, room: Room, message: dict[str, Any]) -> None:
        room.heard_at = time.monotonic()
        if message["process"] == PROCESS:
            return
        kind = message["type"]
        if kind == "operations":
            await room.ledger.hear(message["first"], message["texts"])
        elif kind == "presence":
            room.company.hear_presence(message["rows"])
        elif kind == "people":
            room.company.hear_others(message["process"], message["people"], asks=message["asks"])
        elif kind == "session":
            await room.refresh_session()
        elif kind == "direct":
            for connection in room.here.of(UUID(message["user_id"])):
                connection.send(message["frame"])

    async def _listen(
        self, group: str, hear: Callable[[Any], Awaitable[None]], begun: Callable[..., None] | None = None
    ) -> None:
        """One subscription, as long as it takes: whatever breaks is begun anew."""
        while True:
            layer = self._layer()
            channel = ""
            try:
                channel = await layer.new_channel()
                await layer.group_add(group, channel)
                if begun is not None:
                    begun(asks=True)
                while True:
                    message = await layer.receive(channel)
                    try:
                        await hear(message)
                    except Exception:
                        logger.exception("A message from another process could not be used")
            except asyncio.CancelledError:
                with suppress(Exception):
                    await layer.group_discard(group, channel)
                raise
            except Exception as error:
                logger.warning("Redis cannot be listened to: %s", error)
                await asyncio.sleep(REDIS_SECONDS)

    # -- looking around

    async def look_around(self) -> None:
        """Everything that Redis may have lost, and what only time brings about."""
        now = time.monotonic()
        for room in list(self.rooms.values()):
            if room.is_idle():
                await self._forget(room)
        if now - self._presence_at > PRESENCE_SECONDS:
            self._presence_at = now
            self._tell_presence()
        if now - self._housekeeping_at > HOUSEKEEPING_SECONDS:
            await self._keep_house()
            self._housekeeping_at = now
        if not self.rooms:
            return
        await self._check_vectors()
        await self._check_sessions()
        await self.check_standings()
        self._close_inactive(now)
        for room in list(self.rooms.values()):
            if not room.is_in_touch():
                room.company.elsewhere.keep(now)
            elif room.company.elsewhere.forget_silent(now):
                room.company.changed()
            await room.mend()
            await room.ledger.rest()

    async def _keep_house(self) -> None:
        """Notes who is here, and ends sessions that nobody is in."""
        before, self._reached_at = self._reached_at, 0.0
        live = [(room.session, room) for room in self.rooms.values() if room.session is not None]
        here = {session.id: list(room.company.people()) for session, room in live if len(room.here)}
        everybody = {
            session.id: list(room.company.everybody())
            for session, room in live
            if session.id in here and room.is_in_touch()
        }
        await self.run(sessions.keep_alive, here, everybody)
        # By the clock on the wall, which goes on while the machine sleeps.
        now = self._reached_at = time.time()
        if not 0 <= now - before <= LONGEST_PAUSE:
            self._steady_since = now
        silent_before = None
        if now - self._steady_since >= STEADY_SECONDS:
            silence = max(self.limits.idle_session_seconds, STEADY_SECONDS)
            silent_before = datetime.fromtimestamp(now - silence, UTC)
        await self.run(sessions.end_stale_sessions, silent_before=silent_before)

    async def _check_vectors(self) -> None:
        asked = list(self.rooms.items())  # a room that is made meanwhile was not asked about
        found = await self.run(_vectors, [diagram_id for diagram_id, _ in asked])
        for diagram_id, room in asked:
            if diagram_id not in found:
                await room.gone()
                continue
            vector, deleted_assets = found[diagram_id]
            if vector > room.ledger.told:
                self.spawn(room.ledger.catch_up(vector))
            if not room.ledger.hides(deleted_assets):
                self.spawn(room.ledger.assets_changed())

    async def _check_sessions(self) -> None:
        live = {room.session.id: room for room in self.rooms.values() if room.session is not None}
        if not live:
            return
        found = await self.run(sessions.states_of, list(live))
        for session_id, room in live.items():
            # It may have been another one's turn meanwhile.
            if session_id in found and room.session is not None and room.session.id == session_id:
                room.take_session(found[session_id])

    async def check_standings(self) -> None:
        """What everybody here may do now: some are closed, some have another role."""
        async with self._looking:
            here = [(room, one) for room in self.rooms.values() for one in room.here if not one.closed]
            places = list({one.place for _, one in here})
            if not places:
                return
            found = dict(zip(places, await self.run(access.standings, places), strict=True))
        deleted: set[Room] = set()
        for room, one in here:
            standing = found[one.place]
            if not standing.signed_in:
                one.close(SIGNED_OUT)
            elif not standing.exists:
                deleted.add(room)
            elif standing.role is None:
                one.close(NOT_ALLOWED)
            elif standing.role != one.role:
                one.role = standing.role
                room.company.changed()
                room.company.tell_others()
        for room in deleted:
            await room.gone()

    def _close_inactive(self, now: float) -> None:
        for room in self.rooms.values():
            for one in room.here:
                if now - one.heard > self.limits.inactive_seconds:
                    one.close(INACTIVE)

    def _tell_presence(self) -> None:
        for room in self.rooms.values():
            room.company.tell_others()
        kept, self._kept = self._kept, {}
        for session_id, texts in kept.items():
            self._queue(partial(self._keys.operations, session_id, list(texts)))
        if self.rooms:
            told = [
                keys.Presence(room.diagram_id, room.session, room.company.people(), room.company.everybody())
                for room in self.rooms.values()
            ]
            self._queue(partial(self._keys.presence, told))

    async def _forget(self, room: Room) -> None:
        # All at once: while the room closes, another one of this diagram may begin.
        del self.rooms[room.diagram_id]
        self._inboxes.pop(room.diagram_id).cancel()
        await room.close()

    # -- tasks

    def _queue(self, sending: Callable[[], Awaitable[Any]]) -> None:
        if self._outgoing.full():
            self._outgoing.get_nowait()
        self._outgoing.put_nowait(sending)

    async def _send_outgoing(self) -> None:
        away = False
        while True:
            sending = await self._outgoing.get()
            try:
                await asyncio.wait_for(sending(), REDIS_SECONDS)
                away = False
            except Exception as error:
                if not away:
                    logger.warning("Redis does not take messages: %s", error)
                away = True

    async def _forever(self, seconds: float, doing: Callable[[], Awaitable[None]]) -> None:
        away = False
        while True:
            await asyncio.sleep(seconds)
            try:
                await doing()
                away = False
            except Unavailable as error:
                if not away:
                    logger.warning("%s", error)
                away = True
            except Exception:
                logger.exception("Looking around failed")

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("A task of the rooms failed", exc_info=error)

    def _layer(self) -> Any:
        return get_channel_layer()


def _with_database(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """What is wrong with the connection becomes Unavailable, and the next caller gets a new one."""
    try:
        # A room speaks for all who are in it; whoever comes in is asked for by themselves (`admit`).
        with rows.scope(rows.EVERYTHING):
            return function(*args, **kwargs)
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        connection.close()
        raise Unavailable("The database is away.") from error
    except DatabaseError:
        connection.close()
        raise


def _vectors(diagram_ids: list[UUID]) -> dict[UUID, tuple[int, frozenset[str]]]:
    """The vectors of those that are not deleted, with the deleted assets of their models, in one query."""
    live = Diagram.objects.filter(pk__in=diagram_ids, deleted_at=None, threat_model__deleted_at=None)
    deleted = Asset.objects.deleted().filter(threat_model=OuterRef("threat_model"))
    rows = live.values_list("pk", "update_vector", ArraySubquery(deleted.values("pk")))
    return {pk: (vector, frozenset(map(str, assets))) for pk, vector, assets in rows}
