"""Requests of the server never reach the inside, by whatever name it is called."""

from __future__ import annotations

import http.server
import socket
import threading
from contextlib import suppress

import pytest
import requests

from tmi.lib import outgoing

INSIDE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1%eth0",
    "fd00::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "ff02::1",
]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_of_the_inside_is_never_allowed(address):
    assert not outgoing.allowed(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34"])
def test_a_public_address_is_allowed(address):
    assert outgoing.allowed(address)


@pytest.mark.asvs("v5.0.0-1.3.6", "v5.0.0-13.2.4")
@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://user:secret@93.184.216.34/",
        "http://93.184.216.34/",
        "ftp://93.184.216.34/",
        "file:///etc/passwd",
        "https://",
        "https://[::1/",
        "https://93.184.216.34:99999/",
        "nonsense",
    ],
)
def test_a_url_that_leads_inside_is_refused(url):
    with pytest.raises(outgoing.Forbidden):
        outgoing.check_url(url)


@pytest.fixture
def inside():
    """A server on this machine that counts what reaches it, and sends everybody on to itself."""
    reached = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            reached.append(self.path)
            self.send_response(302 if self.path == "/away" else 200)
            self.send_header("Location", f"http://127.0.0.2:{server.server_port}/secret")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), Handler)  # noqa: S104
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, reached
    server.shutdown()


def allow(settings, *networks):
    opened = settings.CONFIG.outgoing.model_copy(update={"allowed_networks": list(networks)})
    settings.CONFIG = settings.CONFIG.model_copy(update={"outgoing": opened})


def test_nothing_is_sent_inside(inside):
    port, reached = inside
    with pytest.raises(requests.ConnectionError):
        outgoing.Session().get(f"http://localhost:{port}/")
    assert reached == []


def test_the_operator_opens_networks_and_no_others(inside, settings):
    port, reached = inside
    allow(settings, "127.0.0.1/32")
    outgoing.check_url(f"http://127.0.0.1:{port}/")
    assert outgoing.Session().get(f"http://127.0.0.1:{port}/").status_code == 200
    with pytest.raises(outgoing.Forbidden):
        outgoing.check_url(f"http://127.0.0.2:{port}/")
    assert reached == ["/"]


@pytest.mark.asvs("v5.0.0-15.3.2")
def test_a_redirect_is_not_followed(inside, settings):
    port, reached = inside
    allow(settings, "127.0.0.0/8")
    assert outgoing.Session().get(f"http://127.0.0.1:{port}/away").status_code == 302
    assert reached == ["/away"]


@pytest.mark.asvs("v5.0.0-16.5.2")
def test_an_endless_answer_is_cut_off(settings):
    allow(settings, "127.0.0.0/8")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def pour():
            taken, _ = server.accept()
            taken.recv(4096)
            taken.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            with suppress(OSError):
                while True:
                    taken.sendall(b"x" * 65536)

        threading.Thread(target=pour, daemon=True).start()
        with pytest.raises(requests.ConnectionError):
            outgoing.Session().get(f"http://127.0.0.1:{server.getsockname()[1]}/")


@pytest.mark.asvs("v5.0.0-1.3.6")
def test_a_name_that_changes_its_address_after_the_check_gets_nowhere(inside, settings, monkeypatch):
    port, reached = inside
    public = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port))]
    private = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    answers = iter([public, private])
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: next(answers))
    outgoing.check_url(f"https://rebind.example.org:{port}/")
    with pytest.raises(requests.ConnectionError):
        outgoing.Session().get(f"https://rebind.example.org:{port}/")
    assert reached == []


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch):
    mixed = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 443)) for a in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: mixed)
    with pytest.raises(outgoing.Forbidden):
        outgoing.check_url("https://mixed.example.org/")
