"""Rules about single values: URIs, CWE ids, metadata keys."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tmi.lib.json import encode, nested_deeper
from tmi.lib.text import odd_text

SCHEME = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*):")
DANGEROUS_SCHEMES = {"javascript", "data", "vbscript", "file"}
# `user@host:path`, as version control systems write it.
SCP_ADDRESS = re.compile(r"^[\w.-]+@[\w.-]+:[^\s]+$")
CWE = re.compile(r"^CWE-[1-9][0-9]{0,5}$")
LARGEST_OBJECT = 16 * 1024
DEEPEST_OBJECT = 32
METADATA_KEY = re.compile(r"^[a-zA-Z0-9_-]+$")


def _split(value: str) -> tuple[str, str] | None:
    """Scheme and host of a URI, or None where it cannot be read."""
    try:
        parts = urlsplit(value)
        return parts.scheme.lower(), parts.hostname or ""
    except ValueError:
        return None


def http_uri(value: str) -> None:
    """Refuses what is not an absolute http or https URI."""
    parts = _split(value)
    if parts is None or parts[0] not in {"http", "https"} or not parts[1] or re.search(r"\s", value):
        raise ValidationError(_("Enter an http or https address."), code="uri")


def harmless_uri(value: str) -> None:
    """Refuses what is not an absolute URI, and schemes that run or read something on a click."""
    scheme = SCHEME.match(value.strip())
    if scheme is None or re.search(r"\s", value) or _split(value) is None:
        raise ValidationError(_("Enter an absolute address with a scheme, such as https://."), code="uri")
    if scheme[1].lower() in DANGEROUS_SCHEMES:
        raise ValidationError(
            _("Addresses that begin with %(scheme)s: are not allowed."),
            code="uri",
            params={"scheme": scheme[1].lower()},
        )


def repository_uri(value: str) -> None:
    """Any harmless URI, or `user@host:path`."""
    if not SCP_ADDRESS.match(value):
        harmless_uri(value)


def small_object(value: Any, name: str) -> None:
    """Refuses JSON of the field `name` that is large, deep, or has control characters in it."""
    if nested_deeper(value, DEEPEST_OBJECT):
        deep = _("Nested more than %(most)s levels deep.")
        raise ValidationError({name: ValidationError(deep, code="deep", params={"most": DEEPEST_OBJECT})})
    if (place := odd_text(value)) is not None:
        said = _("Control characters other than tab and newline are not allowed.")
        raise ValidationError({f"/{name}{place}" if place else name: said})
    if len(encode(value)) > LARGEST_OBJECT:
        large = _("At most %(most)s bytes.")
        raise ValidationError({name: ValidationError(large, code="large", params={"most": LARGEST_OBJECT})})


def cwe_id(value: str) -> None:
    """Refuses what is not of the form CWE-79."""
    if not CWE.match(value):
        raise ValidationError(_("Write CWE ids like CWE-79."), code="cwe")


def one_decimal(value: Any) -> None:
    """Refuses a score finer than a tenth."""
    if value != round(value, 1):
        raise ValidationError(_("At most one decimal."), code="decimals")


def metadata_key(value: str) -> None:
    if not METADATA_KEY.match(value):
        raise ValidationError(_("Use letters, digits, hyphens and underscores only."), code="key")


def no_duplicates(values: list[Any]) -> None:
    if len(set(values)) != len(values):
        raise ValidationError(_("The same entry stands in the list twice."), code="duplicates")
