"""The limit: an ASGI application that passes each message on to everybody, served exactly as ours is.

    python -m tests.bench.hub

serves on `TMI_SERVER_PORT` with `TMI_SERVER_ENGINE`: no people, no copy, no database.
"""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

from tmi.config import load
from tmi.server.web import engine

_open: set[Any] = set()


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    _open.add(send)
    try:
        while (message := await receive())["type"] == "websocket.receive":
            passed_on = {"type": "websocket.send", "text": message["text"]}
            for to in tuple(_open):
                await to(passed_on)
    finally:
        _open.discard(send)


def main() -> None:
    config = load(os.environ)
    serve = engine(config)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", config.server.port))
        listener.listen(1024)
        listener.setblocking(False)
        serve(application, config, listener, lambda: print("ready", flush=True))


if __name__ == "__main__":
    sys.exit(main())
