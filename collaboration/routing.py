"""The addresses of sockets."""

from __future__ import annotations

from typing import Any

from django.urls import re_path

from collaboration.consumers import DiagramConsumer
from collaboration.unknown import UnknownSocket

websocket_urlpatterns: list[Any] = [
    re_path(r"^ws/diagrams/(?P<diagram_id>[^/]+)$", DiagramConsumer.as_asgi()),
    re_path(r"", UnknownSocket()),  # type: ignore[arg-type]  # an ASGI application, no view
]
