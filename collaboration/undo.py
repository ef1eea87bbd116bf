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
    found, passed = Stacks(), set(skipped)
    undone: dict[UUID, UUID] = {}
    for one in own:
        if one.undo_of is not None:
            _discard(found.undo, one.undo_of)
            found.redo.append(one.operation_id)
            undone[one.undo_of] = one.operation_id
        elif one.redo_of is not None:
            _discard(found.redo, undone.get(one.redo_of))
            found.undo.append(one.operation_id)
        else:
            found.redo.clear()
            found.undo.append(one.operation_id)
    return Stacks(
        [one for one in found.undo if one not in passed][-MOST_BACK:],
        [one for one in found.redo if one not in passed][-MOST_BACK:],
    )


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


def _discard(stack: list[UUID], item: UUID | None) -> None:
    if item in stack:
        stack.remove(item)
