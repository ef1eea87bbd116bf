"""Diagrams, their cells and their pictures."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import yaml
from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import FilteredRelation, OuterRef, QuerySet, Subquery
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from threatmodels.actions import diagram as actions
from threatmodels.actions import record as record_actions
from threatmodels.api.record_base import RecordViewSet
from threatmodels.api.serializers import DiagramSerializer
from threatmodels.diagram_model import diagram_model, graphml
from threatmodels.live_session import is_live
from threatmodels.models import Asset, Diagram, DiagramOperation, Record, ThreatModel
from threatmodels.pictures.png import svg_to_png
from threatmodels.pictures.svg import diagram_svg
from tmi.api.bodies import SERVERS
from tmi.api.serializers import Json, Reader
from tmi.lib.errors import ValidationFailed
from tmi.lib.json import read_back

PICTURE_HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}
# What every diagram has of `diagram_data`.
NOT_REMOVED = {"cells": "This cannot be removed; an empty list empties it.", "metadata": SERVERS}


def annotated(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Diagrams with what their serializer needs beside the columns of the table."""
    last = DiagramOperation.objects.filter(diagram=OuterRef("pk")).order_by("-sequence_number")
    deleted = Asset.objects.deleted().filter(threat_model=OuterRef("threat_model"))
    # Reached by its name: the app of the sessions builds on this one.
    sessions = "collaboration_sessions"
    # What the log has after the checkpoint, in the query of the row and not in one of its own.
    later = DiagramOperation.objects.filter(
        diagram=OuterRef("pk"),
        sequence_number__gt=OuterRef("cells_vector"),
        sequence_number__lte=OuterRef("update_vector"),
    )
    return rows.annotate(
        log_tail=ArraySubquery(later.order_by("sequence_number").values("operation")),
        last_modified_by=Subquery(last.values("actor_id")[:1]),
        deleted_assets=ArraySubquery(deleted.values("pk")),
        live_session=FilteredRelation(sessions, condition=is_live(f"{sessions}__")),
    )


def shown(diagram_id: UUID) -> Json:
    """One diagram as the API shows it."""
    return Reader(DiagramSerializer).read(annotated(Diagram.objects.filter(pk=diagram_id)))[0]


class DiagramViewSet(RecordViewSet):
    serializer_class = DiagramSerializer
    schema_tags = ("diagrams",)

    def rows(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return annotated(rows)

    def replacement(self, current: Json, body: Any) -> Json:
        data = body.get("diagram_data") if isinstance(body, dict) else None
        if not isinstance(data, dict) or "metadata" not in data:
            return super().replacement(current, body)
        if data["metadata"] != read_back(current["diagram_data"]["metadata"]):
            raise ValidationFailed.of("/diagram_data/metadata", SERVERS)
        return super().replacement(current, {**body, "diagram_data": _written(data)})

    def merged(self, current: Json, body: Any) -> Json:
        """Without what the server knows about the cells there is nothing for a patch to name."""
        data = body.get("diagram_data") if isinstance(body, dict) else None
        given = data if isinstance(data, dict) else {}
        for name, reason in NOT_REMOVED.items():
            if name in given and given[name] is None:
                raise ValidationFailed.of(f"/diagram_data/{name}", reason)
        return super().merged({**current, "diagram_data": _written(current["diagram_data"])}, body)

    def refuse_removed(self, current: Json, after: Json) -> None:
        super().refuse_removed(current, after)
        if "diagram_data" not in after:
            raise ValidationFailed.of("diagram_data", NOT_REMOVED["cells"])
        data = after["diagram_data"]
        for name, reason in NOT_REMOVED.items() if isinstance(data, dict) else ():
            if name not in data:
                raise ValidationFailed.of(f"/diagram_data/{name}", reason)

    def make(self, threat_model: ThreatModel, rows: list[Json]) -> list[Any]:
        made = [_with_cells(row) for row in rows]
        return actions.create_diagrams(threat_model=threat_model, actor=self.actor, rows=made)

    def make_one(self, threat_model: ThreatModel, fields: Json) -> Any:
        return actions.create_diagram(threat_model=threat_model, actor=self.actor, **_with_cells(fields))

    def change(self, record: Record, changes: record_actions.Change) -> Record:
        return actions.update_diagram(record, actor=self.actor, changes=changes)  # type: ignore[arg-type]

    @extend_schema(responses={(200, "image/svg+xml"): OpenApiTypes.STR})
    def svg(self, request: Request, **_: Any) -> Response:
        """A picture made from the cells."""
        return Response(self.picture().encode(), headers=PICTURE_HEADERS)

    @extend_schema(responses={(200, "image/png"): OpenApiTypes.BINARY})
    def png(self, request: Request, **_: Any) -> Response:
        """The same picture in pixels, two for each unit of the diagram unless that makes it too large."""
        return Response(svg_to_png(self.picture(), fonts=settings.NODE_MODULES), headers=PICTURE_HEADERS)

    @extend_schema(
        responses={
            (200, "application/json"): OpenApiTypes.OBJECT,
            (200, "application/yaml"): OpenApiTypes.STR,
            (200, "application/graphml+xml"): OpenApiTypes.STR,
        }
    )
    def model(self, request: Request, **_: Any) -> Response:
        """The diagram without its layout: elements, flows, and the assets that they name."""
        diagram = self.diagram()
        assets = Asset.objects.live().filter(threat_model=diagram.threat_model)
        named = {str(a.pk): {"name": a.name, "type": a.type} for a in assets.order_by("name", "pk")}
        told = diagram_model(diagram.current_cells, about=_about(diagram), assets=named)
        form = request.accepted_renderer.format
        if form == "yaml":
            return Response(yaml.safe_dump(told, sort_keys=False, allow_unicode=True).encode())
        return Response(graphml(told)) if form == "graphml" else self.answer_one(told)

    def diagram(self) -> Diagram:
        found = self.record(self.threat_model())
        assert isinstance(found, Diagram)
        return found

    def picture(self) -> str:
        diagram = self.diagram()
        return diagram_svg(diagram.current_cells, title=diagram.name)


def _about(diagram: Diagram) -> Json:
    threat_model = diagram.threat_model
    return {
        "id": str(diagram.pk),
        "name": diagram.name,
        "type": diagram.type,
        "update_vector": diagram.update_vector,
        "threat_model": {
            "id": str(threat_model.pk),
            "name": threat_model.name,
            "framework": threat_model.threat_model_framework,
        },
    }


def _written(data: Json) -> Json:
    """What clients write of `diagram_data`."""
    return {name: value for name, value in data.items() if name != "metadata"}


def _with_cells(fields: Json) -> Json:
    rest = {name: value for name, value in fields.items() if name != "diagram_data"}
    return {**rest, "cells": fields.get("diagram_data", {}).get("cells", [])}
