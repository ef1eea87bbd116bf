"""Diagrams: their fields are like those of any part, their cells go through the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from accounts.models import User
from threatmodels import operations
from threatmodels.actions import operation, record
from threatmodels.models import Diagram, DiagramOperation, ThreatModel
from tmi.lib.ids import new_id

Cells = list[operations.Cell]


def create_diagram(
    *, threat_model: ThreatModel, actor: User, cells: Cells | None = None, **fields: Any
) -> Diagram:
    """Makes a diagram; the cells it begins with are operation 1. Raises ValidationFailed."""
    rows = [{**fields, "cells": cells or []}]
    return create_diagrams(threat_model=threat_model, actor=actor, rows=rows, many=False)[0]


@transaction.atomic
def create_diagrams(
    *, threat_model: ThreatModel, actor: User, rows: Sequence[dict[str, Any]], many: bool = True
) -> list[Diagram]:
    """Makes many, all or none; errors name them by position unless `many` is false."""
    started: list[dict[str, Any]] = []
    for index, row in enumerate(rows):
        prefix = f"/{index}" if many else ""
        cells = operation.checked_cells(threat_model.pk, row["cells"], f"{prefix}/diagram_data/cells")
        started.append({**row, "cells": cells, **_vectors(cells)})
    made = record.create_records(Diagram, threat_model=threat_model, actor=actor, rows=started, many=many)
    DiagramOperation.objects.bulk_create(_first(diagram, actor) for diagram in made if diagram.cells)
    return made


@transaction.atomic
def update_diagram(diagram: Diagram, *, actor: User, changes: record.Change) -> Diagram:
    """Changes fields; `diagram_data` among the changes, {cells}, is written as one operation."""
    data: dict[str, Any] = {}

    def fields(locked: Diagram) -> dict[str, Any]:
        new = dict(changes(locked) if callable(changes) else changes)
        data.update(new.pop("diagram_data", None) or {})
        return new

    changed = record.update_record(diagram, actor=actor, changes=fields)
    if "cells" in data:
        return operation.write_cells(changed, actor=actor, cells=data["cells"])
    return changed


def _first(diagram: Diagram, actor: User) -> DiagramOperation:
    applied = operations.State().apply(operations.patch(operations.add(cell) for cell in diagram.cells))
    return DiagramOperation(
        diagram=diagram,
        sequence_number=1,
        operation_id=new_id(),
        actor=actor,
        operation=applied.operation,
        inverse=applied.inverse,
    )


def _vectors(cells: Cells) -> dict[str, int]:
    count = 1 if cells else 0
    return {"cells_vector": count, "update_vector": count}
