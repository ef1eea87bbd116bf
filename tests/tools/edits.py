"""Operations as people make them: boxes and flows are drawn, moved, named, removed."""

from __future__ import annotations

import random
import uuid
from typing import Any

Cell = dict[str, Any]
TYPES = ("process", "datastore", "external_entity", "trust_boundary")
# A crowd that edits for long keeps the diagram about so large.
ENOUGH = 1_200


class Hand:
    """Somebody's next operation, by chance; the same seed draws the same."""

    def __init__(self, seed: object) -> None:
        self.chance = random.Random(str(seed))  # noqa: S311

    def next(self, cells: dict[str, Cell]) -> dict[str, Any]:
        """An operation that fits these cells, which may have changed when it arrives."""
        boxes = [key for key, cell in cells.items() if cell["type"] != "data_flow"]
        turn = self.chance.random()
        if len(boxes) < 4 or (turn < 0.2 and len(cells) < ENOUGH):
            return patch(self._box())
        if turn < 0.3 and len(cells) < ENOUGH:
            return patch(self._flow(*self.chance.sample(boxes, 2)))
        if turn < 0.37 or len(cells) > 2 * ENOUGH:
            return patch(step(self.chance.choice(list(cells)), "remove", None))
        if turn < 0.6:
            return patch(self._name(self.chance.choice(list(cells))))
        moved = {self.chance.choice(boxes) for _ in range(self.chance.choice((1, 1, 1, 3)))}
        return patch(*(step(key, "update", {"position": self._place()}) for key in sorted(moved)))

    def _place(self) -> dict[str, int]:
        return {"x": self.chance.randrange(4000), "y": self.chance.randrange(3000)}

    def _box(self) -> dict[str, Any]:
        cell = {
            "type": self.chance.choice(TYPES),
            "properties": {"label": self._word()},
            "position": self._place(),
            "size": {"width": 140, "height": 80},
        }
        return step(self._id(), "add", cell)

    def _flow(self, source: str, target: str) -> dict[str, Any]:
        ends = {"source": {"cell": source}, "target": {"cell": target}}
        return step(self._id(), "add", {"type": "data_flow", "properties": {"label": self._word()}, **ends})

    def _name(self, key: str) -> dict[str, Any]:
        """A property that comes, changes or goes."""
        label = {"label": self._word()}
        more = {f"note {self.chance.randrange(3)}": self.chance.choice((None, self._word()))}
        return step(key, "update", {"properties": self.chance.choice((label, more, {**label, **more}))})

    def _word(self) -> str:
        return f"{self.chance.choice(('Shop', 'Till', 'Größe', '倉庫'))} {self.chance.randrange(10**6)}"

    def _id(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))


def step(key: str, operation: str, data: Any) -> dict[str, Any]:
    return {"id": key, "operation": operation, "data": data}


def patch(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"type": "patch", "cells": list(steps)}
