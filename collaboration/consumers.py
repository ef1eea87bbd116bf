"""The socket of a diagram: authenticates, reads messages, and hands them to the room."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import Any

from channels.consumer import AsyncConsumer
from django.conf import settings

from accounts.models import User
from collaboration import protocol
from collaboration.actions import session as sessions
from collaboration.admission import Knock, Refused, admit, join
from collaboration.connection import (
    MALFORMED,
    MOST_MALFORMED,
    NOT_FOUND,
    TOO_LARGE,
    TOO_MANY,
    Connection,
)
from collaboration.fanout import frame
from collaboration.hub import Hub
from collaboration.ledger import TakeBack
from collaboration.log import Submission
from collaboration.room import Room
from collaboration.telling import PROCESS
from threatmodels.operations import Rejected
from threatmodels.roles import Role
from tmi.lib import metrics
from tmi.lib.clock import now_text
from tmi.lib.errors import DomainError, NotFound, Unavailable
from tmi.server.wire import EXTENSION, AsgiWire, Wire

logger = logging.getLogger(__name__)

TRY_AGAIN = 1013
BUSY_WAIT_SECONDS = 1.0


class DiagramConsumer(AsyncConsumer):  # type: ignore[misc]  # Channels has no types
    """One socket. It has no channel of its own: its room listens for all of them."""

    channel_layer_alias = None
    connection: Connection
    room: Room
    wire: Wire
    person: User

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope, self.base_send = scope, send
        self.hub = Hub.of_process()
        self.limits = settings.CONFIG.collaboration
        await receive()  # websocket.connect
        knock = Knock.of(scope)
        if not knock.has_known_host() or knock.has_foreign_origin():
            await send({"type": "websocket.close"})  # before it is accepted: HTTP 403
            return
        await send({"type": "websocket.accept"})
        wire = scope.get("extensions", {}).get(EXTENSION)
        self.wire = wire if wire is not None else AsgiWire(send)
        try:
            with metrics.SOCKETS.track_inprogress():
                entered = await self.enter(knock)
                while (message := await receive())["type"] != "websocket.disconnect":
                    if entered:
                        self.hear(message)
        finally:
            if hasattr(self, "connection"):
                self.connection.closed = True
                self.hub.spawn(self.room.leave(self.connection))

    # -- coming in

    async def enter(self, knock: Knock) -> bool:
        """Whether the person is in; if not, the socket is being closed."""
        try:
            user, sign_in, diagram = await self.hub.run(admit, knock)
            room = self.hub.room(diagram.pk)
            mine, all_ = room.company.connections(user.pk)
            if mine >= self.limits.connections_per_user or all_ >= self.limits.connections_per_diagram:
                raise Refused(TOO_MANY)
            with room.company.arriving(user.pk):
                admission = await self.hub.run(join, user, sign_in, diagram, knock.base_url)
                self.person, self.room = user, room
                self.connection = Connection(
                    admission.place,
                    admission.name,
                    admission.role,
                    admission.session_id,
                    wire=self.wire,
                    limits=self.limits,
                )
                await room.ledger.greet(self.connection, knock.since)
            await room.enter(self.connection, admission.session_id, admission.there)
        except Refused as refused:
            return self.turn_away(refused.code)
        except NotFound:
            return self.turn_away(NOT_FOUND)
        except Unavailable:
            return self.turn_away(TRY_AGAIN)
        return not self.connection.closed

    def turn_away(self, code: int) -> bool:
        metrics.CLOSES.labels(code).inc()
        self.wire.close(code)
        return False

    # -- messages

    def hear(self, message: dict[str, Any]) -> None:
        """One frame of the client's."""
        connection = self.connection
        connection.heard = time.monotonic()
        if connection.closed:
            return
        text = message.get("text")
        if text is None:
            text = message.get("bytes") or b""
        if len(text if isinstance(text, bytes) else text.encode()) > self.limits.message_bytes:
            connection.close(TOO_LARGE)
        elif not connection.messages.take():
            connection.close(TOO_MANY)
        else:
            self.read(text)

    def read(self, text: str | bytes) -> None:
        connection = self.connection
        try:
            asked = protocol.parse(text, most_steps=self.limits.operation_cells)
        except protocol.EditRefused as refused:
            if self.within_limit(refused.operation_id):
                self.room.ledger.reject(
                    connection, refused.operation_id, Rejected(refused.reason, refused.message)
                )
        except protocol.Malformed as malformed:
            connection.malformed += 1
            details = {"field": malformed.field, "reason": malformed.message}
            self.complain(malformed.code, malformed.message, details)
            if connection.malformed >= MOST_MALFORMED:
                connection.close(MALFORMED)
            return
        else:
            HANDLERS[type(asked)](self, asked)
        connection.malformed = 0

    def complain(self, code: str, message: str, details: dict[str, Any] | None = None) -> None:
        said = protocol.Error(code=code, message=message, details=details or {}, timestamp=now_text())
        self.connection.send(frame(said))

    # -- editing

    def edit(self, asked: protocol.Edit) -> None:
        if self.connection.role < Role.WRITER:
            denied = Rejected("permission_denied", "A reader cannot change the diagram.")
            self.room.ledger.reject(self.connection, asked.operation_id, denied)
        elif self.within_limit(asked.operation_id):
            self.room.ledger.ask(
                self.connection,
                Submission(asked.operation_id, self.connection.user_id, asked.operation, asked.base_vector),
            )

    def undo(self, asked: protocol.UndoRequest) -> None:
        self.take_back("undo")

    def redo(self, asked: protocol.RedoRequest) -> None:
        self.take_back("redo")

    def take_back(self, kind: Any) -> None:
        if self.connection.role < Role.WRITER:
            self.complain("PERMISSION_DENIED", "A reader cannot change the diagram.")
        elif self.within_limit(None):
            self.room.ledger.ask(self.connection, TakeBack(self.connection.user_id, kind))

    def sync(self, asked: protocol.SyncRequest) -> None:
        if self.within_limit(None, edit=False):
            self.hub.spawn(self.room.ledger.send_behind(self.connection, asked.update_vector))

    def within_limit(self, operation_id: Any, *, edit: bool = True) -> bool:
        """Takes one of the edits that the person has; whoever goes far beyond is cut off."""
        limit = self.room.edit_limit(self.connection.user_id)
        ledger = self.room.ledger
        within = limit.take(edit=edit)
        if within and not ledger.is_full:
            return True
        if within:
            limit.pause(BUSY_WAIT_SECONDS)
        wait = math.ceil(limit.wait_seconds() * 1000)
        if limit.is_flood():
            self.connection.close(TOO_MANY)
        elif operation_id is None:
            self.complain("RATE_LIMITED", "Too much at once.", {"retry_after_ms": wait})
        else:
            limited = Rejected("rate_limited", "Too many operations at once.")
            ledger.reject(self.connection, operation_id, limited, wait)
        return False

    # -- presence

    def relay(self, kind: str, message: Any) -> None:
        self.room.company.relay(self.connection.user_id, kind, protocol.encode(message))

    def is_presenter(self) -> bool:
        return self.room.session is not None and self.room.session.presenter == self.connection.user_id

    def cursor(self, asked: protocol.CursorMoved) -> None:
        self.relay("cursor", protocol.Cursor(**self.mine(), cursor_position=asked.cursor_position))

    def selection(self, asked: protocol.SelectionChanged) -> None:
        self.relay("selection", protocol.Selection(**self.mine(), selected_cells=asked.selected_cells))

    def presenter_cursor(self, asked: protocol.PresenterCursorMoved) -> None:
        if self.is_presenter():
            said = protocol.PresenterCursor(**self.mine(), cursor_position=asked.cursor_position)
            self.relay("presenter_cursor", said)

    def presenter_selection(self, asked: protocol.PresenterSelectionChanged) -> None:
        if self.is_presenter():
            said = protocol.PresenterSelection(**self.mine(), selected_cells=asked.selected_cells)
            self.relay("presenter_selection", said)

    def presenter_viewport(self, asked: protocol.PresenterViewportChanged) -> None:
        if self.is_presenter():
            said = protocol.PresenterViewport(**self.mine(), x=asked.x, y=asked.y, zoom=asked.zoom)
            self.relay("presenter_viewport", said)

    def mine(self) -> dict[str, Any]:
        return {"user_internal_uuid": self.connection.user_id, "timestamp": now_text()}

    # -- the session

    def presenter_request(self, asked: protocol.PresenterRequest) -> None:
        session = self.room.session
        if session is None or session.host is None:
            self.complain("CONFLICT", "This session has no host.")
        elif session.host == self.connection.user_id:
            self.present(self.connection.user_id)
        else:
            self.direct(session.host, protocol.PresenterRequested(**self.mine()))

    def change_presenter(self, asked: protocol.ChangePresenter) -> None:
        if self.is_host():
            if asked.new_presenter in self.room.company.everybody():
                self.present(asked.new_presenter)
            else:
                self.complain("NOT_FOUND", "There is no such participant.", {"field": "new_presenter"})

    def deny_presenter(self, asked: protocol.DenyPresenter) -> None:
        if self.is_host():
            denied = asked.user_internal_uuid
            said = protocol.PresenterDenied(user_internal_uuid=denied, timestamp=now_text())
            self.direct(denied, said)

    def remove_participant(self, asked: protocol.RemoveParticipant) -> None:
        if not self.is_host():
            return
        removed = self.room.company.everybody().get(asked.user_internal_uuid)
        if removed is None:
            self.complain("NOT_FOUND", "There is no such participant.", {"field": "user_internal_uuid"})
        elif removed.role == Role.OWNER:
            self.complain("PERMISSION_DENIED", "An owner cannot be removed.")
        else:
            session_id = self.room.session.id  # type: ignore[union-attr]  # it has a host
            self.change(
                sessions.remove_participant, session_id, user_id=asked.user_internal_uuid, actor=self.person
            )

    def end_session(self, asked: protocol.EndSession) -> None:
        session = self.room.session
        if session is not None:
            self.change(sessions.end_session_of, session.id, actor=self.person, role=self.connection.role)

    def is_host(self) -> bool:
        session = self.room.session
        hosts = session is not None and session.host == self.connection.user_id
        if hosts and self.connection.role >= Role.WRITER:
            return True
        self.complain("PERMISSION_DENIED", "Only the host can do this.")
        return False

    def present(self, user_id: Any) -> None:
        session = self.room.session
        assert session is not None
        self.change(sessions.set_presenter, session.id, user_id, instead_of=session.presenter)

    def change(self, action: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Changes the session, and says so when it cannot be done."""

        async def carry_out() -> None:
            try:
                await self.room.change_session(action, *args, **kwargs)
            except DomainError as error:
                self.complain(error.code, error.message, error.details)

        self.hub.spawn(carry_out())

    def direct(self, user_id: Any, message: Any) -> None:
        """Sends to one person, by whatever process they are here."""
        frames = frame(message)
        for connection in self.room.here.of(user_id):
            connection.send(frames)
        told = {"type": "direct", "process": PROCESS, "user_id": str(user_id), "frame": frames}
        self.hub.publish(self.room.company.group, told)


HANDLERS: dict[type[Any], Callable[[DiagramConsumer, Any], None]] = {
    protocol.Edit: DiagramConsumer.edit,
    protocol.SyncRequest: DiagramConsumer.sync,
    protocol.UndoRequest: DiagramConsumer.undo,
    protocol.RedoRequest: DiagramConsumer.redo,
    protocol.CursorMoved: DiagramConsumer.cursor,
    protocol.SelectionChanged: DiagramConsumer.selection,
    protocol.PresenterCursorMoved: DiagramConsumer.presenter_cursor,
    protocol.PresenterSelectionChanged: DiagramConsumer.presenter_selection,
    protocol.PresenterViewportChanged: DiagramConsumer.presenter_viewport,
    protocol.PresenterRequest: DiagramConsumer.presenter_request,
    protocol.ChangePresenter: DiagramConsumer.change_presenter,
    protocol.DenyPresenter: DiagramConsumer.deny_presenter,
    protocol.RemoveParticipant: DiagramConsumer.remove_participant,
    protocol.EndSession: DiagramConsumer.end_session,
}
