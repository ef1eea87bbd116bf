"""What each resource looks like in the API."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import AuditEntry
from threatmodels.actions.operation import shown_operation, without_assets
from threatmodels.cell_schema import CELLS
from threatmodels.cells import MOST_CELLS
from threatmodels.choices import SWITCHES, RoleName
from threatmodels.models import (
    Asset,
    Diagram,
    DiagramOperation,
    Document,
    Note,
    Repository,
    Threat,
    ThreatModel,
    Webhook,
    WebhookDelivery,
)
from threatmodels.operations import replay
from threatmodels.outbox import SUBSCRIBABLE
from threatmodels.roles import Role
from tmi.api.fields import AnyObject, Choice, Id, Text
from tmi.api.serializers import Computed, ResourceSerializer, Row, StrictSerializer
from tmi.lib.errors import ValidationFailed

OWN = ["id", "threat_model_id", "created_at", "updated_at"]
Json = dict[str, Any]


class PermissionsSerializer(serializers.Serializer[Any]):
    """What the caller may do with a threat model."""

    current_user_role = serializers.ChoiceField(choices=RoleName.choices)
    can_edit = serializers.BooleanField()
    can_delete = serializers.BooleanField()
    can_share = serializers.BooleanField()


class CountsSerializer(serializers.Serializer[Any]):
    """How many live parts a threat model has."""

    diagrams = serializers.IntegerField()
    threats = serializers.IntegerField()
    open_threats = serializers.IntegerField()
    assets = serializers.IntegerField()
    documents = serializers.IntegerField()
    notes = serializers.IntegerField()
    repositories = serializers.IntegerField()


COUNT_COLUMNS = {
    "diagrams": "summary__diagram_count",
    "threats": "summary__threat_count",
    "open_threats": "summary__open_threat_count",
    "assets": "summary__asset_count",
    "documents": "summary__document_count",
    "notes": "summary__note_count",
    "repositories": "summary__repository_count",
}


def _permissions(row: Row) -> Json:
    role = Role(row["role_rank"])
    return {
        "current_user_role": role.label,
        "can_edit": role >= Role.WRITER,
        "can_delete": role >= Role.OWNER,
        "can_share": role >= Role.OWNER,
    }


def _counts(row: Row) -> Json:
    return {name: row[column] for name, column in COUNT_COLUMNS.items()}


class ThreatModelSerializer(ResourceSerializer):
    """A threat model without its parts."""

    owner_id = Id(required=False)
    created_by_id = Id(read_only=True)
    updated_at = serializers.DateTimeField(source="modified_at", read_only=True)
    permissions = PermissionsSerializer(read_only=True)
    counts = CountsSerializer(read_only=True)
    highest_severity = serializers.CharField(
        source="summary.highest_severity", read_only=True, allow_null=True
    )

    class Meta:
        model = ThreatModel
        fields: ClassVar[list[str]] = [
            "id",
            "name",
            "description",
            "owner_id",
            "created_by_id",
            "threat_model_framework",
            "issue_uri",
            "status",
            "status_updated",
            "created_at",
            "updated_at",
            "deleted_at",
            "permissions",
            "counts",
            "highest_severity",
        ]
        read_only_fields: ClassVar[list[str]] = ["status_updated", "deleted_at"]

    computed: ClassVar[dict[str, Computed]] = {
        "permissions": Computed(["role_rank"], _permissions),
        "counts": Computed(list(COUNT_COLUMNS.values()), _counts),
    }


class RecordSerializer(ResourceSerializer):
    """What all parts of a threat model have."""

    threat_model_id = Id(read_only=True)
    updated_at = serializers.DateTimeField(source="modified_at", read_only=True)


def _live(column: str, deleted: str) -> Computed:
    """A reference that shows as null while what it names is deleted."""
    return Computed([column, deleted], lambda row: None if row[deleted] else row[column])


class ThreatSerializer(RecordSerializer):
    diagram_id = Id(required=False, allow_null=True)
    asset_id = Id(required=False, allow_null=True)

    class Meta:
        model = Threat
        fields: ClassVar[list[str]] = [
            *OWN,
            "name",
            "description",
            "diagram_id",
            "cell_id",
            "asset_id",
            "severity",
            "likelihood",
            "risk_level",
            "score",
            "priority",
            "mitigated",
            "status",
            "threat_type",
            "mitigation",
            "issue_uri",
            "cwe_ids",
            "cvss_vector",
        ]

    computed: ClassVar[dict[str, Computed]] = {
        "diagram_id": _live("diagram_id", "diagram__deleted_at"),
        "cell_id": _live("cell_id", "diagram__deleted_at"),
        "asset_id": _live("asset_id", "asset__deleted_at"),
    }


class AssetSerializer(RecordSerializer):
    class Meta:
        model = Asset
        fields: ClassVar[list[str]] = [
            *OWN,
            "name",
            "description",
            "type",
            "criticality",
            "classification",
            "sensitivity",
        ]


class DocumentSerializer(RecordSerializer):
    class Meta:
        model = Document
        fields: ClassVar[list[str]] = [*OWN, "name", "uri", "description"]


class NoteSerializer(RecordSerializer):
    class Meta:
        model = Note
        fields: ClassVar[list[str]] = [*OWN, "name", "content", "description"]


class RepositorySerializer(RecordSerializer):
    class Meta:
        model = Repository
        fields: ClassVar[list[str]] = [*OWN, "name", "uri", "description", "type", "parameters"]


class DiagramMetadataSerializer(serializers.Serializer[Any]):
    """What the server knows about the cells."""

    version = serializers.CharField(read_only=True)
    last_modified_by = serializers.UUIDField(read_only=True, allow_null=True)
    collaboration_session = serializers.UUIDField(read_only=True, allow_null=True)


@extend_schema_field(CELLS)
class CellList(serializers.ListField):
    """Cells; `cells.py` checks them."""


class DiagramDataSerializer(StrictSerializer):
    """The cells of a diagram; `metadata` is the server's."""

    cells = CellList(child=AnyObject(), max_length=MOST_CELLS)
    metadata = DiagramMetadataSerializer(required=False)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and "metadata" in data:
            raise ValidationFailed.of("/diagram_data/metadata", "The server sets this field.")
        try:
            return super().to_internal_value(data)
        except ValidationFailed as error:
            raise error.below("/diagram_data") from None


