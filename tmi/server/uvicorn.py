"""uvicorn in this process: more messages a second than Daphne, from the `uvicorn` extra."""

import asyncio
import math
import socket
from collections.abc import Callable

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from tmi.config import Config
from tmi.server.gateway import Application, Gateway

SILENT = 4408
GOING_AWAY = 1001
LINGER_SECONDS = 0.3


def serve(
    application: Application, config: Config, listener: socket.socket, ready: Callable[[], None]
) -> None:
    """Serves an ASGI application on a bound socket until SIGTERM; calls `ready` when it takes connections."""
    tls = config.server.tls_enabled
    collaboration = config.collaboration
    options = uvicorn.Config(
        Gateway(application, config),
        ws=Socket,
        ws_max_size=1024 * 1024,
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


class Socket(WebSocketsSansIOProtocol):
    """A WebSocket that closes with the codes our clients know."""

    def shutdown(self) -> None:
        if self._open():
            self._leave(GOING_AWAY)
        else:
            super().shutdown()

    def keepalive_timeout(self) -> None:
        if self._open():
            self._leave(SILENT)

    def _open(self) -> bool:
        return self.handshake_complete and not self.close_sent and self.conn.state is State.OPEN

    def _leave(self, code: int) -> None:
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code})
        self.conn.send_close(code)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()
