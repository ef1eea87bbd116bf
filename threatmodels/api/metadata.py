"""/metadata of a threat model and of its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import SignedInViewSet
from threatmodels import access
from threatmodels.actions import metadata as actions
from threatmodels.actions.metadata import Entity
from threatmodels.api.serializers import (
    MetadataKeysSerializer,
    MetadataSerializer,
    MetadataValueSerializer,
)
from threatmodels.choices import EntityType
from threatmodels.models import Metadata, Record
from threatmodels.models.metadata import MOST_ENTRIES
from threatmodels.roles import Role
from tmi.api.errors import checked, in_turn
from tmi.api.pagination import whole_list
from tmi.api.parse import MergePatchParser, StrictJSONParser
from tmi.api.serializers import Json
from tmi.api.views import check_precondition, etag
from tmi.lib.errors import NotFound, ValidationFailed
from tmi.lib.ids import parse_id


class MetadataViewSet(SignedInViewSet):
    """Entries of one entity. `kind` is set by the route; None means the threat model itself."""

    serializer_class = MetadataSerializer
    parser_classes = (StrictJSONParser, MergePatchParser)
    schema_tags = ("metadata",)
    entity_tags = True
    kind: type[Record] | None = None

    def entity(self, at_least: Role = Role.READER) -> Entity:
        threat_model = access.get_threat_model(self.actor, self.kwargs["threat_model_id"], at_least=at_least)
        if self.kind is None:
            return Entity(threat_model, "threat_model", threat_model.pk)
        record = access.record_in(threat_model, self.kind, self.kwargs["record_id"])
        if "cell_id" in self.kwargs:
            return Entity(threat_model, EntityType.CELL, self.cell_id(record))
        return Entity(threat_model, self.kind.kind, record.pk)

    def cell_id(self, diagram: Any) -> UUID:
        wanted = parse_id(self.kwargs["cell_id"])
        if wanted is None or wanted not in {parse_id(cell["id"]) for cell in diagram.current_cells}:
            raise NotFound
        return wanted

    def list(self, request: Request, **_: Any) -> Response:
        entries = [shown(entry) for entry in self.entity().entries().order_by("key")]
        return self.answer_list(entries, whole_list(len(entries)))

    def create(self, request: Request, **_: Any) -> Response:
        entity = self.entity(Role.WRITER)
        given = self.body(MetadataSerializer)
        pair = (given["key"], given["value"])
        [made] = actions.add_metadata(entity, actor=self.actor, pairs=[pair], many=False)
        location = request.build_absolute_uri(f"{request.path}/{made.key}")
        return self.answer_one(shown(made), 201, {"Location": location})

    def retrieve(self, request: Request, **_: Any) -> Response:
        return self.answer_one(shown(self.found(self.entity())))

    @extend_schema(
        request=MetadataValueSerializer, responses={200: MetadataSerializer, 201: MetadataSerializer}
    )
    def update(self, request: Request, **_: Any) -> Response:
        entity, key = self.entity(Role.WRITER), self.kwargs["key"]
        given = self.body(MetadataValueSerializer)
        existed = []

        def check(held: Mapping[str, Metadata]) -> None:
            self.check_unchanged(held.get(key))
            existed.append(key in held)

        [made] = actions.set_metadata(
            entity, actor=self.actor, pairs=[(key, given["value"])], many=False, check_first=check
        )
        if existed[0]:
            return self.answer_one(shown(made))
        return self.answer_one(shown(made), 201, {"Location": request.build_absolute_uri(request.path)})

    def destroy(self, request: Request, **_: Any) -> Response:
        entity = self.entity(Role.WRITER)
        key = self.kwargs["key"]
        actions.delete_metadata(
            entity, actor=self.actor, keys=[key], check_first=lambda held: self.check_unchanged(held[key])
        )
        return self.no_content()

    # -- many

    @extend_schema(request=MetadataSerializer(many=True), responses={201: MetadataSerializer(many=True)})
    def bulk_create(self, request: Request, **_: Any) -> Response:
        """Adds entries; one whose key is there already is a conflict."""
        return self.answer(self.written(actions.add_metadata), 201)

    @extend_schema(request=MetadataSerializer(many=True), responses=MetadataSerializer(many=True))
    def bulk_update(self, request: Request, **_: Any) -> Response:
        """Makes these the only entries."""
        return self.answer(self.written(actions.replace_metadata))

    @extend_schema(request=MetadataSerializer(many=True), responses=MetadataSerializer(many=True))
    def bulk_partial_update(self, request: Request, **_: Any) -> Response:
        """Adds entries and replaces those whose key is there already."""
        return self.answer(self.written(actions.set_metadata))

    @extend_schema(request=MetadataKeysSerializer, responses={204: None})
    def bulk_destroy(self, request: Request, **_: Any) -> Response:
        entity = self.entity(Role.WRITER)
        actions.delete_metadata(entity, actor=self.actor, keys=self.body(MetadataKeysSerializer)["keys"])
        return self.no_content()

    def written(self, write: Callable[..., Any]) -> Any:
        """What `write` leaves of the entries that the body holds."""
        entity = self.entity(Role.WRITER)
        if not isinstance(self.request.data, list):
            raise ValidationFailed.of("", "A list of entries is expected.")
        if len(self.request.data) > MOST_ENTRIES:
            raise ValidationFailed.of("", f"At most {MOST_ENTRIES} entries.")
        given = in_turn(self.request.data, lambda item: checked(MetadataSerializer(data=item)))
        write(entity, actor=self.actor, pairs=[(one["key"], one["value"]) for one in given])
        return [shown(entry) for entry in entity.entries().order_by("key")]

    def check_unchanged(self, entry: Metadata | None) -> None:
        check_precondition(self.request, etag(shown(entry)) if entry else None)

    def found(self, entity: Entity) -> Metadata:
        entry = entity.entries().filter(key=self.kwargs["key"]).first()
        if entry is None:
            raise NotFound
        return entry

    def body(self, serializer_class: Any) -> Json:
        return checked(serializer_class(data=self.request.data))


def shown(entry: Metadata) -> Json:
    return {"key": entry.key, "value": entry.value}
