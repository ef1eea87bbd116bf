"""The plain parts of a threat model, and threats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.db.models import Q
from drf_spectacular.types import OpenApiTypes

from threatmodels.actions import record as actions
from threatmodels.actions.threat import update_threat
from threatmodels.api.record_base import RecordViewSet
from threatmodels.api.serializers import (
    AssetSerializer,
    DocumentSerializer,
    NoteSerializer,
    RepositorySerializer,
    ThreatSerializer,
)
from threatmodels.models import Record
from tmi.api.filters import Filter, Filters, between, equals, flag, identifier, number


def _reference(column: str, part: str) -> Filter:
    """By what a threat refers to; while that part is deleted nothing does, as the answers show it."""
    return Filter(
        identifier, lambda value: Q(**{column: value, f"{part}__deleted_at": None}), type=OpenApiTypes.UUID
    )


class ThreatViewSet(RecordViewSet):
    serializer_class = ThreatSerializer
    schema_tags = ("threats",)
    sorts: ClassVar[Mapping[str, str]] = {
        **RecordViewSet.sorts,
        "severity": "severity",
        "priority": "priority",
        "status": "status",
        "threat_type": "threat_type",
        "score": "score",
    }

    filters: ClassVar[Filters] = {
        **{name: equals(name) for name in ("severity", "priority", "status", "threat_type")},
        "mitigated": equals("mitigated", flag, type=bool),
        **{
            name: _reference(name, part)
            for name, part in (("diagram_id", "diagram"), ("cell_id", "diagram"), ("asset_id", "asset"))
        },
        **between("score", number, "score_min", "score_max"),
    }

    def change(self, record: Record, changes: actions.Change) -> Record:
        return update_threat(record, actor=self.request.user, changes=changes)  # type: ignore[arg-type]


class AssetViewSet(RecordViewSet):
    serializer_class = AssetSerializer
    schema_tags = ("assets",)


class DocumentViewSet(RecordViewSet):
    serializer_class = DocumentSerializer
    schema_tags = ("documents",)


class NoteViewSet(RecordViewSet):
    serializer_class = NoteSerializer
    schema_tags = ("notes",)


class RepositoryViewSet(RecordViewSet):
    serializer_class = RepositorySerializer
    schema_tags = ("repositories",)
