"""Changing the cells of a diagram: every change is an operation of its log, numbered without gaps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from threatmodels import log, operations
from threatmodels.actions import record
from threatmodels.cells import as_kept, asset_problems, validate_cell, validate_cells
from threatmodels.editing import carry_out
from threatmodels.models import Asset, Diagram
from threatmodels.operations import Cell, Operation, Rejected, State
from tmi.lib.errors import Conflict, DomainError, FieldError, NotFound, ValidationFailed, nested
from tmi.lib.events import Event, publish_on_commit
from tmi.lib.ids import new_id


@transaction.atomic
def write_cells(
    diagram: Diagram, *, actor: User, cells: list[Cell], field: str = "/diagram_data/cells"
) -> Diagram:
    """Makes `cells` the diagram, as one operation. Raises ValidationFailed with pointers below `field`."""
    locked = record.lock(diagram)
    old, hidden = operations.by_id(locked.current_cells), deleted_assets(locked.threat_model_id)
    cells = checked_cells(locked.threat_model_id, cells, field, old=old)
    new = {cell["id"]: keeping_hidden(old.get(cell["id"]), cell, hidden) for cell in cells}
    wanted = operations.replacing(old, new)
    if wanted["cells"]:
        append(locked, actor=actor, operation=wanted)
    return locked


@transaction.atomic
def change_cell(
    diagram: Diagram, *, actor: User, cell_id: str, change: Callable[[Cell | None], Cell | None]
) -> Cell | None:
    """Writes what `change` makes of a cell (None: there is none) as one operation; returns it as it is shown.

    Removing a cell removes the flows that end on it. Raises ValidationFailed with pointers into the cell.
    """
    locked = record.lock(diagram)
    old = next((cell for cell in locked.current_cells if cell["id"] == cell_id), None)
    hidden = deleted_assets(locked.threat_model_id)
    new = as_kept(change(old and without_assets(old, hidden)))
    if new is not None:
        _refuse(FieldError(p.pointer, p.reason) for p in validate_cell(new))
        _refuse(_newly_hidden(old, new, hidden))
        new = keeping_hidden(old, new, hidden)
    step = _step(cell_id, old, new)
    if step is not None:
        try:
            append(locked, actor=actor, operation=operations.patch([step]))
        except Rejected as error:
            raise _refusal(error, cell_id) from None
    return new and without_assets(new, hidden)


@transaction.atomic
def revert_to(diagram: Diagram, *, actor: User, sequence_number: int) -> Diagram:
    """Makes the diagram what it was after an operation, as a new operation; 0 empties it. Raises NotFound."""
    locked = record.lock(diagram)
    then, known = cells_after(locked, sequence_number), asset_ids(locked.threat_model_id)
    lost = {asset for cell in then for asset in cell.get("data_asset_ids", ())} - known
    wanted = operations.replacing(
        operations.by_id(locked.current_cells), {cell["id"]: without_assets(cell, lost) for cell in then}
    )
    if wanted["cells"]:
        append(locked, actor=actor, operation=wanted)
    return locked


def cells_after(diagram: Diagram, sequence_number: int) -> list[Cell]:
    """The cells as they were after an operation of the log, taken back step by step. Raises NotFound."""
    if not 0 <= sequence_number <= diagram.update_vector:
        raise NotFound
    later = diagram.operations.filter(sequence_number__gt=sequence_number)
    if later.count() != diagram.update_vector - sequence_number:
        raise NotFound("The history does not reach back so far.")
    inverses = later.order_by("-sequence_number").values_list("inverse", flat=True)
    return operations.replay(diagram.current_cells, inverses.iterator(500))


def append(locked: Diagram, *, actor: User, operation: Operation) -> None:
    """Carries out an operation on a locked diagram and writes it to the log. Raises Rejected."""
    state = State(locked.current_cells)
    held = asset_ids(locked.threat_model_id)
    applied = carry_out(state, operation, assets=held)
    entry = log.Entry(new_id(), actor.pk, applied, log.digest(operation))
    now = timezone.now()
    if not log.write(locked.pk, locked.update_vector, [entry], now):
        raise Conflict("The diagram is being changed by somebody else.")
    locked.update_vector += 1
    locked.modified_at = now
    locked.current_cells = state.listed()
    if len(state.cells) <= log.LARGE or locked.update_vector - locked.cells_vector >= log.CHECKPOINT_EVERY:
        log.checkpoint(locked.pk, locked.update_vector, locked.current_cells)
        locked.cells, locked.cells_vector = locked.current_cells, locked.update_vector
    publish_on_commit(changed(locked.pk, locked.threat_model_id, actor.pk, locked.update_vector))


def changed(
    diagram_id: UUID, threat_model_id: UUID, actor_id: UUID | None, vector: int, *, told: bool = False
) -> Event:
    """The announcement of operations up to `vector`; `told`: other processes get them by another way."""
    data = {"sequence_number": vector, "told": told}
    return Event("diagram.operation", diagram_id, threat_model_id, actor_id, data)


def checked_cells(
    threat_model_id: UUID, cells: list[Cell], field: str, *, old: Mapping[str, Cell] | None = None
) -> list[Cell]:
    """The cells as they are kept; raises ValidationFailed with pointers below `field`.

    `old` are those that were there, by id: they alone may name assets that are deleted.
    """
    kept = [as_kept(cell) for cell in cells]
    problems = validate_cells(kept, asset_ids=asset_ids(threat_model_id))
    _refuse(FieldError(nested(field, p.pointer), p.reason) for p in problems)
    hidden, before = deleted_assets(threat_model_id), old or {}
    for index, cell in enumerate(kept if hidden else ()):
        _refuse(_newly_hidden(before.get(cell["id"]), cell, hidden, nested(field, f"/{index}")))
    return kept


def asset_ids(threat_model_id: UUID) -> set[str]:
    """The assets that cells of the model may name: also the deleted ones, which can come back."""
    assets = Asset.objects.filter(threat_model_id=threat_model_id).values_list("pk", flat=True)
    return {str(pk) for pk in assets}


def deleted_assets(threat_model_id: UUID) -> set[str]:
    """The assets to which cells still refer, but which nobody is shown while they are deleted."""
    deleted = Asset.objects.deleted().filter(threat_model_id=threat_model_id)
    return {str(pk) for pk in deleted.values_list("pk", flat=True)}


def without_assets(cell: Cell, assets: Collection[str]) -> Cell:
    """The cell without references to these assets."""
    if not any(asset in assets for asset in cell.get("data_asset_ids", ())):
        return cell
    return {**cell, "data_asset_ids": [asset for asset in cell["data_asset_ids"] if asset not in assets]}


def shown_operation(operation: Operation, hidden: Collection[str]) -> Operation:
    """The operation as everybody is told of it: without references to these assets, which are deleted."""
    return operations.patch(_shown_step(step, hidden) for step in operation["cells"])


def _shown_step(step: operations.Step, hidden: Collection[str]) -> operations.Step:
    data = step.get("data")
    if not data or not any(asset in hidden for asset in data.get("data_asset_ids") or ()):
        return step
    return {**step, "data": without_assets(data, hidden)}


def keeping_hidden(old: Cell | None, new: Cell, hidden: Collection[str]) -> Cell:
    """A new state of a cell with the references of the old one that its writer could not see."""
    kept = [asset for asset in (old or {}).get("data_asset_ids", ()) if asset in hidden]
    given = new.get("data_asset_ids", [])
    missing = [asset for asset in kept if asset not in given]
    return {**new, "data_asset_ids": [*given, *missing]} if missing else new


def _newly_hidden(old: Cell | None, new: Cell, hidden: Collection[str], at: str = "") -> Iterator[FieldError]:
    """The assets that a cell begins to name though they are deleted."""
    given = new.get("data_asset_ids", ())
    allowed = {asset for asset in given if asset not in hidden} | set((old or {}).get("data_asset_ids", ()))
    for problem in asset_problems(new, allowed, at):
        yield FieldError(problem.pointer, problem.reason)


def _step(cell_id: str, old: Cell | None, new: Cell | None) -> operations.Step | None:
    if old is None:
        return None if new is None else operations.add(new)
    if new is None:
        return operations.remove(cell_id)
    difference = operations.difference(old, new)
    return operations.update(cell_id, difference) if difference else None


def _refusal(error: Rejected, cell_id: str) -> DomainError:
    """Problems of one cell by their place in it; those of others, which it causes, speak of all of it."""
    if not error.at:
        return Conflict(error.message, details={"reason": error.reason, "cells": error.cell_ids})
    return ValidationFailed(FieldError(at if pk == cell_id else "", said) for pk, at, said in error.at[:100])


def _refuse(problems: Iterable[FieldError]) -> None:
    listed = list(problems)[:100]
    if listed:
        raise ValidationFailed(listed)
