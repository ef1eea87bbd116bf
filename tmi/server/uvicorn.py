"""uvicorn in this process: more messages a second than Daphne, from the `uvicorn` extra."""

import asyncio
import math
import signal
import socket
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import PayloadTooBig
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import State

from tmi.config import Config
from tmi.config_schema import Server as Limits
from tmi.server import late
from tmi.server.gateway import Application, Gateway
from tmi.server.wire import EXTENSION, close_seconds

SILENT = 4408
TOO_LARGE = 4413
GOING_AWAY = 1001
LINGER_SECONDS = 0.3
TOO_LATE = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"


def serve(
    application: Application, config: Config, listener: socket.socket, ready: Callable[[], None]
) -> None:
    """Serves an ASGI application on a bound socket until SIGTERM; calls `ready` when it takes connections."""
    tls = config.server.tls_enabled
    collaboration = config.collaboration
    options = uvicorn.Config(
        Gateway(application, config),
        http=partial(Requests, limits=config.server),  # type: ignore[arg-type]  # called as a class is
        ws=Socket,
        ws_max_size=collaboration.message_bytes,
        # A frame that is put together once for everybody cannot be compressed for each.
        ws_per_message_deflate=False,
        ws_ping_interval=collaboration.ping_seconds,
        ws_ping_timeout=collaboration.silence_seconds - collaboration.ping_seconds,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=math.ceil(config.server.idle_timeout),
        timeout_graceful_shutdown=math.ceil(config.server.shutdown_timeout),
        ssl_certfile=config.server.tls_cert_file if tls else None,
        ssl_keyfile=config.server.tls_key_file if tls else None,
    )
    # At its end uvicorn sends itself the signal that stopped it once more; what comes after is still to run.
    signal.signal(signal.SIGTERM, lambda *_: None)
    Server(options, ready).run(sockets=[listener])


class Server(uvicorn.Server):
    """uvicorn that says when it takes connections."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tell()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Whoever was connected a moment ago has not asked yet: they are heard before the rest is closed."""
        for server in self.servers:
            server.close()
        await asyncio.sleep(LINGER_SECONDS)
        await super().shutdown(sockets)


class Requests(HttpToolsProtocol):
    """A connection on which each request has to arrive, and to be answered, in time."""

    def __init__(self, *given: Any, limits: Limits, **named: Any) -> None:
        super().__init__(*given, **named)
        self.limits = limits
        self._answered: RequestResponseCycle | None = None
        self._known_as: UUID | None = None
        self._arriving: asyncio.TimerHandle | None = None
        self._answering: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the base
        super().connection_made(transport)
        # The base gives up on silence after the first request only.
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        self._stop_answering()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._arrives()
        super().data_received(data)

    def on_message_begin(self) -> None:
        self._arrives()
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._arrived()
        super().on_message_complete()
        if self._answered is not None and not self._answered.response_complete and self._answering is None:
            self._answering = self.loop.call_later(self.limits.write_timeout, self._give_up)

    def on_response_complete(self) -> None:
        self._stop_answering()
        super().on_response_complete()

    def handle_websocket_upgrade(self) -> None:
        """The connection is a socket's from here on."""
        self._arrived()
        self._stop_answering()
        super().handle_websocket_upgrade()

    def timeout_keep_alive_handler(self) -> None:
        """Whoever does not take the last answer is cut off: a close would wait for that."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        super().timeout_keep_alive_handler()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answered = cycle
        self._known_as = late.name_request(cycle.scope)  # type: ignore[arg-type]
        super()._start_asgi_task(cycle, app)

    def _arrives(self) -> None:
        if self._arriving is None:
            self._arriving = self.loop.call_later(self.limits.read_timeout, self._cut)

    def _arrived(self) -> None:
        if self._arriving is not None:
            self._arriving.cancel()
            self._arriving = None

    def _cut(self) -> None:
        self._arriving = None
        if self.pipeline:  # it waits for an earlier request to be answered
            self._arrives()
        else:
            self.transport.abort()

    def _stop_answering(self) -> None:
        if self._answering is not None:
            self._answering.cancel()
            self._answering = None

    def _give_up(self) -> None:
        """A short answer where none has begun; one that has is not to look whole."""
        cycle, self._answering = self._answered, None
        if cycle is None or cycle.response_started:
            self.transport.abort()
            return
        cycle.disconnected = True
        cycle.message_event.set()
        headers, body = late.too_late(cycle.scope["path"], self._known_as)
        lines = b"".join(b"%s: %s\r\n" % pair for pair in headers)
        self.transport.write(TOO_LATE + lines + b"\r\n" + body)
        self.transport.close()


class Socket(WebSocketsSansIOProtocol):
    """A WebSocket that closes with the codes our clients know, and that can be written to below ASGI."""

    async def run_asgi(self) -> None:
        extensions: dict[str, Any] = self.scope["extensions"] or {}
        extensions[EXTENSION] = UvicornWire(self)
        await super().run_asgi()

    def shutdown(self) -> None:
        if self.is_open():
            self.leave(GOING_AWAY)
        else:
            super().shutdown()

    def keepalive_timeout(self) -> None:
        if self.is_open():
            self.leave(SILENT)

    def handle_parser_exception(self) -> None:
        """What is too large is refused with our code; the base has only noted its own, and not sent it."""
        if self.close_sent:
            return
        if isinstance(self.conn.parser_exc, PayloadTooBig):
            self.conn.data_to_send()
            self.finish(
                TOO_LARGE, Frame(Opcode.CLOSE, Close(TOO_LARGE, "").serialize()).serialize(mask=False)
            )
        else:
            super().handle_parser_exception()

    def is_open(self) -> bool:
        return self.handshake_complete and not self.close_sent and self.conn.state is State.OPEN

    def leave(self, code: int) -> None:
        """Closes with a code."""
        if self.is_open():
            self.conn.send_close(code)
            self.finish(code, b"".join(self.conn.data_to_send()))

    def finish(self, code: int, last: bytes) -> None:
        """Sends the last bytes, tells the application, and cuts the connection if there is no answer."""
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code})
        self.transport.write(last)
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(close_seconds(code), self.transport.abort)


class UvicornWire:
    """The connection of a `Socket`."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    def write(self, frames: bytes) -> int:
        if not self._socket.is_open():
            return 0
        transport = self._socket.transport
        transport.write(frames)
        return transport.get_write_buffer_size()

    def waiting(self) -> int:
        return self._socket.transport.get_write_buffer_size()

    def close(self, code: int) -> None:
        self._socket.leave(code)
