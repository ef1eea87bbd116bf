"""Answers as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer

from tmi.lib.json import encode


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
