"""Addresses that programs are sent back to."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ValidationError
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext_lazy as _

# A scheme of one's own is a domain turned round, so that it belongs to somebody (RFC 8252, 7.1).
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
_PLAIN = re.compile(r"[\x21-\x7e]+")


@deconstructible
class RedirectUri:
    """https, http on a loopback address, or a scheme of one's own; no fragment, no user name."""

    def __call__(self, value: str) -> None:
        if not is_redirect_uri(value):
            raise ValidationError(_("Programs cannot be sent to this address."), code="redirect_uri")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RedirectUri)

    def __hash__(self) -> int:
        return hash(RedirectUri)


def is_redirect_uri(value: str) -> bool:
    try:
        parts = urlsplit(value)
        _port = parts.port
    except ValueError:
        return False
    if not _PLAIN.fullmatch(value) or "#" in value or "@" in parts.netloc:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    return is_loopback(parts) or bool(_PRIVATE_SCHEME.fullmatch(parts.scheme))


def is_loopback(parts: SplitResult) -> bool:
    """Whether it is http on 127.0.0.1 or [::1], by number."""
    try:
        return parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def same_redirect(registered: str, given: str) -> bool:
    """Whether the address is the registered one; on loopback the port may be any (RFC 8252, 7.3)."""
    if registered == given:
        return True
    if not is_redirect_uri(given):
        return False
    ours, theirs = urlsplit(registered), urlsplit(given)
    if not (is_loopback(ours) and is_loopback(theirs)):
        return False
    return (ours.hostname, ours.path, ours.query) == (theirs.hostname, theirs.path, theirs.query)


def form_source(uri: str) -> str:
    """What a content policy calls the place: an origin, or a scheme."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"
