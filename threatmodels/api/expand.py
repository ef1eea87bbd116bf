"""The parts of threat models that `expand` asks for: one query a kind, for however many models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from threatmodels.actions.access import Entry
from threatmodels.api import access, metadata
from threatmodels.api.diagram import annotated
from threatmodels.api.serializers import (
    AssetSerializer,
    DiagramSerializer,
    DocumentSerializer,
    NoteSerializer,
    RepositorySerializer,
    ThreatSerializer,
)
from threatmodels.models import AccessInvitation, Metadata, ThreatModelAccess
from tmi.api.serializers import Json, Reader, ResourceSerializer

Parts = dict[UUID, list[Json]]


def _records(serializer: type[ResourceSerializer]) -> Callable[[Sequence[UUID]], Parts]:
    model: Any = serializer.Meta.model

    def read(ids: Sequence[UUID]) -> Parts:
        rows = model.objects.live().filter(threat_model__in=ids).order_by("created_at", "pk")
        if serializer is DiagramSerializer:
            rows = annotated(rows)
        return _grouped((row["threat_model_id"], row) for row in Reader(serializer, detail=False).read(rows))

    return read


def _metadata(ids: Sequence[UUID]) -> Parts:
    entries = Metadata.objects.filter(threat_model__in=ids, entity_type="threat_model").order_by("key")
    return _grouped((entry.entity_id, metadata.shown(entry)) for entry in entries)


def _access(ids: Sequence[UUID]) -> Parts:
    entries: list[Entry] = [
        *ThreatModelAccess.objects.filter(threat_model__in=ids).select_related("user", "group"),
        *AccessInvitation.objects.filter(threat_model__in=ids),
    ]
    entries.sort(key=lambda entry: (entry.created_at, entry.pk))
    return _grouped((entry.threat_model_id, access.shown(entry)) for entry in entries)


def _grouped(parts: Iterable[tuple[UUID, Json]]) -> Parts:
    found: Parts = defaultdict(list)
    for pk, part in parts:
        found[pk].append(part)
    return found


EXPANDED: dict[str, Callable[[Sequence[UUID]], Parts]] = {
    "diagrams": _records(DiagramSerializer),
    "threats": _records(ThreatSerializer),
    "assets": _records(AssetSerializer),
    "documents": _records(DocumentSerializer),
    "notes": _records(NoteSerializer),
    "repositories": _records(RepositorySerializer),
    "metadata": _metadata,
    "access": _access,
}
