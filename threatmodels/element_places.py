"""Where an element of a diagram is: what a flow joins, and which boundaries are around the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from threatmodels.knowledge.facts import Cell, DiagramFacts, name_of
from threatmodels.pictures.geometry import box_of


@dataclass(frozen=True, slots=True)
class Place:
    """A flow has ends, an open end is empty; everything else may have boundaries, the nearest first."""

    is_flow: bool = False
    source: str = ""
    target: str = ""
    both_ways: bool = False
    boundaries: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.is_flow:
            return _("in %(names)s") % {"names": ", ".join(self.boundaries)} if self.boundaries else ""
        ends = {"source": self.source or _("an open end"), "target": self.target or _("an open end")}
        if self.both_ways:
            return _("both ways between %(source)s and %(target)s") % ends
        return _("from %(source)s to %(target)s") % ends


def places_of(cells: Sequence[Cell]) -> dict[str, Place]:
    """The places of all elements of a diagram, by their ids."""
    facts = DiagramFacts(cells)
    return {
        pk: _flow(cell, facts) if cell["type"] == "data_flow" else Place(boundaries=_around(pk, facts))
        for pk, cell in facts.cells.items()
    }


def _flow(cell: Cell, facts: DiagramFacts) -> Place:
    ends = (facts.cells.get((cell.get(end) or {}).get("cell", "")) for end in ("source", "target"))
    source, target = (name_of(end, facts.cells) if end else "" for end in ends)
    return Place(True, source, target, bool(cell.get("bidirectional")))


def _around(pk: str, facts: DiagramFacts) -> tuple[str, ...]:
    around = sorted(
        (facts.cells[one] for one in facts.enclosing[pk]), key=lambda one: (_area(one), one["id"])
    )
    return tuple(name_of(one, facts.cells) for one in around)


def _area(cell: Cell) -> float:
    box = box_of(cell)
    return box.width * box.height if box else 0.0
