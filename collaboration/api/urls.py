"""Routes below /api/v1 about editing together."""

from django.urls import path

from collaboration.api.messages import AsyncApiViewSet
from collaboration.api.session import AllSessionsViewSet, CollaborateViewSet

urlpatterns = [
    path("asyncapi.json", AsyncApiViewSet.as_view({"get": "retrieve"}), name="asyncapi"),
    path(
        "threat_models/<str:threat_model_id>/diagrams/<str:record_id>/collaborate",
        CollaborateViewSet.as_view({"get": "retrieve", "post": "create", "delete": "destroy"}),
    ),
    path("me/sessions", AllSessionsViewSet.as_view({"get": "list"})),
]
