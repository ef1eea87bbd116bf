"""Diagrams, their cells and their pictures."""

from __future__ import annotations

from typing import Any

from django.db.models import FilteredRelation, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from threatmodels.actions import diagram as actions
from threatmodels.actions import record as record_actions
from threatmodels.api.record_base import RecordViewSet
from threatmodels.api.serializers import DiagramSerializer
from threatmodels.models import DiagramOperation, Record, ThreatModel
from threatmodels.pictures.svg import diagram_svg
from tmi.api.serializers import Json

PICTURE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"


class DiagramViewSet(RecordViewSet):
    serializer_class = DiagramSerializer
    schema_tags = ("diagrams",)

    def rows(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        last = DiagramOperation.objects.filter(diagram=OuterRef("pk")).order_by("-sequence_number")
        # Reached by its name: the app of the sessions builds on this one.
        sessions = "collaboration_sessions"
        unexpired = Q(**{f"{sessions}__expires_at": None}) | Q(**{f"{sessions}__expires_at__gt": Now()})
        live = Q(**{f"{sessions}__ended_at": None}) & unexpired
        return rows.annotate(
            last_modified_by=Subquery(last.values("actor_id")[:1]),
            live_session=FilteredRelation(sessions, condition=live),
        )

    def make(self, threat_model: ThreatModel, rows: list[Json]) -> list[Any]:
        made = [_with_cells(row) for row in rows]
        return actions.create_diagrams(threat_model=threat_model, actor=self.actor, rows=made)

    def change(self, record: Record, changes: record_actions.Change) -> Record:
        return actions.update_diagram(record, actor=self.actor, changes=changes)  # type: ignore[arg-type]

    @extend_schema(responses={(200, "image/svg+xml"): OpenApiTypes.STR})
    def svg(self, request: Request, **_: Any) -> HttpResponse:
        """A picture made from the cells."""
        diagram = self.record(self.threat_model())
        picture = diagram_svg(diagram.cells, title=diagram.name)  # type: ignore[attr-defined]
        headers = {"Content-Security-Policy": PICTURE_POLICY, "X-Content-Type-Options": "nosniff"}
        return HttpResponse(picture, content_type="image/svg+xml", headers=headers)


def _with_cells(fields: Json) -> Json:
    rest = {name: value for name, value in fields.items() if name != "diagram_data"}
    return {**rest, "cells": fields.get("diagram_data", {}).get("cells", [])}
