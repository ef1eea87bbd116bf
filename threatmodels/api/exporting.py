"""Threat models as files of this and of other tools."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from accounts.api.base import SignedInViewSet
from threatmodels import access
from threatmodels.export import EXPORTS, ExportedFile, export_file
from tmi.api.query import parameter
from tmi.api.render import FileRenderer, JSONRenderer
from tmi.api.schema import A_FILE


class AnyRenderer(FileRenderer):
    """What a caller accepts does not choose the format: the parameter does."""

    media_type = "*/*"
    format = "any"


class ExportView(SignedInViewSet):
    schema_tags = ("interchange",)
    renderer_classes = (JSONRenderer, AnyRenderer)
    parameters: ClassVar[dict[str, tuple[str, ...]]] = {"retrieve": ("format",)}

    @extend_schema(
        operation_id="threat_models_export",
        parameters=[
            OpenApiParameter(
                "format", str, required=True, enum=list(EXPORTS), description="The kind of file."
            )
        ],
        extensions={A_FILE: True},
        responses={
            (200, media): OpenApiTypes.OBJECT if media == "application/json" else OpenApiTypes.BINARY
            for media in dict.fromkeys(export.media_type.partition(";")[0] for export in EXPORTS.values())
        },
    )
    def retrieve(self, request: Request, threat_model_id: str) -> HttpResponse:
        """The threat model as a file; what a format has no place for is left out."""
        threat_model = access.get_threat_model(self.actor, threat_model_id)
        return as_download(export_file(threat_model, parameter(request, "format")))


def as_download(file: ExportedFile) -> HttpResponse:
    """An answer that browsers save and never show."""
    headers: dict[str, Any] = {
        "Content-Disposition": content_disposition_header(True, file.name) or "attachment",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    return HttpResponse(file.content, content_type=file.media_type, headers=headers)
