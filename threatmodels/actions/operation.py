"""The log of a diagram: every change of its cells is an operation, numbered without gaps."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from threatmodels import operations
from threatmodels.actions import record
from threatmodels.cells import validate_cells
from threatmodels.models import Asset, Diagram, DiagramOperation
from tmi.lib.errors import Conflict, FieldError, ValidationFailed, nested
from tmi.lib.events import Event, publish_on_commit
from tmi.lib.ids import new_id


@transaction.atomic
def write_cells(
    diagram: Diagram, *, actor: User, cells: list[operations.Cell], field: str = "/diagram_data/cells"
) -> Diagram:
    """Makes `cells` the diagram, as one operation. Raises ValidationFailed with pointers below `field`."""
    locked = record.lock(diagram)
    check_cells(locked.threat_model_id, cells, field)
    wanted = operations.replacing(operations.by_id(locked.cells), operations.by_id(cells))
    if wanted["cells"]:
        append(locked, actor=actor, operation=wanted)
    return locked


def append(
    locked: Diagram, *, actor: User, operation: operations.Operation, operation_id: UUID | None = None
) -> DiagramOperation:
    """Carries out an operation on a locked diagram and writes it to the log. Raises Conflict."""
    try:
        applied = operations.apply(operations.by_id(locked.cells), operation)
    except operations.Rejected as error:
        raise Conflict(error.message, details={"reason": error.reason, "cells": error.cell_ids}) from None
    locked.cells = list(applied.cells.values())
    locked.update_vector += 1
    locked.cells_vector, locked.modified_at = locked.update_vector, timezone.now()
    locked.save(update_fields=["cells", "cells_vector", "update_vector", "modified_at"])
    logged = DiagramOperation.objects.create(
        diagram=locked,
        sequence_number=locked.update_vector,
        operation_id=operation_id or new_id(),
        actor=actor,
        operation=applied.operation,
        inverse=applied.inverse,
    )
    announce(locked, actor, logged)
    return logged


def announce(diagram: Diagram, actor: User, logged: DiagramOperation) -> None:
    data = {"sequence_number": logged.sequence_number}
    publish_on_commit(Event("diagram.operation", diagram.pk, diagram.threat_model_id, actor.pk, data))


def check_cells(threat_model_id: UUID, cells: object, field: str) -> None:
    """The rules of cells; raises ValidationFailed with pointers below `field`."""
    assets = Asset.objects.filter(threat_model_id=threat_model_id).values_list("pk", flat=True)
    problems = validate_cells(cells, asset_ids={str(pk) for pk in assets})
    if problems:
        raise ValidationFailed(FieldError(nested(field, p.pointer), p.reason) for p in problems[:100])
