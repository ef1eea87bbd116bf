"""/threat_models/{id}/history"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import AuditEntry
from threatmodels import access
from threatmodels.actions.history import revert
from threatmodels.api.base import ResourceViewSet
from threatmodels.api.serializers import HistorySerializer
from threatmodels.models import ThreatModel
from threatmodels.roles import Role
from tmi.api.filters import Filters, between, equals, identifier, moment
from tmi.api.listing import PAGES, PLAIN_LIST, SPARSE
from tmi.api.serializers import Reader
from tmi.lib.errors import NotFound
from tmi.lib.ids import NO_ID, parse_id


class HistoryViewSet(ResourceViewSet):
    """Who changed what, newest first."""

    serializer_class = HistorySerializer
    schema_tags = ("history",)
    default_sort = "-created_at"
    sorts: ClassVar[Mapping[str, str]] = {"created_at": "created_at"}
    list_parameters: ClassVar[frozenset[str]] = PLAIN_LIST
    filters: ClassVar[Filters] = {
        "entity_type": equals("entity_type"),
        "entity_id": equals("entity_id", identifier, type=OpenApiTypes.UUID),
        "actor_id": equals("actor_id", identifier, type=OpenApiTypes.UUID),
        **between("created_at", moment, "after", "before"),
    }

    def threat_model(self, at_least: Role = Role.READER) -> ThreatModel:
        return access.get_threat_model(self.actor, self.kwargs["threat_model_id"], at_least=at_least)

    @extend_schema(parameters=[*PAGES, SPARSE])
    def list(self, request: Request, **_: Any) -> Response:
        return self.page_of(AuditEntry.objects.filter(threat_model_id=self.threat_model().pk))

    @extend_schema(request=None, responses=HistorySerializer)
    def revert(self, request: Request, **_: Any) -> Response:
        """Takes the change back, as a new entry, which is answered."""
        threat_model = self.threat_model(Role.WRITER)
        entries = AuditEntry.objects.filter(threat_model_id=threat_model.pk)
        entry = entries.filter(pk=parse_id(self.kwargs["entry_id"]) or NO_ID).first()
        if entry is None:
            raise NotFound
        revert(threat_model, entry, actor=self.actor)
        newest = entries.filter(entity_id=entry.entity_id).order_by("-created_at", "-pk")[:1]
        return self.answer_one(Reader(HistorySerializer).read(newest)[0])
