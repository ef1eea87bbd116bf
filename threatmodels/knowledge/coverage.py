"""Coverage: which category of the framework has been considered for which element. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from threatmodels.knowledge.facts import ELEMENTS, Cell, name_of
from threatmodels.knowledge.packs import Pack, categories

THREAT, CONSIDERED, NOT_APPLICABLE, OPEN = "threat", "considered", "not_applicable", "open"


@dataclass(frozen=True, slots=True)
class Entry:
    """One category at one element. `reason` is given where it does not apply."""

    state: str
    threats: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """An element and the categories that are considered for its type."""

    cell_id: str
    name: str
    type: str
    entries: dict[str, Entry]


@dataclass(frozen=True, slots=True)
class Coverage:
    """The matrix of a diagram. `percentage` is of the entries that are not open, 100 where there are none."""

    categories: list[str]
    rows: list[Row]

    @property
    def total(self) -> int:
        return sum(len(row.entries) for row in self.rows)

    @property
    def done(self) -> int:
        return sum(entry.state != OPEN for row in self.rows for entry in row.entries.values())

    @property
    def percentage(self) -> int:
        return self.done * 100 // self.total if self.total else 100


@dataclass(frozen=True, slots=True)
class Told:
    """A threat at an element, as far as coverage asks: its category, and whether there is work left."""

    cell_id: str
    category: str
    is_open: bool


def applicable(framework: str, packs: Iterable[Pack]) -> dict[str, list[str]]:
    """The categories that are considered for each type: what packs say, and all where none says anything."""
    known = categories(framework)
    said = [(kind, c) for pack in packs for kind, chosen in pack.applicable.items() for c in chosen]
    found = {kind: {c for named, c in said if named == kind} for kind in ELEMENTS}
    return {kind: [c for c in known if c in found[kind]] if found[kind] else known for kind in ELEMENTS}


def coverage(
    cells: Sequence[Cell],
    framework: str,
    packs: Iterable[Pack],
    threats: Iterable[Told],
    dismissed: Mapping[tuple[str, str], str],
) -> Coverage:
    """The matrix of one diagram, without elements out of scope.

    `dismissed` has the reason why a category does not apply, by category in lower case and cell id.
    """
    known, chosen = categories(framework), applicable(framework, packs)
    here: dict[tuple[str, str], list[Told]] = defaultdict(list)
    for threat in threats:
        here[threat.category.lower(), threat.cell_id].append(threat)
    by_id = {cell["id"]: cell for cell in cells}
    rows = [
        Row(
            cell["id"],
            name_of(cell, by_id),
            cell["type"],
            {c: _entry(here[c.lower(), cell["id"]], dismissed.get((c.lower(), cell["id"]))) for c in wanted},
        )
        for cell in cells
        if cell["type"] in ELEMENTS
        and not cell.get("out_of_scope")
        and (wanted := _wanted(known, chosen[cell["type"]], here, cell["id"]))
    ]
    return Coverage(known, rows)


def _wanted(
    known: list[str], chosen: list[str], here: Mapping[tuple[str, str], list[Told]], cell_id: str
) -> list[str]:
    """The categories of a type, and those in which somebody found a threat all the same."""
    return [c for c in known if c in chosen or (c.lower(), cell_id) in here]


def _entry(threats: list[Told], reason: str | None) -> Entry:
    if any(threat.is_open for threat in threats):
        return Entry(THREAT, len(threats))
    if threats:
        return Entry(CONSIDERED, len(threats))
    return Entry(OPEN) if reason is None else Entry(NOT_APPLICABLE, reason=reason)