def _diagram_data(row: Row) -> Json:
    hidden = {str(pk) for pk in row["deleted_assets"]}
    cells = replay(row["cells"], row["log_tail"]) if row["log_tail"] else row["cells"]
    return {
        "cells": [without_assets(cell, hidden) for cell in cells] if hidden else cells,
        "metadata": {
            "version": str(row["update_vector"]),
            "last_modified_by": row["last_modified_by"],
            "collaboration_session": row["live_session__id"],
        },
    }


class DiagramSerializer(RecordSerializer):
    """A diagram; its cells are in `diagram_data`, which lists leave out."""

    diagram_data = DiagramDataSerializer(required=False)

    class Meta:
        model = Diagram
        fields: ClassVar[list[str]] = [
            *OWN,
            "name",
            "type",
            "content",
            "diagram_data",
            "update_vector",
            "svg_image",
            "image_update_vector",
        ]
        read_only_fields: ClassVar[list[str]] = ["update_vector", "svg_image", "image_update_vector"]
        extra_kwargs: ClassVar[Json] = {"type": {"help_text": "The kind of diagram and its version."}}

    computed: ClassVar[dict[str, Computed]] = {
        "diagram_data": Computed(
            [
                "id",
                "cells",
                "log_tail",
                "update_vector",
                "last_modified_by",
                "live_session__id",
                "deleted_assets",
            ],
            _diagram_data,
        )
    }
    detail_only: ClassVar[frozenset[str]] = frozenset({"diagram_data", "svg_image"})


def _shown_operation(row: Row) -> Json:
    hidden = {str(pk) for pk in row["deleted_assets"]}
    return shown_operation(row["operation"], hidden) if hidden else row["operation"]


class OperationSerializer(ResourceSerializer):
    """One accepted operation; `undo_of` and `redo_of` name the `operation_id` of another."""

    user_internal_uuid = Id(source="actor_id", read_only=True, allow_null=True)
    timestamp = serializers.DateTimeField(source="created_at", read_only=True)

    class Meta:
        model = DiagramOperation
        fields: ClassVar[list[str]] = [
            "sequence_number",
            "operation_id",
            "user_internal_uuid",
            "operation",
            "timestamp",
            "undo_of",
            "redo_of",
        ]
        read_only_fields = fields

    computed: ClassVar[dict[str, Computed]] = {
        "operation": Computed(["operation", "deleted_assets"], _shown_operation)
    }


class HistorySerializer(ResourceSerializer):
    """One change: `changes` is {field: [before, after]}."""

    actor_id = Id(read_only=True, allow_null=True)

    class Meta:
        model = AuditEntry
        fields: ClassVar[list[str]] = [
            "id",
            "entity_type",
            "entity_id",
            "action",
            "actor_id",
            "changes",
            "created_at",
        ]
        read_only_fields = fields


