"""What answers at addresses without a socket."""

from __future__ import annotations

from typing import Any


class UnknownSocket:
    """Refuses before the upgrade; without it the router would fail with a traceback."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.close"})
