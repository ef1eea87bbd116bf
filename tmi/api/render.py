"""Answers as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.http import parse_header_parameters
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from tmi.lib.json import encode

# A weight of nothing.
NOTHING = re.compile(r"0(\.0*)?\Z")


class Negotiation(DefaultContentNegotiation):
    """`Accept` (RFC 9110, 12.5.1): what has q=0 is refused, and an empty header says nothing."""

    def get_accept_list(self, request: Request) -> list[str]:
        if not request.headers.get("Accept", "").strip():
            return ["*/*"]
        return [one for one in super().get_accept_list(request) if not _refused(one)]

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        given = filter(_refused, super().get_accept_list(request))
        refused = {parse_header_parameters(one)[0] for one in given}
        left = [one for one in renderers if one.media_type not in refused]
        return super().select_renderer(request, left, format_suffix)


def _refused(accepted: str) -> bool:
    return bool(NOTHING.match(parse_header_parameters(accepted)[1].get("q", "1")))


class JSONRenderer(BaseRenderer):
    """Writes what the view returned; views and the error handler return it wrapped already."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else encode(data)


class FileRenderer(BaseRenderer):
    """Passes on what the view made; a leaf says of which kind it is."""

    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        written: bytes = data
        return written


class SvgRenderer(FileRenderer):
    media_type = "image/svg+xml"
    format = "svg"


class PngRenderer(FileRenderer):
    media_type = "image/png"
    format = "png"


class YamlRenderer(FileRenderer):
    media_type = "application/yaml"
    format = "yaml"


class GraphmlRenderer(FileRenderer):
    media_type = "application/graphml+xml"
    format = "graphml"
