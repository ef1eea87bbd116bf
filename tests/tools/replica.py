"""A diagram as a client keeps it, and whatever was wrong with what the server sent.

Written from docs/websocket.md and RFC 7396 alone, so that it agrees with the server's own code only where
both are right.
"""

from __future__ import annotations

from array import array
from collections import Counter
from typing import Any

Cell = dict[str, Any]


class Replica:
    """The cells at `vector`; what must not happen is counted in `faults`."""

    def __init__(self) -> None:
        self.cells: dict[str, Cell] = {}
        self.vector: int | None = None
        self.faults: Counter[str] = Counter()
        # A mark of the operation at each number that was delivered, 0 where a state took its place.
        self._delivered = array("q", [0])

    def take_state(self, message: dict[str, Any]) -> None:
        """`diagram_state`: takes the place of everything."""
        if self.vector is not None and message["update_vector"] < self.vector:
            self.faults["state of the past"] += 1
        self.vector = message["update_vector"]
        self.cells = {cell["id"]: cell for cell in message["cells"]}
        self._reach(self.vector)

    def take(self, message: dict[str, Any], *, repeated: bool) -> bool:
        """`diagram_operation`; whether it was new. `repeated`: this client may be told of it once more."""
        number, operation_id = message["sequence_number"], message["operation_id"]
        if self.vector is None:
            self.faults["operation before any state"] += 1
            return False
        if number <= self.vector:
            if not repeated:
                self.faults["delivered twice"] += 1
            elif self.delivered(number) not in (0, mark(operation_id)):
                self.faults["another operation of the same number"] += 1
            return False
        if number > self.vector + 1:
            self.faults["gap"] += 1
            return False
        self.vector = number
        self._reach(number)
        self._delivered[number] = mark(operation_id)
        for step in message["operation"]["cells"]:
            self._step(step)
        return True

    def delivered(self, number: int) -> int:
        """The mark of the operation that was delivered as this number, or 0."""
        return self._delivered[number] if number < len(self._delivered) else 0

    def _reach(self, number: int) -> None:
        missing = number + 1 - len(self._delivered)
        if missing > 0:
            self._delivered.frombytes(bytes(8 * missing))

    def _step(self, step: dict[str, Any]) -> None:
        cell_id, kind = step["id"], step["operation"]
        if kind == "add":
            self._expect(cell_id not in self.cells, "add of what is there")
            self.cells[cell_id] = {**step["data"], "id": cell_id}
        elif kind == "update":
            self._expect(cell_id in self.cells, "update of what is gone")
            self.cells[cell_id] = merged(self.cells.get(cell_id), step["data"])
        else:
            self._expect(cell_id in self.cells, "removal of what is gone")
            self.cells.pop(cell_id, None)

    def _expect(self, condition: bool, fault: str) -> None:
        if not condition:
            self.faults[fault] += 1


def merged(target: Any, patch: Any) -> Any:
    """A JSON Merge Patch carried out; nothing is changed in place."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def mark(operation_id: str) -> int:
    """Tells operations apart in eight bytes; never 0."""
    return int(operation_id.replace("-", ""), 16) % (2**63 - 1) + 1 if operation_id else 1
