"""What an operation does to the cells of a diagram, and what takes it back. Pure: no input, no output.

An operation is {"type": "patch", "cells": [{"id", "operation": add | update | remove, "data"}]}; `data` is a
whole cell (add), a JSON Merge Patch (update, RFC 7396) or absent (remove). Cells are held as {id: cell}.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Cell = dict[str, Any]
Cells = dict[str, Cell]
Operation = dict[str, Any]
Step = dict[str, Any]


class Rejected(Exception):
    """The operation does not fit the diagram: `reason` is that of `operation_rejected`."""

    def __init__(self, reason: str, message: str, cell_ids: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.cell_ids = list(cell_ids)


@dataclass(frozen=True, slots=True)
class Applied:
    """The diagram after an operation, the operation as it was carried out, and its inverse."""

    cells: Cells
    operation: Operation
    inverse: Operation


def patch(steps: Iterable[Step]) -> Operation:
    return {"type": "patch", "cells": list(steps)}


def add(cell: Cell) -> Step:
    return {"id": cell["id"], "operation": "add", "data": cell}


def update(cell_id: str, merge_patch: Cell) -> Step:
    return {"id": cell_id, "operation": "update", "data": merge_patch}


def remove(cell_id: str) -> Step:
    return {"id": cell_id, "operation": "remove"}


def by_id(cells: Iterable[Cell]) -> Cells:
    return {cell["id"]: cell for cell in cells}


def apply(cells: Mapping[str, Cell], operation: Operation) -> Applied:
    """Carries out the steps in order on a copy of the diagram; steps without effect are left out.

    Removing a cell also removes the flows attached to it and takes its children out of it. References are not
    checked here. Raises Rejected: conflict_detected, no_state_change.
    """
    after, done, undo = dict(cells), [], []
    for step in operation["cells"]:
        for effective, inverse in _effects(after, step):
            done.append(effective)
            undo.append(inverse)
    if not done:
        raise Rejected("no_state_change", "The diagram is like that already.")
    return Applied(after, patch(done), patch(reversed(undo)))


def replacing(old: Mapping[str, Cell], new: Mapping[str, Cell]) -> Operation:
    """The operation that turns one diagram into another; its steps may be none."""
    gone = [remove(cell_id) for cell_id in old if cell_id not in new]
    changed = [
        update(cell_id, difference(old[cell_id], cell))
        for cell_id, cell in new.items()
        if cell_id in old and old[cell_id] != cell
    ]
    added = [add(cell) for cell_id, cell in new.items() if cell_id not in old]
    # Added first and removed last, so that a flow that moves to a new cell is not taken for an attached one.
    return patch([*added, *changed, *gone])


def merge(target: Any, merge_patch: Any) -> Any:
    """JSON Merge Patch (RFC 7396); the target is not changed."""
    if not isinstance(merge_patch, dict):
        return merge_patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in merge_patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def difference(old: Cell, new: Cell) -> Cell:
    """The smallest merge patch from one object to another; neither holds null."""
    found: Cell = {key: None for key in old if key not in new}
    for key, value in new.items():
        if key not in old:
            found[key] = value
        elif isinstance(value, dict) and isinstance(old[key], dict):
            if inner := difference(old[key], value):
                found[key] = inner
        elif not same(old[key], value):
            found[key] = value
    return found


def same(left: Any, right: Any) -> bool:
    """Equality of JSON values, in which true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def _effects(cells: Cells, step: Step) -> Iterator[tuple[Step, Step]]:
    kind = step["operation"]
    if kind == "add":
        yield from _add(cells, step)
    elif kind == "update":
        yield from _update(cells, step["id"], step["data"])
    else:
        yield from _remove(cells, step["id"])


def _add(cells: Cells, step: Step) -> Iterator[tuple[Step, Step]]:
    cell_id = step["id"]
    cell = {**step["data"], "id": cell_id}
    if cell_id not in cells:
        cells[cell_id] = cell
        yield add(cell), remove(cell_id)
    elif not same(cells[cell_id], cell):
        raise Rejected("conflict_detected", "A cell with this id exists already.", [cell_id])


def _update(cells: Cells, cell_id: str, merge_patch: Cell) -> Iterator[tuple[Step, Step]]:
    old = cells.get(cell_id)
    if old is None:
        raise Rejected("conflict_detected", "This cell is gone.", [cell_id])
    new = merge(old, merge_patch)
    if effective := difference(old, new):
        cells[cell_id] = new
        yield update(cell_id, effective), update(cell_id, difference(new, old))


def _remove(cells: Cells, cell_id: str) -> Iterator[tuple[Step, Step]]:
    if cell_id not in cells:
        return
    for flow_id in [c["id"] for c in cells.values() if cell_id in flow_ends(c)]:
        if flow_id != cell_id:
            yield from _remove(cells, flow_id)
    for child_id in [c["id"] for c in cells.values() if c.get("parent") == cell_id]:
        yield from _update(cells, child_id, {"parent": None})
    yield remove(cell_id), add(cells.pop(cell_id))


def flow_ends(cell: Cell) -> list[str]:
    """The ids of the cells that a flow connects."""
    ends = (cell.get("source"), cell.get("target"))
    return [end["cell"] for end in ends if isinstance(end, dict) and "cell" in end]