class DuplicateSerializer(StrictSerializer):
    name = Text(required=False, max_length=200)


class MetadataSerializer(StrictSerializer):
    """One metadata entry."""

    key = Text(max_length=128)
    value = Text(max_length=65_535)


class MetadataValueSerializer(StrictSerializer):
    value = Text(max_length=65_535)


class MetadataKeysSerializer(StrictSerializer):
    keys = serializers.ListField(child=Text(max_length=128), min_length=1, max_length=100)


class AccessEntrySerializer(StrictSerializer):
    """A role for a person, a group or an invited email address."""

    id = serializers.UUIDField(read_only=True)
    subject_type = Choice(choices=["user", "group"], required=False)
    user_id = Id(required=False, allow_null=True)
    group_id = Id(required=False, allow_null=True)
    email = Text(required=False, allow_null=True, max_length=254)
    provider = Text(required=False, write_only=True, max_length=100)
    group_name = Text(required=False, write_only=True, max_length=200)
    role = Choice(choices=RoleName.choices)
    display_name = serializers.CharField(read_only=True)
    pending = serializers.BooleanField(read_only=True)
    granted_by_id = serializers.UUIDField(read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)


class ListedAccessSerializer(AccessEntrySerializer):
    """With an id: the entry that has it, of which only the role may be another."""

    id = Id(required=False)


class RoleSerializer(StrictSerializer):
    role = Choice(choices=RoleName.choices)


class WebhookSerializer(ResourceSerializer):
    """A webhook without its secret; `status` can be made active or disabled by a PATCH."""

    threat_model_id = Id(required=False, allow_null=True)
    url = Text(max_length=1000)
    events = serializers.ListField(child=Choice(choices=SUBSCRIBABLE), min_length=1, max_length=100)
    created_by_id = Id(source="user_id", read_only=True)
    updated_at = serializers.DateTimeField(source="modified_at", read_only=True)

    class Meta:
        model = Webhook
        fields: ClassVar[list[str]] = [
            "id",
            "url",
            "events",
            "threat_model_id",
            "status",
            "failures",
            "created_by_id",
            "created_at",
            "updated_at",
        ]
        read_only_fields: ClassVar[list[str]] = ["status", "failures"]


class WebhookRequestSerializer(StrictSerializer):
    """Without a secret the server makes one."""

    url = Text(max_length=1000)
    events = serializers.ListField(child=Choice(choices=SUBSCRIBABLE), min_length=1, max_length=100)
    threat_model_id = Id(required=False, allow_null=True)
    secret = Text(required=False, allow_null=True, min_length=16, max_length=200)


class WebhookChangeSerializer(StrictSerializer):
    """What can be changed; `secret` null makes a new one, which the answer shows."""

    url = Text(max_length=1000, required=False)
    events = serializers.ListField(
        child=Choice(choices=SUBSCRIBABLE), min_length=1, max_length=100, required=False
    )
    secret = Text(required=False, allow_null=True, min_length=16, max_length=200)
    status = Choice(choices=SWITCHES, required=False)


class NewWebhookSerializer(WebhookSerializer):
    """With the secret, this once."""

    secret = serializers.CharField(read_only=True)

    class Meta(WebhookSerializer.Meta):
        fields: ClassVar[list[str]] = [*WebhookSerializer.Meta.fields, "secret"]


class ChangedWebhookSerializer(WebhookSerializer):
    """With the secret when a new one was asked for, else null."""

    secret = serializers.CharField(read_only=True, allow_null=True)

    class Meta(WebhookSerializer.Meta):
        fields: ClassVar[list[str]] = [*WebhookSerializer.Meta.fields, "secret"]


class AttemptSerializer(serializers.Serializer[Any]):
    """One try of a delivery; `error` is empty when the receiver took it."""

    at = serializers.DateTimeField()
    status_code = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_blank=True)
    milliseconds = serializers.IntegerField()


class DeliverySerializer(ResourceSerializer):
    """One event for one webhook; a dead one was given up."""

    attempts = AttemptSerializer(many=True, read_only=True)

    class Meta:
        model = WebhookDelivery
        fields: ClassVar[list[str]] = [
            "id",
            "event_id",
            "event",
            "payload",
            "status",
            "attempts",
            "next_attempt_at",
            "delivered_at",
            "created_at",
        ]
        read_only_fields = fields
