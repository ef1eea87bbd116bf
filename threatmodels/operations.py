"""What an operation does to the cells of a diagram, and what takes it back. Pure: no input, no output.

An operation is {"type": "patch", "cells": [{"id", "operation": add | update | remove, "data"}]}; `data` is a
whole cell (add), a JSON Merge Patch (update, RFC 7396) or absent (remove). Cells are never changed in place,
so that states may share them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

Cell = dict[str, Any]
Cells = dict[str, Cell]
Operation = dict[str, Any]
Step = dict[str, Any]

EMPTY: frozenset[str] = frozenset()


class Rejected(Exception):
    """The operation does not fit the diagram: `reason` is that of `operation_rejected`.

    `at` names the cell and the place in it (a JSON Pointer) of what is wrong, where it has one.
    """

    def __init__(
        self, reason: str, message: str, cell_ids: Iterable[str] = (), at: Iterable[tuple[str, str, str]] = ()
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.cell_ids = list(cell_ids)
        self.at = list(at)


@dataclass(frozen=True, slots=True)
class Applied:
    """An operation as it was carried out, its inverse, and what the touched cells and their places were."""

    operation: Operation
    inverse: Operation
    before: dict[str, Cell | None]
    places: dict[str, int]


class State:
    """The cells of a diagram by id, and which of them refer to which: a step costs its own size."""

    __slots__ = ("_attached", "_children", "_in_order", "_next", "_places", "cells")

    def __init__(self, cells: Iterable[Cell] = ()) -> None:
        self.cells: Cells = {}
        self._attached: dict[str, set[str]] = {}
        self._children: dict[str, set[str]] = {}
        # Where each cell stands among the others, and whether `cells` has them in that order.
        self._places: dict[str, int] = {}
        self._next = 0
        self._in_order = True
        for cell in cells:
            self._put(cell)

    def listed(self) -> list[Cell]:
        """The cells in their order, which is the same wherever the same operations were applied."""
        if not self._in_order:
            self.cells = {pk: self.cells[pk] for pk in sorted(self.cells, key=self._places.__getitem__)}
            self._in_order = True
        return list(self.cells.values())

    def attached(self, cell_id: str) -> list[str]:
        """The flows that end on the cell."""
        return sorted(self._attached.get(cell_id, EMPTY))

    def children(self, cell_id: str) -> list[str]:
        """The cells that lie in the cell."""
        return sorted(self._children.get(cell_id, EMPTY))

    def apply(self, operation: Operation, check: Callable[[Cell], None] | None = None) -> Applied:
        """Carries out the steps in order, all or none; steps without effect are left out.

        Removing a cell also removes the flows attached to it and takes its children out of it. `check` gets
        every cell that a step makes, and may raise; what cells refer to is not checked here. Raises Rejected:
        conflict_detected, no_state_change.
        """
        done: list[Step] = []
        undo: list[Step] = []
        applied = Applied(patch(done), patch(undo), {}, {})
        try:
            for step in operation["cells"]:
                for effective, inverse in self._effects(step, applied):
                    done.append(effective)
                    undo.append(inverse)
                if check is not None and step["id"] in self.cells:
                    check(self.cells[step["id"]])
            if all(same(self.cells.get(pk), cell) for pk, cell in applied.before.items()):
                raise Rejected("no_state_change", "The diagram is like that already.")
        except BaseException:
            self.take_back(applied)
            raise
        return replace(applied, operation=patch(done), inverse=patch(reversed(undo)))

    def take_back(self, applied: Applied) -> None:
        """Makes the touched cells what they were and puts them where they were."""
        for cell_id, cell in applied.before.items():
            if cell is None:
                if cell_id in self.cells:
                    self._drop(cell_id)
                continue
            if cell_id in self.cells:
                self._replace(cell_id, cell)
            else:
                self._put(cell)
            if self._places[cell_id] != applied.places[cell_id]:
                self._places[cell_id] = applied.places[cell_id]
                self._in_order = False

    def _effects(self, step: Step, applied: Applied) -> Iterator[tuple[Step, Step]]:
        kind = step["operation"]
        if kind == "add":
            yield from self._add(step["id"], step["data"], applied)
        elif kind == "update":
            yield from self._update(step["id"], step["data"], applied)
        else:
            yield from self._remove(step["id"], applied)

    def _add(self, cell_id: str, data: Cell, applied: Applied) -> Iterator[tuple[Step, Step]]:
        cell = {**data, "id": cell_id}
        if cell_id not in self.cells:
            self._note(applied, cell_id)
            self._put(cell)
            yield add(cell), remove(cell_id)
        elif not same(self.cells[cell_id], cell):
            raise Rejected("conflict_detected", "A cell with this id exists already.", [cell_id])

    def _update(self, cell_id: str, merge_patch: Cell, applied: Applied) -> Iterator[tuple[Step, Step]]:
        old = self.cells.get(cell_id)
        if old is None:
            raise Rejected("conflict_detected", "This cell is gone.", [cell_id])
        new = merge(old, merge_patch)
        if effective := difference(old, new):
            self._note(applied, cell_id)
            self._replace(cell_id, new)
            yield update(cell_id, effective), update(cell_id, difference(new, old))

    def _remove(self, cell_id: str, applied: Applied) -> Iterator[tuple[Step, Step]]:
        cell = self.cells.get(cell_id)
        if cell is None:
            return
        for flow_id in self.attached(cell_id):
            if flow_id != cell_id:
                yield from self._remove(flow_id, applied)
        for child_id in self.children(cell_id):
            yield from self._update(child_id, {"parent": None}, applied)
        self._note(applied, cell_id)
        self._drop(cell_id)
        yield remove(cell_id), add(cell)

    def _note(self, applied: Applied, cell_id: str) -> None:
        """Keeps what a cell was before the first step that touches it."""
        if cell_id not in applied.before:
            applied.before[cell_id] = self.cells.get(cell_id)
            if cell_id in self._places:
                applied.places[cell_id] = self._places[cell_id]

    def _put(self, cell: Cell) -> None:
        cell_id = cell["id"]
        self.cells[cell_id] = cell
        self._places[cell_id] = self._next
        self._next += 1
        self._link(cell)

    def _replace(self, cell_id: str, new: Cell) -> None:
        """In its place, which keeps the order of the cells."""
        self._unlink(self.cells[cell_id])
        self.cells[cell_id] = new
        self._link(new)

    def _drop(self, cell_id: str) -> None:
        self._unlink(self.cells.pop(cell_id))
        del self._places[cell_id]

    def _link(self, cell: Cell) -> None:
        for end in flow_ends(cell):
            self._attached.setdefault(end, set()).add(cell["id"])
        if isinstance(parent := cell.get("parent"), str):
            self._children.setdefault(parent, set()).add(cell["id"])

    def _unlink(self, cell: Cell) -> None:
        for end in flow_ends(cell):
            _discard(self._attached, end, cell["id"])
        if isinstance(parent := cell.get("parent"), str):
            _discard(self._children, parent, cell["id"])


def _discard(index: dict[str, set[str]], key: str, value: str) -> None:
    held = index.get(key)
    if held is not None:
        held.discard(value)
        if not held:
            del index[key]


# -- making operations


def patch(steps: Iterable[Step]) -> Operation:
    return {"type": "patch", "cells": list(steps)}


def add(cell: Cell) -> Step:
    return {"id": cell["id"], "operation": "add", "data": cell}


def update(cell_id: str, merge_patch: Cell) -> Step:
    return {"id": cell_id, "operation": "update", "data": merge_patch}


def remove(cell_id: str) -> Step:
    return {"id": cell_id, "operation": "remove", "data": None}


def by_id(cells: Iterable[Cell]) -> Cells:
    return {cell["id"]: cell for cell in cells}


def replay(cells: Iterable[Cell], operations: Iterable[Operation]) -> list[Cell]:
    """The cells after operations that were accepted one after the other."""
    state = State(cells)
    for operation in operations:
        state.apply(operation)
    return state.listed()


def replacing(old: Mapping[str, Cell], new: Mapping[str, Cell]) -> Operation:
    """The operation that turns one diagram into another; its steps may be none."""
    gone = [remove(cell_id) for cell_id in old if cell_id not in new]
    changed = [
        update(cell_id, difference(old[cell_id], cell))
        for cell_id, cell in new.items()
        if cell_id in old and not same(old[cell_id], cell)
    ]
    added = [add(cell) for cell_id, cell in new.items() if cell_id not in old]
    # Added first and removed last, so that a flow that moves to a new cell is not taken for an attached one.
    return patch([*added, *changed, *gone])


# -- values


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


def flow_ends(cell: Cell) -> list[str]:
    """The ids of the cells that a flow connects."""
    ends = (cell.get("source"), cell.get("target"))
    return [end["cell"] for end in ends if isinstance(end, dict) and isinstance(end.get("cell"), str)]
