"""Request bodies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser

from tmi.lib.errors import DomainError, ValidationFailed
from tmi.lib.json import BadJson, decode

# JSON is UTF-8 (RFC 8259), whoever says so.
UTF_8 = frozenset({"utf-8", "utf8", "us-ascii"})


class StrictJSONParser(BaseParser):
    """`application/json`, read strictly."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        if _charset(media_type or "") not in UTF_8:
            raise UnsupportedMediaType(media_type or "")
        most = settings.CONFIG.server.max_body_bytes
        body = stream.read(most + 1)
        if len(body) > most:
            raise DomainError(f"The body is larger than {most} bytes.", code="PAYLOAD_TOO_LARGE")
        try:
            return decode(body)
        except BadJson as error:
            raise ValidationFailed.of(error.field, str(error)) from None


def _charset(media_type: str) -> str:
    return str(parse_header_parameters(media_type)[1].get("charset", "utf-8")).lower()


class MergePatchParser(StrictJSONParser):
    """`application/merge-patch+json` (RFC 7396)."""

    media_type = "application/merge-patch+json"


class JsonPatchParser(StrictJSONParser):
    """`application/json-patch+json` (RFC 6902)."""

    media_type = "application/json-patch+json"
