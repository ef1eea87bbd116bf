"""Daphne in this process: the inherited socket, timeouts, silence, and a stop that finishes what it began."""

import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.server import Server as Daphne
from daphne.ws_protocol import WebSocketProtocol
from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet.interfaces import IOpenSSLContextFactory
from twisted.internet.protocol import connectionDone
from twisted.internet.tcp import Connection
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from zope.interface import implementer

from tmi.config import Config
from tmi.server import late
from tmi.server.gateway import Application, Gateway, longest_body
from tmi.server.wire import EXTENSION, close_seconds

SILENT = 4408
TOO_LARGE = 4413
GOING_AWAY = 1001
NEVER = -1
TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"connection: close\r\n\r\nThe first line or a header of the request is too long."
)


def serve(
    application: Application, config: Config, listener: socket.socket, ready: Callable[[], None]
) -> None:
    """Serves an ASGI application on a bound socket until SIGTERM; calls `ready` when it takes connections."""
    server = Server(Gateway(application, config), config, listener, ready)
    signal.signal(signal.SIGTERM, lambda *_: reactor.callFromThread(server.drain))
    server.run()


class Server(Daphne):  # type: ignore[misc]  # Daphne has no types
    """Daphne with our socket, factory and end."""

    def __init__(
        self, application: Gateway, config: Config, listener: socket.socket, ready: Callable[[], None]
    ) -> None:
        super().__init__(
            application,
            endpoints=["inherited"],  # the base refuses to be without one
            signal_handlers=False,
            http_timeout=config.server.write_timeout,
            websocket_timeout=NEVER,
            ping_interval=config.collaboration.ping_seconds,
            ping_timeout=0,  # `Socket` measures silence itself, and says so to the client
            websocket_max_message_size=config.collaboration.message_bytes,
            websocket_max_frame_size=config.collaboration.message_bytes,
            server_name="",
            ready_callable=partial(self._listen, listener, ready),
        )
        self.endpoints: list[str] = []
        self.config = config
        self.longest_body = longest_body(config)
        self._port: Any = None
        self._deadline = 0.0

    def drain(self) -> None:
        """No new connections; requests finish, sockets are told to come back elsewhere, then the end."""
        if self._deadline:
            return
        self._deadline = time.monotonic() + self.config.server.shutdown_timeout
        self._port.stopListening()
        for protocol in list(self.connections):
            if isinstance(protocol, WebSocketProtocol) and protocol.state == protocol.STATE_OPEN:
                protocol.leave(GOING_AWAY)
        self._end_when_idle()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if isinstance(protocol, Socket):
            scope["extensions"] = {EXTENSION: DaphneWire(protocol)}
        else:
            protocol.known_as = late.name_request(scope)
        return super().create_application(protocol, scope)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        if self._deadline and message["type"] == "http.response.start":
            message = message | {"headers": [*message.get("headers", []), (b"connection", b"close")]}
            protocol.channel.persistent = False
        await super().handle_reply(protocol, message)

    def _listen(self, listener: socket.socket, ready: Callable[[], None]) -> None:
        self.ws_factory.protocol = Socket
        factory: Any = Factory(self, timeout=self.config.server.idle_timeout)
        if self.config.server.tls_enabled:
            factory = TLSMemoryBIOFactory(Certificate(self.config), False, factory)  # type: ignore[arg-type]  # declared through zope
        self._port = reactor.adoptStreamPort(listener.fileno(), listener.family, factory)
        reactor.callWhenRunning(ready)

    def _end_when_idle(self) -> None:
        if time.monotonic() < self._deadline and any(map(_busy, self.connections.values())):
            reactor.callLater(0.05, self._end_when_idle)  # type: ignore[arg-type]  # zope interfaces count self
        else:
            self.stop()


def _busy(details: dict[str, Any]) -> bool:
    running = details.get("application_instance")
    return not details.get("disconnected") or (running is not None and not running.done())


class Channel(HTTPChannel):
    """A connection that is cut when the first line of a request does not arrive in time.

    From that line on `Request` looks at the clock.
    """

    _cutting: Any = None

    def dataReceived(self, data: bytes) -> None:  # noqa: N802  Twisted's name
        super().dataReceived(data)  # type: ignore[no-untyped-call]  # Twisted's
        if self.requests or not self._buffer:
            self._stop_cutting()
        elif self._cutting is None:
            seconds = self.factory.server.config.server.read_timeout
            self._cutting = reactor.callLater(seconds, self.forceAbortClient)

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802  Twisted's name
        """Says why; the base only hangs up."""
        transport: Any = self.transport
        transport.write(TOO_LONG)
        self.loseConnection()  # type: ignore[no-untyped-call]  # Twisted's

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802  Twisted's name
        self._stop_cutting()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]  # Twisted's

    def _stop_cutting(self) -> None:
        if self._cutting is not None and self._cutting.active():
            self._cutting.cancel()
        self._cutting = None


