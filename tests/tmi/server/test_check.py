"""The health check of a container asks by a name that the server answers to."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tmi.config import load
from tmi.server.check import ask


@pytest.mark.parametrize(
    ("allowed", "name"),
    [
        ("tmi.example.org", "tmi.example.org"),
        (".example.org", "example.org"),
        ("*", "localhost"),
        ("*,.example.org", "example.org"),
    ],
)
def test_it_asks_by_a_name_that_is_allowed(tmp_path: Path, allowed: str, name: str) -> None:
    asked: list[str | None] = []

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Host"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        where = {"TMI_SERVER_PORT": str(server.server_port), "TMI_SERVER_ALLOWED_HOSTS": allowed}
        assert ask(load({**where, "TMI_DATA_DIR": str(tmp_path)}), "/healthz") == 204
        thread.join()
    assert asked == [name]
