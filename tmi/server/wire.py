"""A WebSocket below ASGI: frames that were put together once go to many connections as they are.

ASGI's `send` encodes each message anew for each connection and does not tell how much still waits there. Our
servers put a `Wire` into the extensions of the scope; without one `AsgiWire` does the same through `send`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, Protocol

EXTENSION = "tmi.wire"
TOO_SLOW = 1013
# How long a connection that was told to close may take before it is cut; who is slow gets time to read why.
CLOSE_SECONDS, CLOSE_SLOW_SECONDS = 2.0, 10.0

FINAL_TEXT = 0x81
ONE_BYTE, TWO_BYTES, EIGHT_BYTES = 125, 126, 127


class Wire(Protocol):
    """One open connection, used from the event loop only."""

    def write(self, frames: bytes) -> int:
        """Sends whole frames, or nothing when the connection is closed; what `waiting` says after that."""

    def waiting(self) -> int:
        """Bytes that the other side has not taken yet and this process still holds."""

    def close(self, code: int) -> None:
        """Says goodbye with a code and cuts the connection when the other side does not answer."""


def close_seconds(code: int) -> float:
    """How long the other side has for its goodbye."""
    return CLOSE_SLOW_SECONDS if code == TOO_SLOW else CLOSE_SECONDS


def text_frame(text: bytes) -> bytes:
    """An unfragmented, unmasked text frame (RFC 6455, 5.2)."""
    size = len(text)
    if size <= ONE_BYTE:
        return bytes((FINAL_TEXT, size)) + text
    if size < 1 << 16:
        return bytes((FINAL_TEXT, TWO_BYTES)) + size.to_bytes(2, "big") + text
    return bytes((FINAL_TEXT, EIGHT_BYTES)) + size.to_bytes(8, "big") + text


def texts_of(frames: bytes) -> Iterator[bytes]:
    """The texts of frames that `text_frame` made."""
    at = 0
    while at < len(frames):
        size, at = frames[at + 1], at + 2
        if size > ONE_BYTE:
            more = 2 if size == TWO_BYTES else 8
            size, at = int.from_bytes(frames[at : at + more], "big"), at + more
        yield frames[at : at + size]
        at += size


class AsgiWire:
    """A wire over the `send` of any ASGI server: messages leave in order, one after the other."""

    def __init__(self, send: Callable[[Any], Awaitable[None]]) -> None:
        self._send = send
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._waiting = 0
        self._task = asyncio.create_task(self._drain())

    def write(self, frames: bytes) -> int:
        self._waiting += len(frames)
        for text in texts_of(frames):
            self._messages.put_nowait({"type": "websocket.send", "text": text.decode()})
        return self._waiting

    def waiting(self) -> int:
        return self._waiting

    def close(self, code: int) -> None:
        self._messages.put_nowait({"type": "websocket.close", "code": code})

    async def _drain(self) -> None:
        with suppress(Exception):  # the connection is gone, which its own task sees
            while True:
                message = await self._messages.get()
                await self._send(message)
                if message["type"] == "websocket.close":
                    return
                self._waiting = 0 if self._messages.empty() else self._waiting - len(message["text"])
