"""The log of a diagram: every change of its cells is an operation, numbered without gaps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from threatmodels import operations
from threatmodels.actions import record
from threatmodels.cells import Problem, validate_cells
from threatmodels.models import Asset, Diagram, DiagramOperation
from threatmodels.operations import Cell, Cells, Operation
from tmi.lib.errors import Conflict, FieldError, NotFound, ValidationFailed, nested
from tmi.lib.events import Event, publish_on_commit
from tmi.lib.ids import new_id


@transaction.atomic
def write_cells(
    diagram: Diagram, *, actor: User, cells: list[Cell], field: str = "/diagram_data/cells"
) -> Diagram:
    """Makes `cells` the diagram, as one operation. Raises ValidationFailed with pointers below `field`."""
    locked = record.lock(diagram)
    check_cells(locked.threat_model_id, cells, field)
    old, hidden = operations.by_id(locked.cells), deleted_assets(locked.threat_model_id)
    new = {cell["id"]: keeping_hidden(old.get(cell["id"]), cell, hidden) for cell in cells}
    wanted = operations.replacing(old, new)
    if wanted["cells"]:
        append(locked, actor=actor, operation=wanted)
    return locked


@transaction.atomic
def change_cell(
    diagram: Diagram, *, actor: User, cell_id: str, change: Callable[[Cell | None], Cell | None]
) -> Cell | None:
    """Writes what `change` makes of a cell (None: there is none) as one operation; returns the cell.

    Removing a cell removes the flows that end on it. Raises ValidationFailed with pointers into the cell.
    """
    locked = record.lock(diagram)
    cells = operations.by_id(locked.cells)
    old, hidden = cells.get(cell_id), deleted_assets(locked.threat_model_id)
    new = change(old and without_assets(old, hidden))
    new = new and keeping_hidden(old, new, hidden)
    step = _step(cell_id, old, new)
    if step is None:
        return new
    if new is not None:
        after = {**cells, cell_id: new}
        _refuse(_within(_problems(locked.threat_model_id, list(after.values())), list(after).index(cell_id)))
    append(locked, actor=actor, operation=operations.patch([step]))
    return new


@transaction.atomic
def revert_to(diagram: Diagram, *, actor: User, sequence_number: int) -> Diagram:
    """Makes the diagram what it was after an operation, as a new operation; 0 empties it. Raises NotFound."""
    locked = record.lock(diagram)
    then, known = cells_at(locked, sequence_number), _asset_ids(locked.threat_model_id)
    lost = {asset for cell in then.values() for asset in cell.get("data_asset_ids", ())} - known
    wanted = operations.replacing(
        operations.by_id(locked.cells), {pk: without_assets(cell, lost) for pk, cell in then.items()}
    )
    if wanted["cells"]:
        append(locked, actor=actor, operation=wanted)
    return locked


def cells_at(diagram: Diagram, sequence_number: int) -> Cells:
    """The cells as they were after an operation of the log, taken back step by step. Raises NotFound."""
    if not 0 <= sequence_number <= diagram.update_vector:
        raise NotFound
    later = diagram.operations.filter(sequence_number__gt=sequence_number)
    if later.count() != diagram.update_vector - sequence_number:
        raise NotFound("The history does not reach back so far.")
    cells = operations.by_id(diagram.cells)
    for inverse in later.order_by("-sequence_number").values_list("inverse", flat=True).iterator(500):
        cells = operations.apply(cells, inverse).cells
    return cells


def append(
    locked: Diagram, *, actor: User, operation: Operation, operation_id: UUID | None = None
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
    record.touch(locked.threat_model_id)
    announce(locked, actor, logged)
    return logged


def announce(diagram: Diagram, actor: User, logged: DiagramOperation) -> None:
    data = {"sequence_number": logged.sequence_number}
    publish_on_commit(Event("diagram.operation", diagram.pk, diagram.threat_model_id, actor.pk, data))


def check_cells(threat_model_id: UUID, cells: object, field: str) -> None:
    """The rules of cells; raises ValidationFailed with pointers below `field`."""
    problems = _problems(threat_model_id, cells)
    _refuse(FieldError(nested(field, p.pointer), p.reason) for p in problems)


def deleted_assets(threat_model_id: UUID) -> set[str]:
    """The assets to which cells still refer, but which nobody is shown while they are deleted."""
    deleted = Asset.objects.deleted().filter(threat_model_id=threat_model_id)
    return {str(pk) for pk in deleted.values_list("pk", flat=True)}


def without_assets(cell: Cell, assets: Collection[str]) -> Cell:
    """The cell without references to these assets."""
    if not any(asset in assets for asset in cell.get("data_asset_ids", ())):
        return cell
    return {**cell, "data_asset_ids": [asset for asset in cell["data_asset_ids"] if asset not in assets]}


def keeping_hidden(old: Cell | None, new: Cell, hidden: Collection[str]) -> Cell:
    """A new state of a cell with the references of the old one that its writer could not see."""
    kept = [asset for asset in (old or {}).get("data_asset_ids", ()) if asset in hidden]
    given = new.get("data_asset_ids", [])
    missing = [asset for asset in kept if asset not in given]
    return {**new, "data_asset_ids": [*given, *missing]} if missing else new


def _step(cell_id: str, old: Cell | None, new: Cell | None) -> operations.Step | None:
    if old is None:
        return None if new is None else operations.add(new)
    if new is None:
        return operations.remove(cell_id)
    difference = operations.difference(old, new)
    return operations.update(cell_id, difference) if difference else None


def _problems(threat_model_id: UUID, cells: object) -> list[Problem]:
    return validate_cells(cells, asset_ids=_asset_ids(threat_model_id))


def _asset_ids(threat_model_id: UUID) -> set[str]:
    assets = Asset.objects.filter(threat_model_id=threat_model_id).values_list("pk", flat=True)
    return {str(pk) for pk in assets}


def _within(problems: Iterable[Problem], index: int) -> Iterable[FieldError]:
    """Problems of one cell by their place in it; those of others, which it causes, speak of all of it."""
    prefix = f"/{index}"
    for problem in problems:
        own = problem.pointer == prefix or problem.pointer.startswith(f"{prefix}/")
        yield FieldError(problem.pointer.removeprefix(prefix) if own else "", problem.reason)


def _refuse(problems: Iterable[FieldError]) -> None:
    listed = list(problems)[:100]
    if listed:
        raise ValidationFailed(listed)
