"""Who sends a request too slowly is cut off, and who waits too long for its answer; by both servers."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from email import message_from_string
from email.message import Message
from typing import Any
from uuid import UUID, uuid4

import pytest
from websockets.sync.client import connect

from tmi.config import BASE_DIR

READ, WRITE, IDLE = 1, 2, 3
# Daphne looks every two seconds.
LOOK = 2
SLACK = 5

SERVER = f"""
import asyncio, importlib, socket, sys
from tmi.config import load

async def application(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({{"type": "websocket.accept"}})
        while (message := await receive())["type"] == "websocket.receive":
            await send({{"type": "websocket.send", "text": message["text"]}})
        return
    size = 0
    while (message := await receive())["type"] == "http.request":
        size += len(message["body"])
        if not message["more_body"]:
            break
    if scope["path"].endswith("/slow"):
        await asyncio.sleep(60)
    await send({{"type": "http.response.start", "status": 200, "headers": []}})
    if scope["path"] == "/halting":
        await send({{"type": "http.response.body", "body": b"half", "more_body": True}})
        await asyncio.sleep(60)
    await send({{"type": "http.response.body", "body": str(size).encode()}})

limits = {{"TMI_SERVER_READ_TIMEOUT": "{READ}s", "TMI_SERVER_WRITE_TIMEOUT": "{WRITE}s"}}
limits |= {{"TMI_SERVER_IDLE_TIMEOUT": "{IDLE}s", "TMI_DATA_DIR": sys.argv[2]}}
serve = importlib.import_module("tmi.server." + sys.argv[1]).serve
listener = socket.create_server(("127.0.0.1", 0))
listener.setblocking(False)
serve(application, load(limits), listener, lambda: print(listener.getsockname()[1], flush=True))
"""


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    command = [sys.executable, "-c", SERVER, request.param, str(tmp_path_factory.mktemp("data"))]
    with subprocess.Popen(command, cwd=BASE_DIR, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.terminate()


@pytest.fixture
def line(port: int) -> Iterator[socket.socket]:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as opened:
        yield opened


def heard(line: socket.socket, seconds: float) -> bytes | None:
    """Everything up to the end of the connection; None when it does not end in time."""
    said, deadline = b"", time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        line.settimeout(left)
        try:
            more = line.recv(4096)
        except ConnectionError:
            return said
        except TimeoutError:
            break
        if not more:
            return said
        said += more
    return None


def answer(line: socket.socket) -> bytes:
    """One answer in chunks, whose pieces may arrive one by one."""
    said = b""
    while not said.endswith(b"\r\n0\r\n\r\n"):
        more = line.recv(4096)
        assert more, said
        said += more
    return said


def drip(line: socket.socket, text: bytes, seconds: float) -> bool:
    """Sends a little every fifth of a second; whether it was cut off meanwhile."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            line.sendall(text)
        except ConnectionError:
            return True
        line.settimeout(0.2)
        try:
            if line.recv(4096) == b"":
                return True
        except ConnectionError:
            return True
        except TimeoutError:
            continue
    return False


@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (b"GET /", b"a"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"X-A: b\r\n"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n", b"a"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    ],
    ids=["line", "headers", "body", "chunks"],
)
def test_a_request_that_arrives_too_slowly_is_cut_off(line: socket.socket, begun: bytes, more: bytes) -> None:
    line.sendall(begun)
    assert drip(line, more, READ + LOOK + SLACK)


def test_the_second_request_of_a_connection_has_its_time_too(line: socket.socket) -> None:
    for _ in range(2):
        line.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
        assert b"200 OK" in answer(line)
        time.sleep(READ + 0.3)  # longer than a request may take to arrive, shorter than a silence may be
    line.sendall(b"GET / HTTP/1.1\r\nX: ")
    assert drip(line, b"a", READ + LOOK + SLACK)


def test_a_connection_without_a_request_is_not_kept(line: socket.socket) -> None:
    assert heard(line, 0.5) is None
    assert heard(line, IDLE + LOOK + SLACK) == b""


def test_an_answer_that_does_not_begin_in_time_is_a_503(line: socket.socket) -> None:
    line.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert (heard(line, WRITE + LOOK + SLACK) or b"").startswith(b"HTTP/1.1 503 ")


def late(line: socket.socket, *headers: str) -> tuple[Message, Any]:
    """Headers and JSON of an answer of the API that did not begin in time."""
    asked = ["GET /api/v1/slow HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
    line.sendall("\r\n".join(asked).encode())
    head, _, body = (heard(line, WRITE + LOOK + SLACK) or b"").partition(b"\r\n\r\n")
    status, _, fields = head.decode().partition("\r\n")
    assert status.startswith("HTTP/1.1 503 ")
    return message_from_string(fields), json.loads(body)


def test_the_api_says_in_its_own_form_that_an_answer_took_too_long(line: socket.socket) -> None:
    known = str(uuid4())
    headers, said = late(line, f"X-Request-ID: {known}")
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Request-ID"] == said["meta"]["request_id"] == known
    assert (said["success"], said["error"]["code"]) == (False, "SERVICE_UNAVAILABLE")


def test_a_request_without_an_id_of_its_own_is_told_the_one_that_it_got(line: socket.socket) -> None:
    headers, said = late(line)
    assert headers["X-Request-ID"] == said["meta"]["request_id"] == str(UUID(headers["X-Request-ID"]))


def test_an_answer_that_does_not_end_in_time_does_not_look_whole(line: socket.socket) -> None:
    line.sendall(b"GET /halting HTTP/1.1\r\nHost: localhost\r\n\r\n")
    said = heard(line, WRITE + LOOK + SLACK)
    assert said is not None
    assert said.startswith(b"HTTP/1.1 200 OK")
    assert not said.endswith(b"0\r\n\r\n")


def test_a_socket_outlives_all_of_them(port: int) -> None:
    with connect(f"ws://127.0.0.1:{port}/") as opened:
        time.sleep(READ + WRITE + IDLE + LOOK)
        opened.send("still here")
        assert opened.recv(timeout=10) == "still here"
