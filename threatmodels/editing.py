"""Carrying out what somebody asked for: the rules of cells, held against what an operation touches. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import orjson

from threatmodels.cells import (
    LARGEST_CELL,
    MOST_CELLS,
    NO_CELL,
    Problem,
    asset_problems,
    is_cell_id,
    reference_problems,
    validate_cell,
)
from threatmodels.operations import Applied, Cell, Operation, Rejected, State, Step, patch, update


def carry_out(state: State, operation: Operation, *, assets: Collection[str] | None = None) -> Applied:
    """Applies an operation whose form has been checked, or leaves the state as it was.

    `assets`, where given, are the assets that cells may name from now on. Raises Rejected: validation_failed,
    conflict_detected, no_state_change, too_large.
    """
    _refuse_odd_ids(operation["cells"])
    # Each step by itself, for the log keeps them all.
    applied = state.apply(operation, check=_check_form)
    try:
        _check(state, applied, assets)
    except Rejected:
        state.take_back(applied)
        raise
    return applied


def naming_assets(operation: Operation) -> bool:
    """Whether the operation says something about the assets of a cell."""
    return any("data_asset_ids" in (step.get("data") or ()) for step in operation["cells"])


def keeping_hidden(operation: Operation, state: State, hidden: Collection[str]) -> Operation:
    """The operation of somebody who does not see deleted assets: what they cannot see stays."""
    return patch(_keeping(step, state.cells.get(step["id"]), hidden) for step in operation["cells"])


def _keeping(step: Step, old: Cell | None, hidden: Collection[str]) -> Step:
    data: dict[str, Any] = step.get("data") or {}
    if old is None or step["operation"] != "update" or "data_asset_ids" not in data:
        return step
    given = data["data_asset_ids"]
    kept = [asset for asset in old.get("data_asset_ids", ()) if asset in hidden]
    if not kept or not (given is None or isinstance(given, list)):
        return step
    wanted = list(given or ())
    wanted += [asset for asset in kept if asset not in wanted]
    return update(step["id"], {**data, "data_asset_ids": wanted})


def _refuse_odd_ids(steps: Iterable[Step]) -> None:
    for step in steps:
        cell_id, data = step["id"], step.get("data") or {}
        if not is_cell_id(cell_id):
            raise _invalid(cell_id, Problem("/id", "A UUID is expected."))
        if data.get("id", cell_id) != cell_id:
            raise _invalid(cell_id, Problem("/id", "A cell keeps its id."))


def _check(state: State, applied: Applied, assets: Collection[str] | None) -> None:
    if len(state.cells) > MOST_CELLS and any(cell is None for cell in applied.before.values()):
        raise Rejected("too_large", f"A diagram has at most {MOST_CELLS} cells.")
    touched = [cell for pk in applied.before if (cell := state.cells.get(pk)) is not None]
    kinds = Kinds(state)
    for cell in _concerned(state, applied, touched):
        if wrong := next(reference_problems(cell, kinds), None):
            reason = "conflict_detected" if wrong.reason == NO_CELL else "validation_failed"
            raise Rejected(reason, wrong.reason, [cell["id"]], [(cell["id"], *wrong)])
        _refuse_cycle(state, cell)
    if assets is not None:
        _check_assets(applied, touched, assets)


def _check_form(cell: Cell) -> None:
    weight = _weight(cell)
    if weight > LARGEST_CELL:
        said = f"A cell has at most {LARGEST_CELL} bytes; this one has {weight}."
        raise Rejected("too_large", said, [cell["id"]], [(cell["id"], "", said)])
    if problems := validate_cell(cell):
        raise _invalid(cell["id"], *problems)


def _weight(cell: Cell) -> int:
    try:
        return len(orjson.dumps(cell))
    except (TypeError, RecursionError):
        return 0  # no JSON, as the form check says


def _concerned(state: State, applied: Applied, touched: list[Cell]) -> Iterator[Cell]:
    """The touched cells, and those that refer to one whose type has changed."""
    yield from touched
    for cell in touched:
        old = applied.before[cell["id"]]
        if old is not None and old["type"] != cell["type"]:
            for other in (*state.attached(cell["id"]), *state.children(cell["id"])):
                yield state.cells[other]


def _refuse_cycle(state: State, cell: Cell) -> None:
    seen: set[str] = set()
    at: str | None = cell["id"]
    while at is not None and at not in seen:
        seen.add(at)
        at = state.cells.get(at, {}).get("parent")
    if at is not None:
        raise _invalid(cell["id"], Problem("/parent", "A cell cannot lie inside itself."))


def _check_assets(applied: Applied, touched: list[Cell], assets: Collection[str]) -> None:
    for cell in touched:
        old = applied.before[cell["id"]] or {}
        held = {*assets, *old.get("data_asset_ids", ())}
        if problems := list(asset_problems(cell, held)):
            raise _invalid(cell["id"], *problems)


def _invalid(cell_id: str, *problems: Problem) -> Rejected:
    first = problems[0]
    said = f"{first.pointer}: {first.reason}" if first.pointer else first.reason
    return Rejected("validation_failed", said, [cell_id], [(cell_id, *one) for one in problems])


class Kinds(Mapping[str, Any]):
    """The types of the cells by id."""

    def __init__(self, state: State) -> None:
        self._cells = state.cells

    def __getitem__(self, cell_id: str) -> Any:
        return self._cells[cell_id]["type"]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)