class Request(WebRequest):  # type: ignore[misc]  # Daphne has no types
    """A request that must arrive in time, and of which no more is kept than anybody reads."""

    _received = 0
    known_as: UUID | None = None

    def __init__(self, *given: Any, **named: Any) -> None:
        # Twisted would read forms for nobody, and refuse a bad one with an answer of its own.
        super().__init__(*given, parsePOSTFormSubmission=False, **named)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802  Twisted's name
        if self._received <= self.server.longest_body:
            super().handleContentChunk(data)
        self._received += len(data)

    def check_timeouts(self) -> None:
        """Ends a request that is still arriving when its time is over, and an answer that takes too long."""
        if self.finished or self._disconnected:
            return  # its application has not noticed yet; an error here would end all looking
        limits = self.server.config.server
        arriving = not hasattr(self, "request_start")
        since = self.server.connections[self]["connected"]
        if arriving and time.time() - since > limits.read_timeout:
            self.channel.forceAbortClient()
        elif self._response_started and self.duration() > limits.write_timeout:
            # The base would end it, so that half of an answer looks whole.
            self.channel.forceAbortClient()
        elif not arriving and self.duration() > limits.write_timeout:
            headers, body = late.too_late(self.path.decode("latin1"), self.known_as)
            self.handle_reply({"type": "http.response.start", "status": 503, "headers": headers})
            self.handle_reply({"type": "http.response.body", "body": body})


class Socket(WebSocketProtocol):  # type: ignore[misc]  # Daphne has no types
    """A WebSocket that is closed with a code of its own when nothing at all is heard from the other side."""

    _heard = 0.0

    def dataReceived(self, data: bytes) -> None:  # noqa: N802  Twisted's name
        self._heard = time.monotonic()
        super().dataReceived(data)

    def check_timeouts(self) -> None:
        """Pings, and gives up on silence."""
        super().check_timeouts()
        silence = time.monotonic() - self._heard
        if self.state == self.STATE_OPEN and silence > self.server.config.collaboration.silence_seconds:
            self.leave(SILENT)

    def leave(self, code: int) -> None:
        """Closes with a code; the base knows only those of applications."""
        if self.state == self.STATE_OPEN:
            self.closeHandshakeTimeout = 0  # the base would cut after a second
            self.sendCloseFrame(code=code)
            reactor.callLater(close_seconds(code), self._cut)  # type: ignore[arg-type]  # zope interfaces count self

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802  Daphne's name
        self.leave(1000 if code is None else code)

    def _cut(self) -> None:
        if self.state != self.STATE_CLOSED:
            self.dropConnection(abort=True)

    def _max_message_size_exceeded(self, *_: object) -> None:
        self.leave(TOO_LARGE)


class DaphneWire:
    """The connection of a `Socket`.

    What the system takes at once is handed to it at once; Twisted would wait for the next round of its loop.
    """

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    def write(self, frames: bytes) -> int:
        if self._socket.state != self._socket.STATE_OPEN:
            return 0
        transport = self._socket.transport
        if not isinstance(transport, Connection):  # TLS lies between
            transport.write(frames)
            return self.waiting()
        sent = 0
        if not (transport.dataBuffer or transport._tempDataBuffer or transport.disconnecting):
            with suppress(OSError):  # full, or broken, which Twisted finds out
                sent = transport.socket.send(frames)
        if sent == len(frames):
            return 0
        transport.write(frames[sent:])  # type: ignore[no-untyped-call]  # Twisted's
        return self.waiting()

    def waiting(self) -> int:
        transport = self._socket.transport
        while not isinstance(transport, Connection):
            transport = transport.transport
        return len(transport.dataBuffer) - transport.offset + transport._tempDataLen

    def close(self, code: int) -> None:
        self._socket.leave(code)


class Factory(HTTPFactory):  # type: ignore[misc]  # Daphne has no types
    """Connections with our classes and idle timeout."""

    protocol = Channel

    def __init__(self, server: Server, timeout: float) -> None:
        super().__init__(server)
        self.timeOut = timeout

    def buildProtocol(self, addr: object) -> Any:  # noqa: N802  Twisted's name
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        return protocol


@implementer(IOpenSSLContextFactory)
class Certificate:
    """The configured certificate chain and key; TLS 1.2 and later."""

    def __init__(self, config: Config) -> None:
        self._context = SSL.Context(SSL.TLS_SERVER_METHOD)
        self._context.set_min_proto_version(SSL.TLS1_2_VERSION)
        self._context.use_certificate_chain_file(config.server.tls_cert_file)
        self._context.use_privatekey_file(config.server.tls_key_file)

    def getContext(self) -> SSL.Context:  # noqa: N802  Twisted's name
        return self._context
