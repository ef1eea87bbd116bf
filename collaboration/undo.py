"""What a person may take back: their own stack, and whether others have touched the same since. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from threatmodels.operations import Operation

MOST_BACK = 100
# Each of the last hundred edits may have been taken back and done again a few times.
ROWS = 6 * MOST_BACK

Path = tuple[str, ...]
# Of each cell the properties that an operation touches; None for the cell as a whole.
Touched = dict[str, set[Path] | None]


@dataclass(frozen=True, slots=True)
class Own:
    """One operation of the person's."""

    operation_id: UUID
    undo_of: UUID | None = None
    redo_of: UUID | None = None


@dataclass(slots=True)
class Stacks:
    """The operations that can be taken back, and the undo operations that can be; the latest last."""

    undo: list[UUID] = field(default_factory=list)
    redo: list[UUID] = field(default_factory=list)


def stacks(own: Iterable[Own], skipped: Iterable[UUID] = ()) -> Stacks:
    """What is left to undo and to redo after the person's operations, given in order.

    Taking an operation back moves it from one stack to the other; a new edit ends what could be redone.
    """
    # Ordered sets: taking the latest off a list of UUIDs would compare it with all of them.
    undo: dict[UUID, None] = {}
    redo: dict[UUID, None] = {}
    passed = set(skipped)
    undone: dict[UUID, UUID] = {}
    # Whichever edit an undo or redo goes back to; the last hundred edits are within reach.
    edit_of: dict[UUID, UUID] = {}
    edits: list[UUID] = []
    for one in own:
        before = one.undo_of or one.redo_of
        edit_of[one.operation_id] = edit_of.get(before, before) if before else one.operation_id
        if one.undo_of is not None:
            undo.pop(one.undo_of, None)
            redo[one.operation_id] = None
            undone[one.undo_of] = one.operation_id
        elif one.redo_of is not None:
            if one.redo_of in undone:
                redo.pop(undone[one.redo_of], None)
            undo[one.operation_id] = None
        else:
            redo.clear()
            undo[one.operation_id] = None
            edits.append(one.operation_id)
    near = set(edits[-MOST_BACK:])

    def left(stack: Iterable[UUID]) -> list[UUID]:
        return [one for one in stack if one not in passed and edit_of[one] in near]

    return Stacks(left(undo), left(redo))


def touched(operation: Operation) -> Touched:
    """The cells and properties that an operation says something about."""
    found: Touched = {}
    for step in operation["cells"]:
        if step["operation"] != "update":
            found[step["id"]] = None
            continue
        paths = found.setdefault(step["id"], set())
        if paths is not None:
            paths.update(_paths(step["data"]))
    return found


def overlaps(mine: Touched, theirs: Touched) -> bool:
    """Whether two operations speak of the same property of a cell."""
    return any(pk in theirs and _meet(paths, theirs[pk]) for pk, paths in mine.items())


def _meet(mine: set[Path] | None, theirs: set[Path] | None) -> bool:
    if mine is None or theirs is None:
        return True
    return any(one[: len(other)] == other[: len(one)] for one in mine for other in theirs)


def _paths(merge_patch: Mapping[str, Any], above: Path = ()) -> Iterable[Path]:
    for key, value in merge_patch.items():
        if isinstance(value, dict) and value:
            yield from _paths(value, (*above, key))
        else:
            yield (*above, key)
