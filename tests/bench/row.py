"""What `make bench` prints: a figure beside its limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A figure, its limit, and what their ratio should be: at least (rates) or at most (times, bytes)."""

    what: str
    ours: float
    limit: float
    unit: str
    goal: float
    at_most: bool = False

    @property
    def ratio(self) -> float:
        return self.ours / self.limit if self.limit else 0

    @property
    def met(self) -> bool:
        return self.ratio <= self.goal if self.at_most else self.ratio >= self.goal


def share(values: Sequence[float], part: float) -> float:
    """The value that this part of the sorted values does not exceed; 0 of none."""
    return values[min(len(values) - 1, int(len(values) * part))] if values else 0
