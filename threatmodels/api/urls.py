"""Routes below /api/v1."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path

from threatmodels.api.access import AccessViewSet
from threatmodels.api.cell import CellViewSet
from threatmodels.api.diagram import DiagramViewSet
from threatmodels.api.exporting import ExportView
from threatmodels.api.history import HistoryViewSet
from threatmodels.api.importing import ImportView
from threatmodels.api.metadata import MetadataViewSet
from threatmodels.api.operation import OperationViewSet
from threatmodels.api.record import (
    AssetViewSet,
    DocumentViewSet,
    NoteViewSet,
    RepositoryViewSet,
    ThreatViewSet,
)
from threatmodels.api.report import ReportViewSet
from threatmodels.api.suggestion import SuggestionViewSet
from threatmodels.api.threat_model import ThreatModelViewSet
from threatmodels.api.user import UserViewSet
from threatmodels.api.webhook import DeliveryViewSet, WebhookViewSet
from threatmodels.models import Diagram
from tmi.api.render import GraphmlRenderer, JSONRenderer, PngRenderer, SvgRenderer, YamlRenderer

Actions = dict[str, Any]
LIST: Actions = {"get": "list", "post": "create"}
ONE: Actions = {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}
BULK: Actions = {
    "post": "bulk_create",
    "put": "bulk_update",
    "patch": "bulk_partial_update",
    "delete": "bulk_destroy",
}
MODEL = "threat_models/<str:threat_model_id>"
MODEL_FORMS = [JSONRenderer, YamlRenderer, GraphmlRenderer]
KINDS: dict[str, Any] = {
    "threats": ThreatViewSet,
    "assets": AssetViewSet,
    "documents": DocumentViewSet,
    "notes": NoteViewSet,
    "repositories": RepositoryViewSet,
    "diagrams": DiagramViewSet,
}


def record_routes(name: str, view: Any) -> list[URLPattern]:
    """The routes of one kind of part, its metadata included."""
    one = f"{MODEL}/{name}/<str:record_id>"
    return [
        path(f"{MODEL}/{name}", view.as_view(LIST)),
        path(f"{MODEL}/{name}/bulk", view.as_view(BULK)),
        path(one, view.as_view(ONE)),
        path(f"{one}/restore", view.as_view({"post": "restore"})),
        *metadata_routes(one, view.serializer_class.Meta.model),
    ]


def metadata_routes(prefix: str, kind: Any = None) -> list[URLPattern]:
    one: Actions = {"get": "retrieve", "put": "update", "delete": "destroy"}
    return [
        path(f"{prefix}/metadata", MetadataViewSet.as_view(LIST, kind=kind)),
        path(f"{prefix}/metadata/bulk", MetadataViewSet.as_view(BULK, kind=kind)),
        path(f"{prefix}/metadata/<str:key>", MetadataViewSet.as_view(one, kind=kind)),
    ]


def diagram_routes(one: str) -> list[URLPattern]:
    """What diagrams have beside what all parts have."""
    return [
        path(f"{one}/svg", DiagramViewSet.as_view({"get": "svg"}, renderer_classes=[SvgRenderer])),
        path(f"{one}/png", DiagramViewSet.as_view({"get": "png"}, renderer_classes=[PngRenderer])),
        path(f"{one}/model", DiagramViewSet.as_view({"get": "model"}, renderer_classes=MODEL_FORMS)),
        path(f"{one}/cells", CellViewSet.as_view({"get": "list"})),
        path(f"{one}/cells/<str:cell_id>", CellViewSet.as_view(ONE)),
        *metadata_routes(f"{one}/cells/<str:cell_id>", Diagram),
        path(f"{one}/suggestions", SuggestionViewSet.as_view({"get": "look", "post": "ask"})),
        path(f"{one}/suggestions/accept", SuggestionViewSet.as_view({"post": "accept"})),
        path(f"{one}/suggestions/dismiss", SuggestionViewSet.as_view({"post": "dismiss"})),
        path(f"{one}/suggestions/decisions", SuggestionViewSet.as_view({"get": "decisions"})),
        path(
            f"{one}/suggestions/decisions/<str:decision_id>",
            SuggestionViewSet.as_view({"delete": "withdraw"}),
        ),
        path(f"{one}/coverage", SuggestionViewSet.as_view({"get": "coverage"})),
        path(f"{one}/operations", OperationViewSet.as_view({"get": "list"})),
        path(
            f"{one}/operations/<str:sequence_number>/revert",
            OperationViewSet.as_view({"post": "revert"}),
        ),
    ]


urlpatterns = [
    path("users", UserViewSet.as_view({"get": "list"})),
    path("threat_models", ThreatModelViewSet.as_view(LIST)),
    path(MODEL, ThreatModelViewSet.as_view(ONE)),
    path(f"{MODEL}/restore", ThreatModelViewSet.as_view({"post": "restore"})),
    path(f"{MODEL}/duplicate", ThreatModelViewSet.as_view({"post": "duplicate"})),
    path(f"{MODEL}/report", ReportViewSet.as_view({"get": "retrieve"})),
    path(f"{MODEL}/history", HistoryViewSet.as_view({"get": "list"})),
    path(f"{MODEL}/history/<str:entry_id>/revert", HistoryViewSet.as_view({"post": "revert"})),
    path(f"{MODEL}/access", AccessViewSet.as_view({**LIST, "put": "replace"})),
    path(
        f"{MODEL}/access/<str:entry_id>",
        AccessViewSet.as_view({"patch": "partial_update", "delete": "destroy"}),
    ),
    path("import", ImportView.as_view({"post": "create"})),
    path(f"{MODEL}/import", ImportView.as_view({"post": "add"})),
    path(f"{MODEL}/export", ExportView.as_view({"get": "retrieve"})),
    path("webhooks", WebhookViewSet.as_view(LIST)),
    path(
        "webhooks/<str:webhook_id>",
        WebhookViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    path("webhooks/<str:webhook_id>/test", DeliveryViewSet.as_view({"post": "test"})),
    path("webhooks/<str:webhook_id>/deliveries", DeliveryViewSet.as_view({"get": "list"})),
    path(
        "webhooks/<str:webhook_id>/deliveries/<str:delivery_id>/redeliver",
        DeliveryViewSet.as_view({"post": "redeliver"}),
    ),
    *metadata_routes(MODEL),
    *(route for name, view in KINDS.items() for route in record_routes(name, view)),
    *diagram_routes(f"{MODEL}/diagrams/<str:record_id>"),
]
