"""WebSocket frames by hand (RFC 6455), where a client library would be too good or too slow."""

from __future__ import annotations

import base64
import os
import socket
from urllib.parse import urlsplit

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
NO_MASK = bytes(4)


def frame(payload: bytes, opcode: int = TEXT, *, final: bool = True, reserved: int = 0) -> bytes:
    """A client's frame. Its mask is zero, which costs us nothing and the server as much as any other."""
    first, size = (0x80 if final else 0) | reserved << 4 | opcode, len(payload)
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 1 << 16:
        head = bytes((first, 0xFE)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, 0xFF)) + size.to_bytes(8, "big")
    return head + NO_MASK + payload


class Frames:
    """A server's frames out of the bytes that arrive."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, received: bytes) -> list[tuple[int, bytes]]:
        """The frames that are complete now: opcode and payload."""
        data, at, found = self._rest + received, 0, []
        while (end := whole(data, at)) is not None:
            start, stop = end
            found.append((data[at] & 0x0F, data[start:stop]))
            at = stop
        self._rest = data[at:]
        return found


def whole(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the payload of the frame at `at` begins and ends; None while it is not all there."""
    left = len(data) - at
    if left < 2:
        return None
    size, head = data[at + 1], 2
    if size == 126:
        head = 4
        size = int.from_bytes(data[at + 2 : at + 4], "big")
    elif size == 127:
        head = 10
        size = int.from_bytes(data[at + 2 : at + 10], "big")
    return (at + head, at + head + size) if left >= head + size else None


def opened(url: str, *, receive_buffer: int = 0, timeout: float = 20) -> tuple[socket.socket, bytes]:
    """A connected socket after the upgrade, and what came with that. Raises ConnectionError."""
    place = urlsplit(url)
    made = socket.socket()
    if receive_buffer:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.settimeout(timeout)
    made.connect((place.hostname, place.port))
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [f"GET {place.path}?{place.query} HTTP/1.1", f"Host: {place.netloc}", "Upgrade: websocket"]
    lines += ["Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", ""]
    made.sendall("\r\n".join(lines).encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        received = made.recv(65536)
        if not received:
            raise ConnectionError(f"closed before the upgrade: {answer[:200]!r}")
        answer += received
    head, _, rest = answer.partition(b"\r\n\r\n")
    if b" 101 " not in head.split(b"\r\n")[0]:
        raise ConnectionError(f"no upgrade: {head[:200]!r}")
    return made, rest
