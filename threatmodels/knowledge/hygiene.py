"""Hygiene of a model: what a diagram leaves unsaid, or says oddly. Not threats; listed apart. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from threatmodels.cells import label
from threatmodels.knowledge.facts import Cell, DiagramFacts, name_of


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to put right; `check` is a stable name, `message` a sentence."""

    check: str
    cell_id: str
    cell_name: str
    message: str


CHECKS = {
    "flow-without-label": "A flow without a label.",
    "flow-without-end": "A flow that is not connected at both ends.",
    "element-without-label": "An element without a name.",
    "element-not-connected": "An element that no flow touches.",
    "same-name": "Two elements of one type with the same name.",
    "store-never-written": "A data store that nothing writes to.",
    "store-never-read": "A data store that nothing reads from.",
    "no-process-between": "A flow between stores or outsiders without a process between them.",
    "external-crosses-nothing": "A flow from or to an external entity that crosses no trust boundary.",
    "boundary-empty": "A trust boundary with nothing in it.",
    "process-without-input": "A process that nothing reaches.",
    "process-without-output": "A process from which nothing leaves.",
    "scope-without-reason": "An element out of scope without a reason.",
}


def hygiene(cells: Sequence[Cell]) -> list[Finding]:
    """What is to be put right in a diagram, in the order of its cells. An empty diagram has no findings."""
    diagram = DiagramFacts(cells)
    doubles = Counter(_identity(cell) for cell in diagram.cells.values())
    return [
        Finding(check, pk, name_of(cell, diagram.cells), message)
        for pk, cell in diagram.cells.items()
        for check, message in [*_of_cell(diagram, cell), *_double(cell, doubles)]
    ]


Found = Iterator[tuple[str, str]]


def _of_cell(diagram: DiagramFacts, cell: Cell) -> Found:
    if cell.get("out_of_scope") and not str(cell["properties"].get("out_of_scope_reason") or "").strip():
        yield "scope-without-reason", "It is out of scope, and nobody says why."
    if cell["type"] == "data_flow":
        yield from _of_flow(diagram, cell)
    elif cell["type"] == "trust_boundary":
        yield from _of_boundary(diagram, cell)
    else:
        yield from _of_element(diagram, cell)


def _of_flow(diagram: DiagramFacts, cell: Cell) -> Found:
    if not label(cell).strip():
        yield "flow-without-label", "The flow has no label: what flows here?"
    ends = [diagram.cells[pk] for pk in diagram.ends(cell).values()]
    if len(ends) < 2:
        yield "flow-without-end", "The flow is not connected at both ends."
        return
    kinds = {end["type"] for end in ends}
    if "process" not in kinds and kinds <= {"datastore", "external_entity"}:
        yield "no-process-between", _without_process(kinds)
    outsiders = [end["type"] == "external_entity" for end in ends]
    if any(outsiders) and not all(outsiders) and not diagram.crossed(cell):
        yield (
            "external-crosses-nothing",
            "One end is an external entity, but no trust boundary is crossed: where does our side begin?",
        )


def _without_process(kinds: set[str]) -> str:
    if len(kinds) == 2:
        return "A data store does nothing by itself: which process moves this between it and the outsider?"
    if "datastore" in kinds:
        return "Data stores do nothing by themselves: which process moves this from one to the other?"
    return "Neither end is part of the system: leave the flow out, or draw the process between them."


def _of_boundary(diagram: DiagramFacts, cell: Cell) -> Found:
    if not label(cell).strip():
        yield "element-without-label", "The trust boundary has no name: who is trusted inside it?"
    if (
        not any(cell["id"] in around for around in diagram.enclosing.values())
        and "line" not in cell["properties"]
    ):
        yield "boundary-empty", "Nothing lies inside the trust boundary."


def _of_element(diagram: DiagramFacts, cell: Cell) -> Found:
    if not label(cell).strip():
        yield "element-without-label", "The element has no name."
    flows = diagram.at[cell["id"]]
    if not flows:
        yield "element-not-connected", "No flow touches it."
        return
    comes, goes = any(into for *_, into, _ in flows), any(out for *_, out in flows)
    if cell["type"] == "datastore":
        if not comes:
            yield "store-never-written", "Nothing writes to it: where does its content come from?"
        if not goes and not cell["properties"].get("is_a_log"):
            yield "store-never-read", "Nothing reads from it: what is it kept for?"
    if cell["type"] == "process":
        if not comes:
            yield "process-without-input", "Nothing reaches it: what makes it act?"
        if not goes:
            yield "process-without-output", "Nothing leaves it: what is it for?"


def _identity(cell: Cell) -> tuple[str, str]:
    return cell["type"], " ".join(label(cell).lower().split())


def _double(cell: Cell, doubles: Counter[tuple[str, str]]) -> Found:
    identity = _identity(cell)
    if identity[1] and cell["type"] != "data_flow" and doubles[identity] > 1:
        yield "same-name", "Another element of this type has the same name."
