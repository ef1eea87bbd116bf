"""/threat_models"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from threatmodels import access
from threatmodels.actions import threat_model as actions
from threatmodels.actions.importing import duplicate_threat_model
from threatmodels.api.base import PAGING, ResourceViewSet
from threatmodels.api.expand import EXPANDED
from threatmodels.api.serializers import DuplicateSerializer, ThreatModelSerializer
from threatmodels.choices import Framework
from threatmodels.models import ThreatModel
from threatmodels.roles import Role
from tmi.api.errors import checked
from tmi.api.filters import Filter, Filters, contains, equals, one_of, text, when
from tmi.api.listing import SPARSE
from tmi.api.serializers import Json, Reader
from tmi.lib.errors import PermissionDenied, ValidationFailed
from tmi.lib.ids import parse_id

EXPAND = OpenApiParameter("expand", str, description=f"Comma list of: {', '.join(EXPANDED)}.")


def _owned_by(who: str) -> Q:
    owner = parse_id(who)
    return Q(owner=owner) if owner else Q(owner__in=User.objects.with_email(who))


class ThreatModelViewSet(ResourceViewSet):
    serializer_class = ThreatModelSerializer
    schema_tags = ("threat_models",)
    default_sort = "-updated_at"
    sorts: ClassVar[Mapping[str, str]] = {
        **ResourceViewSet.sorts,
        "status": "status",
        "status_updated": "status_updated",
        "threat_model_framework": "threat_model_framework",
    }
    filters: ClassVar[Filters] = {
        "name": contains("name"),
        "owner": Filter(text, _owned_by, description="Id or email of the owner."),
        "framework": equals("threat_model_framework", one_of(Framework.values)),
        "status": equals("status"),
        "role": Filter(
            one_of([role.label for role in Role]), lambda name: Q(role_rank=Role.named(name).value)
        ),
        "issue_uri": equals("issue_uri"),
        **when("created_at", "created"),
        **when("modified_at", "updated"),
        **when("status_updated", "status_updated"),
    }

    expandable = frozenset(EXPANDED)
    own_parameters = frozenset({"fields", "expand"})

    def load(self, at_least: Role = Role.READER, *, deleted: bool = False) -> ThreatModel:
        return access.get_threat_model(
            self.actor, self.kwargs["threat_model_id"], at_least=at_least, deleted=deleted
        )

    def page_of(self, rows: Any) -> Response:
        self.names("expand", self.expandable)
        return super().page_of(rows)

    def expanded(self, data: Any) -> Any:
        """One query for each kind that is asked for, however many threat models there are."""
        wanted = self.names("expand", self.expandable)
        if not wanted or not data:
            return data
        unasked = "id" not in (self.parameter("fields") or "id").split(",")
        ids = [one.pop("id") if unasked else one["id"] for one in data]
        for name in wanted:
            parts = EXPANDED[name](ids)
            for one, pk in zip(data, ids, strict=True):
                one[name] = parts.get(pk, [])
        return data

    def reader(self, *, detail: bool) -> Reader:
        """With the id where parts hang on it, also when nobody asked for it."""
        found = super().reader(detail=detail)
        if found.only and self.parameter("expand"):
            found.only = {*found.only, "id"}
        return found

    def represent(self, row: Any) -> Json:
        rows = access.with_role(ThreatModel.objects.filter(pk=row.pk), self.actor)
        return Reader(ThreatModelSerializer).read(rows)[0]

    def refuse_removed(self, current: Json, after: Json) -> None:
        super().refuse_removed(current, after)
        if "owner_id" not in after:
            raise ValidationFailed.of("owner_id", "Every threat model has an owner.")

    @extend_schema(parameters=[*PAGING, SPARSE, EXPAND])
    def list(self, request: Request) -> Response:
        deleted = self.flag("deleted")
        return self.page_of(access.restorable_by(self.actor) if deleted else access.visible_to(self.actor))

    def create(self, request: Request) -> Response:
        fields = self.input(request.data)
        if "owner_id" in fields:
            raise ValidationFailed.of("owner_id", "The server sets this field.")
        made = actions.create_threat_model(actor=self.actor, **fields)
        location = request.build_absolute_uri(f"{request.path}/{made.pk}")
        return self.answer_one(self.represent(made), 201, {"Location": location})

    @extend_schema(parameters=[SPARSE, EXPAND])
    def retrieve(self, request: Request, **_: Any) -> Response:
        reader = self.reader(detail=True)
        row = access.read_threat_model(self.actor, self.kwargs["threat_model_id"], reader.needed)
        if row["is_invited"]:
            # Who opens a model accepts the invitation to it, which changes the model.
            self.load()
            row = access.read_threat_model(self.actor, self.kwargs["threat_model_id"], reader.needed)
        return self.answer_one(self.expanded(reader.build([row]))[0])

    def update(self, request: Request, **_: Any) -> Response:
        return self._write(self.replacement)

    def partial_update(self, request: Request, **_: Any) -> Response:
        return self._write(self.patched)

    def destroy(self, request: Request, **_: Any) -> Response:
        actions.delete_threat_model(self.load(Role.OWNER), actor=self.actor, check_first=self.check_unchanged)
        return self.no_content()

    def restore(self, request: Request, **_: Any) -> Response:
        restored = actions.restore_threat_model(self.load(deleted=True), actor=self.actor)
        return self.answer_one(self.represent(restored))

    @extend_schema(request=DuplicateSerializer, responses={201: ThreatModelSerializer})
    def duplicate(self, request: Request, **_: Any) -> Response:
        """A copy of everything but access and history; it belongs to the caller."""
        threat_model = self.load()
        given = checked(DuplicateSerializer(data=request.data or {}))
        made = duplicate_threat_model(threat_model, actor=self.actor, **given)
        location = request.build_absolute_uri(f"/api/v1/threat_models/{made.pk}")
        return self.answer_one(self.represent(made), 201, {"Location": location})

    def _write(self, understood: Any) -> Response:
        threat_model = self.load(Role.WRITER)
        body = self.request.data

        def changes(locked: ThreatModel) -> Json:
            fields: Json = understood(self.check_unchanged(locked), body)
            owner_id = fields.pop("owner_id", None)
            if owner_id in (None, locked.owner_id):
                return fields
            return {**fields, "owner": self._new_owner(locked, owner_id)}

        actions.write_threat_model(threat_model, actor=self.actor, changes=changes)
        return self.answer_one(self.represent(threat_model))

    def _new_owner(self, locked: ThreatModel, owner_id: UUID) -> User:
        """The person to whom the model is handed over; only who is an owner now may."""
        if access.role_of(access.get_threat_model(self.actor, locked.pk)) < Role.OWNER:
            raise PermissionDenied("Only an owner may hand a threat model over.")
        return access.person(owner_id, field="owner_id")
