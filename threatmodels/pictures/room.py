"""Which places of a picture are taken, so that labels can keep clear of them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator

from threatmodels.pictures.geometry import Box

SQUARE = 256
# No label gets around what is larger than this.
LARGEST = 1_024
# Of a place more crowded than this nothing new is learned; it bounds what a label costs.
CROWD = 48


class Room:
    """Boxes by the squares of a grid that they touch: a place is compared with its neighbours only."""

    def __init__(self, boxes: Iterable[Box] = ()) -> None:
        self._squares: dict[tuple[int, int], list[Box]] = defaultdict(list)
        for box in boxes:
            self.take(box)

    def take(self, box: Box) -> None:
        if max(box.width, box.height) > LARGEST:
            return
        for square in _squares(box):
            if len(self._squares[square]) < CROWD:
                self._squares[square].append(box)

    def covered(self, place: Box) -> float:
        """The area of a place that is taken; what is taken twice counts twice."""
        near = {box for square in _squares(place) for box in self._squares.get(square, ())}
        return sum(place.shared(box) for box in near)

    def best(self, places: Iterable[Box]) -> Box:
        """The first of the places that is free, else the one that covers least."""
        found: list[tuple[float, Box]] = []
        for place in places:
            covered = self.covered(place)
            if covered == 0:
                return place
            found.append((covered, place))
        return min(found, key=lambda each: each[0])[1]


def _squares(box: Box) -> Iterator[tuple[int, int]]:
    for column in range(math.floor(box.x / SQUARE), math.floor(box.right / SQUARE) + 1):
        for row in range(math.floor(box.y / SQUARE), math.floor(box.bottom / SQUARE) + 1):
            yield column, row
