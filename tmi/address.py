"""Where a request comes from."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address of the caller; a forwarded one is believed only where a configured proxy says it."""
    direct = str(request.META.get("REMOTE_ADDR") or "")
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    for hop in reversed([part for part in forwarded if part]):
        if not is_trusted_proxy(direct):
            break
        direct = hop
    return direct


def is_trusted_proxy(address: str) -> bool:
    found = _parsed(address)
    networks = (ipaddress.ip_network(n, strict=False) for n in settings.CONFIG.server.trusted_proxies)
    return found is not None and any(found in network for network in networks)


def is_loopback(request: HttpRequest) -> bool:
    """Whether the caller is on this machine, with no proxy in between that could hide somebody else."""
    found = _parsed(str(request.META.get("REMOTE_ADDR") or ""))
    return found is not None and found.is_loopback and "X-Forwarded-For" not in request.headers


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None
