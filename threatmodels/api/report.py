"""/threat_models/{id}/report: the report as a file."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import SignedInViewSet
from threatmodels import access
from threatmodels.reporting import report_of
from threatmodels.reports.contents import ORDERS, Choices
from threatmodels.reports.formats import FORMATS
from tmi.api.query import parameter
from tmi.api.render import FileRenderer
from tmi.lib.errors import ValidationFailed

FLAGS = {
    "summary": "With the executive summary.",
    "diagrams": "With the diagrams.",
    "out_of_scope": "With elements out of scope.",
    "mitigated": "With threats that are mitigated or closed.",
    "empty": "With elements that have no threats.",
}


class AnyRenderer(FileRenderer):
    """Whatever the caller accepts: `format` says what there is."""

    media_type = "*/*"
    format = "file"


class ReportViewSet(SignedInViewSet):
    renderer_classes = (AnyRenderer,)
    schema_tags = ("reports",)
    serializer_class = None
    parameters: ClassVar[dict[str, tuple[str, ...]]] = {"retrieve": ("as", "order", *FLAGS)}

    @extend_schema(
        operation_id="threat_model_report",
        parameters=[
            OpenApiParameter("as", str, enum=list(FORMATS), description="The form; pdf if missing."),
            OpenApiParameter("order", str, enum=list(ORDERS), description="The order of the threats."),
            *(
                OpenApiParameter(name, bool, description=f"{text} true if missing.")
                for name, text in FLAGS.items()
            ),
        ],
        responses={(200, form.media_type.split(";")[0]): OpenApiTypes.BINARY for form in FORMATS.values()},
    )
    def retrieve(self, request: Request, threat_model_id: str) -> Response:
        """The report of a threat model as PDF, HTML, Markdown, CSV, Excel or JSON."""
        threat_model = access.get_threat_model(self.actor, threat_model_id)
        form = FORMATS[self._one_of("as", tuple(FORMATS), "pdf")]
        flags = {name: self._one_of(name, ("true", "false"), "true") == "true" for name in FLAGS}
        choices = Choices(**flags, order=self._one_of("order", ORDERS, ORDERS[0]))
        written = form.write(report_of(threat_model, choices), settings.NODE_MODULES)
        headers = {
            "Content-Disposition": f'attachment; filename="report.{form.ending}"',
            "X-Content-Type-Options": "nosniff",
        }
        return Response(written, content_type=form.media_type, headers=headers)

    def _one_of(self, name: str, known: tuple[str, ...], default: str) -> str:
        value = parameter(self.request, name, default)
        if value not in known:
            raise ValidationFailed.of(name, f"One of: {', '.join(known)}.")
        return value
