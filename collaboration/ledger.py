"""A diagram's cells in one process: edits on their way to the log, and everybody here kept up to date.

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
from typing import TYPE_CHECKING
from uuid import UUID

import orjson

from collaboration import log, protocol
from collaboration.connection import Connection
from collaboration.fanout import Fanout, Recent, frame, operation_text
from threatmodels import log as operation_log
from threatmodels.actions.operation import without_assets
from threatmodels.models import DiagramOperation
from threatmodels.operations import Rejected
from tmi.lib import metrics, tracing
from tmi.lib.clock import now_text
from tmi.lib.errors import NotFound, Unavailable
from tmi.server.wire import text_frame

if TYPE_CHECKING:
    from collaboration.hub import Hub

logger = logging.getLogger(__name__)

MOST_IN_BATCH = 256
# So many edits wait at most; who asks beyond that asks again later.
MOST_ASKED = 4_000
# A quiet diagram is written whole after a while; a busy one now and then, so that reading it stays short.
QUIET_SECONDS, BUSY_SECONDS, BUSY_OPERATIONS = 2.0, 30.0, 2_000
# No cell and no operation is written in fewer bytes.
SMALLEST_CELL, SMALLEST_OPERATION = 60, 240


@dataclass(frozen=True, slots=True)
class TakeBack:
    """A request to undo or redo, in the order of edits."""

    actor_id: UUID
    kind: log.Kind


Ask = log.Submission | TakeBack


class Ledger:
    """The copy of a diagram, its connections `here`, and the edits that wait.

    `on_told` gets what was committed here, as (first sequence number, texts with nothing left out); `on_gone`
    is called when the diagram turns out to be deleted.
    """

    def __init__(
        self,
        hub: Hub,
        diagram_id: UUID,
        here: Fanout,
        *,
        on_told: Callable[[int, list[bytes]], None],
        on_gone: Callable[[], Awaitable[None]],
    ) -> None:
        self.hub, self.diagram_id, self.here = hub, diagram_id, here
        self.lock = asyncio.Lock()
        self.threat_model_id: UUID | None = None
        self._on_told, self._on_gone = on_told, on_gone
        self._replica: log.Replica | None = None
        # The deleted assets that everybody here is shown the cells without.
        self._hidden: frozenset[str] = frozenset()
        self._recent = Recent(0)
        self._state: tuple[int, frozenset[str], bytes] | None = None
        self._asked: deque[tuple[Connection, Ask]] = deque()
        self._carrying_out = False
        self._changed_at = self._written_at = 0.0

    @property
    def told(self) -> int:
        """The number of the last operation that the connections were sent."""
        return self._recent.told

    @property
    def is_full(self) -> bool:
        return len(self._asked) >= MOST_ASKED

    @property
    def waiting(self) -> int:
        """Edits whose turn has not come."""
        return len(self._asked)

    @property
    def is_busy(self) -> bool:
        return bool(self._asked) or self._carrying_out

    # -- edits

    def ask(self, connection: Connection, ask: Ask) -> None:
        """Carries out an edit or takes one back, after those that were asked for before."""
        self._asked.append((connection, ask))
        if not self._carrying_out:
            self._carrying_out = True
            self.hub.spawn(self._carry_out())

    async def _carry_out(self) -> None:
        try:
            while self._asked:
                async with self.lock:
                    await self._carry_out_some(self._next_batch())
        finally:
            self._carrying_out = False

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
            connection, first = batch[0]
            if isinstance(first, TakeBack):
                await self._take_back(replica, connection, first)
            else:
                await self._append(replica, batch)
        except NotFound:
            self._replica = None
            await self._on_gone()
        except Exception as error:
            self._replica = None
            if not isinstance(error, Unavailable):
                logger.exception("Edits of %s failed", self.diagram_id)
            away = Rejected("unavailable", "The database is away; try again.")
            for connection, ask in batch:
                self._refuse(connection, ask, away)

    async def _take_back(self, replica: log.Replica, connection: Connection, ask: TakeBack) -> None:
        news, undone = await self.hub.run(log.take_back, replica, ask.actor_id, ask.kind)
        self._tell(news, replica.hidden)
        said = protocol.HistoryOperation(
            operation_type=ask.kind,
            message=undone.message,
            operation_id=undone.operation_id,
            undone_operation_id=undone.undone_operation_id,
            timestamp=now_text(),
        )
        connection.send(frame(said))

    async def _append(self, replica: log.Replica, batch: list[tuple[Connection, Ask]]) -> None:
        submissions = [ask for _, ask in batch if isinstance(ask, log.Submission)]
        with metrics.COMMIT_SECONDS.time(), tracing.span("append operations", number=len(submissions)):
            outcome = await self.hub.run(log.append, replica, submissions)
        metrics.OPERATIONS.inc(outcome.results.count(None))
        self._tell(outcome.news, replica.hidden)
        for (connection, ask), result in zip(batch, outcome.results, strict=True):
            if isinstance(result, log.Repeated):
                connection.send(text_frame(operation_text(result.accepted, replica.hidden)))
            elif result is not None:
                self._refuse(connection, ask, result)

    def _refuse(self, connection: Connection, ask: Ask, error: Rejected) -> None:
        if isinstance(ask, TakeBack):
            connection.send(frame(_unavailable(error.message)))
        else:
            self.reject(connection, ask.operation_id, error)

    def reject(
        self, connection: Connection, operation_id: UUID, error: Rejected, wait_ms: int | None = None
    ) -> None:
        """Tells the sender of an operation that it was not carried out."""
        metrics.REJECTED.labels(error.reason).inc()
        said = protocol.rejection(
            operation_id, error, update_vector=self.told, timestamp=now_text(), retry_after_ms=wait_ms
        )
        connection.send(frame(said))

    def _tell(self, news: list[DiagramOperation], hidden: frozenset[str]) -> None:
        """Sends operations to everybody here, and has the other processes told."""
        if news:
            texts = [operation_text(row) for row in news]
            self._deliver([operation_text(row, hidden) for row in news] if hidden else texts)
            # Their copies are those of the log, and what they hide they know themselves.
            self._on_told(news[0].sequence_number, texts)

    def _deliver(self, texts: list[bytes]) -> None:
        frames = [text_frame(text) for text in texts]
        self._recent.add(frames)
        self.here.send(b"".join(frames) if len(frames) > 1 else frames[0])
        self._changed_at = time.monotonic()

    # -- keeping up with the log

    async def _ready(self) -> log.Replica:
        """The copy, loaded anew after whatever put it in doubt. Raises NotFound, Unavailable."""
        if self._replica is not None:
            return self._replica
        if len(self.here):
            replica, missed = await self.hub.run(log.reload, self.diagram_id, self.told)
            if missed:
                self._deliver([operation_text(row, replica.hidden) for row in missed])
            self._show_without(replica)
        else:
            replica = await self.hub.run(log.load, self.diagram_id)
            self._recent, self._hidden = Recent(replica.vector), replica.hidden
        self._replica, self.threat_model_id = replica, replica.threat_model_id
        return replica

    async def catch_up(self, vector: int) -> None:
        """Fetches what other processes have written, up to `vector` at least."""
        if vector > self.told and len(self.here):
            async with self.lock:
                if vector > self.told:
                    await self._catch_up()

    async def _catch_up(self) -> None:
        try:
            replica = await self._ready()
            missed = await self.hub.run(log.catch_up, replica)
        except NotFound:
            await self._on_gone()
        except Exception as error:
            self._replica = None
            if not isinstance(error, Unavailable):
                logger.exception("Catching up with %s failed", self.diagram_id)
        else:
            if missed:
                self._deliver([operation_text(row, replica.hidden) for row in missed])

    async def hear(self, first: int, texts: list[bytes]) -> None:
        """Operations that another process has committed."""
        async with self.lock:
            fresh = texts[self.told + 1 - first :] if first <= self.told else texts
            replica = self._replica
            if not fresh or replica is None:
                return
            if first > self.told + 1 or replica.hidden:
                await self._catch_up()
                return
            try:
                for text in fresh:
                    replica.state.apply(orjson.loads(text)["operation"])
                    replica.vector += 1
            except Rejected:
                logger.exception("The copy of %s had gone astray", self.diagram_id)
                self._replica = None
            else:
                self._deliver(fresh)

    # -- whoever comes, or comes back

    async def greet(self, connection: Connection, since: int | None) -> None:
        """Sends the diagram, and from then on every operation. Raises NotFound, Unavailable."""
        async with self.lock:
            if self._replica is not None:  # it may lag while nobody is here
                await self._catch_up()
            replica = await self._ready()
            # An asset may have been deleted while they were away, which is no operation.
            connection.send(await self._behind(replica, None if _names(replica, replica.hidden) else since))
            self.here.add(connection)

    async def send_behind(self, connection: Connection, since: int) -> None:
        """What the connection is missing since an operation."""
        async with self.lock:
            try:
                connection.send(await self._behind(await self._ready(), since))
            except NotFound:
                await self._on_gone()
            except Unavailable as error:
                connection.send(frame(_unavailable(error.message)))

    async def _behind(self, replica: log.Replica, since: int | None) -> bytes:
        """Frames with the missed operations, or with the whole diagram where that is shorter."""
        if since is None or not 0 <= since <= replica.vector:
            return self._whole(replica)
        if since == replica.vector:
            return frame(protocol.SyncStatus(update_vector=replica.vector, timestamp=now_text()))
        # Whoever asks for a long past does not have it read, only to be sent the diagram after all.
        least = (replica.vector - since) * SMALLEST_OPERATION
        if least > SMALLEST_CELL * len(replica.state.cells) and least > len(self._whole(replica)):
            return self._whole(replica)
        missed = await self._missed(replica, since)
        if missed is None:
            return self._whole(replica)
        if len(missed) < SMALLEST_CELL * len(replica.state.cells):
            return missed
        whole = self._whole(replica)
        return missed if len(missed) < len(whole) else whole

    async def _missed(self, replica: log.Replica, since: int) -> bytes | None:
        """Frames of the operations after `since`; None where the log does not reach back so far."""
        kept = self._recent.since(since)
        if kept is None:
            rows = await self.hub.run(operation_log.since, self.diagram_id, since)
            rows = [row for row in rows if row.sequence_number <= replica.vector]
            if len(rows) != replica.vector - since:
                return None
            kept = [text_frame(operation_text(row, replica.hidden)) for row in rows]
        return b"".join(kept)

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
            replica = self._replica
            if replica is None:
                return
            try:
                replica.hidden = await self.hub.run(log.hidden_assets, replica.threat_model_id)
            except Unavailable:
                return  # the next look around finds the difference again
            self._show_without(replica)

    def hides(self, assets: frozenset[str]) -> bool:
        """Whether it is these assets that everybody here is shown the cells without."""
        return self._replica is None or self._replica.hidden == assets

    def _show_without(self, replica: log.Replica) -> None:
        """Sends everybody the diagram, when cells name an asset that has come or gone since they saw it."""
        changed = replica.hidden ^ self._hidden
        self._hidden = replica.hidden
        if _names(replica, changed):
            self._recent = Recent(replica.vector)
            self.here.send(self._whole(replica))

    # -- the checkpoint

    async def rest(self) -> None:
        """Writes the cells into the diagram's row, when it is quiet or has not been done for long."""
        replica = self._replica
        if replica is not None and replica.checkpoint < replica.vector:
            now, behind = time.monotonic(), replica.vector - replica.checkpoint
            quiet = now - self._changed_at > QUIET_SECONDS
            if quiet or (behind > BUSY_OPERATIONS and now - self._written_at > BUSY_SECONDS):
                await self.write_checkpoint()

    async def write_checkpoint(self) -> None:
        """Writes the cells into the diagram's row, if that lacks anything; edits go on meanwhile."""
        async with self.lock:
            replica = self._replica
            if replica is None or replica.checkpoint >= replica.vector:
                return
            vector, cells = replica.vector, replica.state.listed()
        self._written_at = time.monotonic()
        try:
            await self.hub.run(operation_log.checkpoint, self.diagram_id, vector, cells)
        except Unavailable:
            return  # it is tried again
        replica.checkpoint = vector


def _unavailable(message: str) -> protocol.Error:
    return protocol.Error(code="SERVICE_UNAVAILABLE", message=message, details={}, timestamp=now_text())


def _names(replica: log.Replica, assets: frozenset[str]) -> bool:
    """Whether a cell names one of these assets."""
    if not assets:
        return False
    return not assets.isdisjoint(a for c in replica.state.cells.values() for a in c.get("data_asset_ids", ()))
