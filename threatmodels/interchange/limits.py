"""How much of a file is read before it is refused."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for one file. The defaults suit a file that a person draws; all are inclusive.

    `max_values` bounds what a parser builds in memory (JSON values, XML nodes), `max_elements` what the model
    then holds (cells, threats, assets, notes, documents, repositories), `max_cells` the cells of one diagram.
    """

    max_bytes: int = 20 * MEBIBYTE
    max_expanded_bytes: int = 50 * MEBIBYTE
    max_values: int = 2_000_000
    max_depth: int = 100
    max_elements: int = 50_000
    max_cells: int = 10_000
    max_diagrams: int = 1_000
