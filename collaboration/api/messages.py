"""/asyncapi.json, and the messages in the schema registry."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from collaboration.message_schemas import asyncapi, message_schemas
from tmi.api import registry
from tmi.api.render import JSONRenderer
from tmi.api.schema import A_FILE
from tmi.api.views import ApiViewSet

registry.SOURCES["message"] = message_schemas


class AsyncApiViewSet(ApiViewSet):
    """Open to everybody, like the OpenAPI document; unwrapped like it."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    renderer_classes = (JSONRenderer,)
    schema_tags = ("schemas",)

    @extend_schema(
        operation_id="asyncapi_retrieve",
        responses={(200, "application/json"): OpenApiTypes.OBJECT},
        extensions={A_FILE: True},
    )
    def retrieve(self, request: Request) -> Response:
        """The messages of the diagram socket (AsyncAPI 3.0)."""
        return Response(asyncapi())
