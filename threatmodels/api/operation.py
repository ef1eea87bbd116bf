"""/threat_models/{id}/diagrams/{id}/operations: the history of a diagram."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib.postgres.expressions import ArraySubquery
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from threatmodels import access
from threatmodels.actions import operation as actions
from threatmodels.api.base import ResourceViewSet
from threatmodels.api.diagram import shown
from threatmodels.api.serializers import DiagramSerializer, OperationSerializer
from threatmodels.models import Asset, Diagram
from threatmodels.roles import Role
from tmi.api.listing import PAGES, PLAIN_LIST, SPARSE
from tmi.lib.errors import NotFound


class OperationViewSet(ResourceViewSet):
    """What was done to the cells, newest first."""

    serializer_class = OperationSerializer
    schema_tags = ("diagrams",)
    default_sort = "-sequence_number"
    sorts: ClassVar[Mapping[str, str]] = {"sequence_number": "sequence_number"}
    list_parameters: ClassVar[frozenset[str]] = PLAIN_LIST

    def diagram(self, at_least: Role = Role.READER) -> Diagram:
        threat_model = access.get_threat_model(self.actor, self.kwargs["threat_model_id"], at_least=at_least)
        return access.record_in(threat_model, Diagram, self.kwargs["record_id"])

    @extend_schema(parameters=[*PAGES, SPARSE])
    def list(self, request: Request, **_: Any) -> Response:
        diagram = self.diagram()
        deleted = Asset.objects.deleted().filter(threat_model=diagram.threat_model_id)
        hidden = ArraySubquery(deleted.values("pk"))
        return self.page_of(diagram.operations.annotate(deleted_assets=hidden))

    @extend_schema(request=None, responses=DiagramSerializer)
    def revert(self, request: Request, **_: Any) -> Response:
        """Makes the diagram what it was after this operation (0: empty), as a new operation."""
        diagram, number = self.diagram(Role.WRITER), self.kwargs["sequence_number"]
        if not (number.isascii() and number.isdigit() and len(number) <= 18):
            raise NotFound
        actions.revert_to(diagram, actor=self.actor, sequence_number=int(number))
        return self.answer_one(shown(diagram.pk))
