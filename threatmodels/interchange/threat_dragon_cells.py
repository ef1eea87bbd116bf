"""The cells of one Threat Dragon diagram: what each element is, where it stands, what it is called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from threatmodels.interchange import threat_dragon_v1, threat_dragon_v2
from threatmodels.interchange.cell_ids import CellIds
from threatmodels.interchange.document import Cell
from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.geometry import Box, box_in
from threatmodels.interchange.intake import Intake, quoted
from threatmodels.interchange.limits import Limits
from threatmodels.interchange.plain import mapping
from threatmodels.interchange.threat_dragon_draft import Draft
from threatmodels.interchange.threat_dragon_element import Element
from threatmodels.interchange.threat_dragon_lines import Lines
from threatmodels.interchange.threat_dragon_properties import properties_of, slimmed

USUAL_SIZE = {
    "process": (100, 100),
    "datastore": (150, 75),
    "external_entity": (150, 80),
    "text": (190, 80),
    "trust_boundary": (300, 200),
}
GAP = 40
IN_A_ROW = 6


def cells_of(
    raw: list[Any], *, where: str, place: str, intake: Intake, ids: CellIds, limits: Limits
) -> list[tuple[Element, Cell]]:
    """Each element that makes a cell, with that cell, in the order of the file."""
    if len(raw) > limits.max_cells:
        raise UnreadableFile(f"{where} has more than {limits.max_cells} elements.")
    drafts = list(_drafts(raw, where, place, intake, ids))
    boxes = _boxes(drafts, intake)
    lines = Lines(drafts, boxes, intake)
    made = [(draft, _cell(draft, boxes, lines, intake)) for draft in drafts]
    kept = [(draft, cell) for draft, cell in made if cell is not None]
    _break_circles(kept, intake)
    return [(draft.element, cell) for draft, cell in kept]


def _drafts(raw: list[Any], where: str, place: str, intake: Intake, ids: CellIds) -> Iterator[Draft]:
    for index, item in enumerate(raw):
        spot = f"{where}, element {index + 1}"
        if not isinstance(item, dict):
            intake.report.leave_out(spot, "It is not an element of a diagram.")
            continue
        element = threat_dragon_v2.element(item) if _is_v2(item) else threat_dragon_v1.element(item)
        kind = _type(element, spot, intake)
        if kind is not None:
            title = f"{where}, {kind.replace('_', ' ')} {quoted(element.label) or index + 1}"
            cell_id = ids.take(element.raw_id, place=f"{place}/{index}", element=title)
            yield Draft(element, kind, cell_id, title)


def _type(element: Element, spot: str, intake: Intake) -> str | None:
    if element.type is not None:
        return element.type
    guess, shape = _guess(element), quoted(element.shape) or "of no name"
    if guess is None:
        intake.report.leave_out(spot, f"Its shape {shape} is not known here.")
    else:
        intake.report.change(
            spot, f"Its shape {shape} is not known here; it is a {guess.replace('_', ' ')} now."
        )
    return guess


def _is_v2(item: dict[str, Any]) -> bool:
    return "shape" in item or isinstance(item.get("data"), dict)


def _guess(element: Element) -> str | None:
    """What a shape of another name most likely is: something at both ends makes a flow, a box a process."""
    if mapping(element.source) and mapping(element.target):
        return "data_flow"
    return "process" if box_in(element.position, element.size) else None


def _boxes(drafts: list[Draft], intake: Intake) -> dict[str, Box]:
    """The box of everything that has one, by id; what should have one and has none goes below the others."""
    boxes: dict[str, Box] = {}
    for draft in drafts:
        box = None if draft.type == "data_flow" else box_in(draft.element.position, draft.element.size)
        if box is not None:
            boxes[draft.id] = box.grown()
            if boxes[draft.id] != box:
                intake.report.change(draft.title, "It was enlarged to the smallest size that can be drawn.")
    homeless = [draft for draft in drafts if draft.id not in boxes and _needs_box(draft)]
    for draft, box in zip(homeless, _places_below(list(boxes.values()), homeless), strict=True):
        boxes[draft.id] = box
        intake.report.change(draft.title, "It has no sound position and size and stands below the others.")
    return boxes


def _needs_box(draft: Draft) -> bool:
    is_line = draft.type == "data_flow" or (draft.type == "trust_boundary" and bool(draft.element.source))
    return not is_line


def _places_below(boxes: list[Box], homeless: list[Draft]) -> Iterator[Box]:
    left = min((box.x for box in boxes), default=0)
    top = max((box.bottom + GAP for box in boxes), default=0)
    across = max(width for width, _ in USUAL_SIZE.values()) + GAP
    down = max(height for _, height in USUAL_SIZE.values()) + GAP
    for index, draft in enumerate(homeless):
        row, column = divmod(index, IN_A_ROW)
        yield Box(left + column * across, top + row * down, *USUAL_SIZE[draft.type])


def _cell(draft: Draft, boxes: dict[str, Box], lines: Lines, intake: Intake) -> Cell | None:
    drawing = lines.drawing_of(draft) if draft.id not in boxes else boxes[draft.id].as_json()
    if drawing is None:
        return None
    properties = {
        **properties_of(draft.element, title=draft.title, intake=intake),
        **drawing.pop("properties", {}),
    }
    cell: Cell = {"id": draft.id, "type": draft.type, "properties": properties, **drawing}
    if draft.element.data.get("outOfScope") is True:
        cell["out_of_scope"] = True
    if draft.element.data.get("isBidirectional") is True and draft.type == "data_flow":
        cell["bidirectional"] = True
    if _is_layer(draft.element.z) and draft.type != "data_flow":
        cell["z"] = draft.element.z
    if parent := lines.parent_of(draft):
        cell["parent"] = parent
    return slimmed(cell, title=draft.title, intake=intake)


def _is_layer(z: object) -> bool:
    return isinstance(z, int) and not isinstance(z, bool) and abs(z) <= 1_000_000


def _break_circles(kept: list[tuple[Draft, Cell]], intake: Intake) -> None:
    """Takes a parent away wherever following parents would come back; each cell is walked over once."""
    cells = {cell["id"]: cell for _, cell in kept}
    settled: set[str] = set()
    for draft, cell in kept:
        walked, above = {cell["id"]}, cell.get("parent")
        while above is not None and above not in settled and above not in walked:
            walked.add(above)
            above = cells[above].get("parent")
        if above in walked:
            del cell["parent"]
            intake.report.change(draft.title, "It is inside itself in the file and has no parent here.")
        else:
            settled |= walked
