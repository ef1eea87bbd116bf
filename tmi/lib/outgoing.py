"""Requests to other servers, never to addresses of the inside.

The rule is applied where the connection is made, to every address that the name has at that moment: a name
that answers differently the second time gets no further.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from tmi.lib.errors import DomainError

TIMEOUT_SECONDS = 10
MOST_BYTES = 1024 * 1024

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Forbidden(DomainError):
    """The server must not send anything to this address."""

    code = "VALIDATION_ERROR"


def allowed(text: str) -> bool:
    """Whether requests may go to this IP address: a public one, or one of `outgoing.allowed_networks`."""
    address = _plain(ipaddress.ip_address(text.partition("%")[0]))
    networks = (ipaddress.ip_network(n, strict=False) for n in settings.CONFIG.outgoing.allowed_networks)
    if any(address in network for network in networks):
        return True
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for (mapped, 6to4, NAT64), or itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped or address.sixtofour:
            return address.ipv4_mapped or address.sixtofour or address
        if address in ipaddress.ip_network("64:ff9b::/96"):
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def resolve(host: str, port: int) -> list[tuple[Any, ...]]:
    """What getaddrinfo says. Raises Forbidden when any of the addresses is one of the inside, OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if not all(allowed(str(info[4][0])) for info in found):
        raise Forbidden("This address is not reachable for requests of the server.")
    return found


def check_url(url: str) -> None:
    """Raises Forbidden unless the URL is https (or http to an allowed network) and leads outside."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Forbidden("This is no address.") from None
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.password:
        raise Forbidden("An https address without a user name is expected.")
    try:
        found = resolve(host, port or (443 if parts.scheme == "https" else 80))
    except (OSError, UnicodeError, ValueError):
        raise Forbidden("The name of this server is not known.") from None
    if parts.scheme == "http" and not all(_is_listed(str(info[4][0])) for info in found):
        raise Forbidden("An https address is expected.")


def _is_listed(text: str) -> bool:
    address = _plain(ipaddress.ip_address(text.partition("%")[0]))
    networks = settings.CONFIG.outgoing.allowed_networks
    return any(address in ipaddress.ip_network(network, strict=False) for network in networks)


class Session(requests.Session):
    """Connects to allowed addresses alone; no proxy variables, no redirects, no endless answers."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.mount("http://", _Guarded())
        self.mount("https://", _Guarded())

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Raises requests.RequestException, also for an answer that is too long or takes too long."""
        kwargs |= {"timeout": TIMEOUT_SECONDS, "allow_redirects": False, "stream": True}
        ends = time.monotonic() + 2 * TIMEOUT_SECONDS
        answer = super().request(*args, **kwargs)
        content = bytearray()
        for chunk in answer.iter_content(16 * 1024):
            content += chunk
            if len(content) > MOST_BYTES or time.monotonic() > ends:
                answer.close()
                raise requests.ConnectionError("The answer is too long.")
        answer._content = bytes(content)
        return answer


# -- where the connection is made


def _connect(connection: HTTPConnection) -> socket.socket:
    try:
        found = resolve(connection._dns_host, connection.port)
        last: OSError = OSError("the name has no address")
        for family, kind, protocol, _name, place in found:
            made = socket.socket(family, kind, protocol)
            try:
                made.settimeout(connection.timeout if isinstance(connection.timeout, int | float) else None)
                made.connect(place)
            except OSError as error:
                made.close()
                last = error
            else:
                made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return made
    except Forbidden as error:
        raise NewConnectionError(connection, error.message) from error
    except (OSError, UnicodeError) as error:
        raise NewConnectionError(connection, "The name is not known.") from error
    raise NewConnectionError(connection, f"No connection: {last.strerror}") from last


def _tls() -> ssl.SSLContext:
    """Public certificates, which requests adds, and those of `outgoing.ca_file`; TLS 1.2 at least."""
    context = create_urllib3_context()
    if settings.CONFIG.outgoing.ca_file:
        context.load_verify_locations(settings.CONFIG.outgoing.ca_file)
    return context


class _Http(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _Https(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class _Guarded(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=_tls(), **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
