"""/metadata of a threat model and of its parts."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import SignedInViewSet
from threatmodels import access
from threatmodels.actions import metadata as actions
from threatmodels.actions.metadata import Entity
from threatmodels.api.serializers import MetadataSerializer, MetadataValueSerializer
from threatmodels.models import Metadata, Record
from threatmodels.roles import Role
from tmi.api.errors import checked
from tmi.api.pagination import whole_list
from tmi.api.parse import StrictJSONParser
from tmi.api.serializers import Json
from tmi.lib.errors import NotFound


class MetadataViewSet(SignedInViewSet):
    """Entries of one entity. `kind` is set by the route; None means the threat model itself."""

    serializer_class = MetadataSerializer
    parser_classes = (StrictJSONParser,)
    schema_tags = ("metadata",)
    kind: type[Record] | None = None

    def entity(self, at_least: Role = Role.READER) -> Entity:
        threat_model = access.get_threat_model(self.actor, self.kwargs["threat_model_id"], at_least=at_least)
        if self.kind is None:
            return Entity(threat_model, "threat_model", threat_model.pk)
        record = access.record_in(threat_model, self.kind, self.kwargs["record_id"])
        return Entity(threat_model, self.kind.kind, record.pk)

    def list(self, request: Request, **_: Any) -> Response:
        entries = [shown(entry) for entry in self.entity().entries().order_by("key")]
        return self.answer_list(entries, whole_list(len(entries)))

    def create(self, request: Request, **_: Any) -> Response:
        entity = self.entity(Role.WRITER)
        given = self.body(MetadataSerializer)
        [made] = actions.add_metadata(entity, actor=self.actor, pairs=[(given["key"], given["value"])])
        location = request.build_absolute_uri(f"{request.path}/{made.key}")
        return self.answer(shown(made), 201, {"Location": location})

    def retrieve(self, request: Request, **_: Any) -> Response:
        return self.answer(shown(self.found(self.entity())))

    @extend_schema(request=MetadataValueSerializer)
    def update(self, request: Request, **_: Any) -> Response:
        entity, key = self.entity(Role.WRITER), self.kwargs["key"]
        given = self.body(MetadataValueSerializer)
        existed = entity.entries().filter(key=key).exists()
        [made] = actions.set_metadata(entity, actor=self.actor, pairs=[(key, given["value"])])
        return self.answer(shown(made), 200 if existed else 201)

    def destroy(self, request: Request, **_: Any) -> Response:
        entity = self.entity(Role.WRITER)
        actions.delete_metadata(entity, actor=self.actor, keys=[self.kwargs["key"]])
        return self.no_content()

    def found(self, entity: Entity) -> Metadata:
        entry = entity.entries().filter(key=self.kwargs["key"]).first()
        if entry is None:
            raise NotFound
        return entry

    def body(self, serializer_class: Any) -> Json:
        return checked(serializer_class(data=self.request.data))


def shown(entry: Metadata) -> Json:
    return {"key": entry.key, "value": entry.value}
