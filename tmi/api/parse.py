"""Request bodies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from tmi.lib.errors import DomainError, ValidationFailed
from tmi.lib.json import BadJson, decode


class StrictJSONParser(BaseParser):
    """`application/json`, read strictly."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        most = settings.CONFIG.server.max_body_bytes
        body = stream.read(most + 1)
        if len(body) > most:
            raise DomainError(f"The body is larger than {most} bytes.", code="PAYLOAD_TOO_LARGE")
        try:
            return decode(body)
        except BadJson as error:
            raise ValidationFailed.of(error.field, str(error)) from None


class MergePatchParser(StrictJSONParser):
    """`application/merge-patch+json` (RFC 7396)."""

    media_type = "application/merge-patch+json"


class JsonPatchParser(StrictJSONParser):
    """`application/json-patch+json` (RFC 6902)."""

    media_type = "application/json-patch+json"
