"""One diagram of a file on its way to cells, for every format whose elements refer to each other by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from threatmodels.interchange.cell_ids import CellIds
from threatmodels.interchange.document import Cell, Diagram, Metadata
from threatmodels.interchange.draft import Draft, End
from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.geometry import Box, Point, box_around, fractions_of
from threatmodels.interchange.intake import Intake, quoted
from threatmodels.interchange.limits import Limits
from threatmodels.interchange.placing import Placing
from threatmodels.interchange.plain import without_nulls

LABEL_LENGTH = 1_000
TEXT_LENGTH = 2_000
MAX_CELL_BYTES = 32 * 1024
MAX_VERTICES = 100
# How far from its other end a flow ends that has lost one.
REACH = 120
SIDES = frozenset(["top", "right", "bottom", "left"])


class Canvas:
    """Takes the elements of one diagram in any order and makes its cells once all are there.

    `relative` says that boxes count from the corner of what their element is in. `nested` says that the file
    has no parents, so that an element is in the smallest boundary around it. `kind` is the key of what only
    the format knows.
    """

    def __init__(
        self,
        *,
        key: str,
        name: str,
        kind: str,
        intake: Intake,
        ids: CellIds,
        limits: Limits,
        relative: bool = False,
        nested: bool = False,
    ) -> None:
        self.key = key
        self.name = name
        self.where = f"diagram {quoted(name)}"
        self.description = ""
        self.metadata: Metadata = {}
        self._kind = kind
        self._intake = intake
        self._ids = ids
        self._limits = limits
        self._relative = relative
        self._nested = nested
        self._drafts: list[Draft] = []
        self._by_ref: dict[str, Draft] = {}
        self._left_out: set[str] = set()

    def add(
        self,
        ref: str,
        kind: str,
        *,
        label: object,
        description: object = None,
        reason: object = None,
        properties: Mapping[str, Any] | None = None,
        own: Mapping[str, Any] | None = None,
        cell_id: str | None = None,
        **drawing: Any,
    ) -> Draft:
        """Takes an element in; `drawing` are fields of a Draft, `own` what only the format knows.

        Of several elements with one name, references mean the first.
        """
        if len(self._drafts) == self._limits.max_cells:
            raise UnreadableFile(f"{self.where} has more than {self._limits.max_cells} elements.")
        title = f"{self.where}, {kind.replace('_', ' ')} {quoted(label) or len(self._drafts) + 1}"
        if ref in self._by_ref:
            self._intake.report.change(title, "Its id stands twice in the file; it got a new one.")
        identity = cell_id or self._ids.named(ref, f"{self.key}/{len(self._drafts)}")
        draft = Draft(ref=ref, type=kind, id=identity, title=title, properties={}, **drawing)
        texts = {"label": label, "description": description, "out_of_scope_reason": reason}
        draft.properties = self._texts(texts, title) | clean(properties or {})
        if kept := clean(own or {}):
            draft.properties[self._kind] = kept
        self._drafts.append(draft)
        self._by_ref.setdefault(ref, draft)
        return draft

    def draft_of(self, ref: object) -> Draft | None:
        return self._by_ref.get(ref) if isinstance(ref, str) else None

    def cell_id(self, ref: object) -> str | None:
        """The id of the cell that an element became, None where there is no such cell."""
        draft = self.draft_of(ref)
        return None if draft is None or draft.id in self._left_out else draft.id

    def finish(self) -> Diagram:
        """The diagram; whatever was wrong with its elements is in the report."""
        for draft in self._drafts:
            if draft.line:
                draft.box = box_around(draft.line)
        self._settle_parents()
        boxed = [draft for draft in self._drafts if not draft.is_flow]
        flows = [draft for draft in self._drafts if draft.is_flow]
        placing = Placing(self.where, boxed, self._by_ref, self._intake.report)
        placing.sound(relative=self._relative, nested=self._nested)
        placing.fill(flows)
        boxes = {draft.id: draft.box for draft in boxed if draft.box is not None}
        cells = [cell for draft in self._drafts if (cell := self._cell(draft, boxes)) is not None]
        return Diagram(
            key=self.key,
            name=self.name,
            description=self.description,
            cells=cells,
            metadata=self.metadata,
        )

    def _texts(self, texts: Mapping[str, object], title: str) -> dict[str, Any]:
        lengths = {"label": LABEL_LENGTH}
        names = {"label": "name"}
        found = {
            key: self._intake.prose(
                value,
                element=title,
                field=names.get(key, key.replace("_", " ")),
                limit=lengths.get(key, TEXT_LENGTH),
            )
            for key, value in texts.items()
        }
        return {key: text for key, text in found.items() if text or key == "label"}

    def _settle_parents(self) -> None:
        """Parents that are there and can hold something; no circles."""
        for draft in self._drafts:
            if draft.parent is None:
                continue
            parent = self._by_ref.get(draft.parent)
            if draft.is_flow or parent is None or parent.is_flow or parent.type == "text":
                draft.parent = None
                if not draft.is_flow:
                    self._intake.report.change(
                        draft.title, "What it is in is not in the file; it has no parent here."
                    )
        self._break_circles()

    def _break_circles(self) -> None:
        settled: set[str] = set()
        for draft in self._drafts:
            walked, above = {draft.ref}, draft.parent
            while above is not None and above not in settled and above not in walked:
                walked.add(above)
                above = self._by_ref[above].parent
            if above in walked:
                draft.parent = None
                self._intake.report.change(
                    draft.title, "It is inside itself in the file and has no parent here."
                )
            else:
                settled |= walked

    def _cell(self, draft: Draft, boxes: Mapping[str, Box]) -> Cell | None:
        drawing = self._flow(draft, boxes) if draft.is_flow else self._boxed(draft)
        if drawing is None:
            self._left_out.add(draft.id)
            return None
        cell = {"id": draft.id, "type": draft.type, "properties": draft.properties, **drawing, **draft.more}
        if len(json.dumps(cell, ensure_ascii=False).encode()) > MAX_CELL_BYTES:
            self._slim(cell, draft)
        return cell

    def _slim(self, cell: Cell, draft: Draft) -> None:
        known = {"label", "description", "out_of_scope_reason"}
        kept = {key: value for key, value in draft.properties.items() if key in known}
        others = {key: value for key, value in draft.properties.items() if key not in known}
        cell["properties"] = kept
        whole = json.dumps(others, ensure_ascii=False, indent=1)
        self._intake.keep_whole(whole, element=draft.title, field="further values")
        self._intake.report.change(
            draft.title, "Its further values are too long for a diagram; a note has them."
        )

    def _boxed(self, draft: Draft) -> dict[str, Any]:
        assert draft.box is not None, "everything has a box once it was placed"
        drawn = draft.box.as_json()
        if draft.line:
            draft.properties["line"] = fractions_of(draft.box, draft.line)
        if draft.parent is not None:
            drawn["parent"] = self._by_ref[draft.parent].id
        return drawn

    def _flow(self, draft: Draft, boxes: Mapping[str, Box]) -> dict[str, Any] | None:
        ends = [self._end(draft.source, draft.ports[0]), self._end(draft.target, draft.ports[1])]
        if ends == [None, None]:
            self._intake.report.leave_out(draft.title, "Neither of its ends is known.")
            return None
        for index, name, way in ((0, "source", -1), (1, "target", 1)):
            if ends[index] is None:
                ends[index] = _away_from(ends[1 - index] or {}, boxes, way)
                reason = f"Its {name} is missing or cannot hold a flow; that end is free."
                self._intake.report.change(draft.title, reason)
        drawing: dict[str, Any] = {"source": ends[0], "target": ends[1]}
        if vertices := self._vertices(draft):
            drawing["vertices"] = vertices
        return drawing

    def _end(self, end: End, port: str) -> dict[str, Any] | None:
        if isinstance(end, Point):
            return end.as_json()
        draft = self._by_ref.get(end) if end is not None else None
        if draft is None or draft.is_flow:
            return None
        return {"cell": draft.id, "port": port} if port in SIDES else {"cell": draft.id}

    def _vertices(self, draft: Draft) -> list[dict[str, Any]]:
        points = draft.vertices
        if len(points) > MAX_VERTICES:
            self._intake.report.change(draft.title, f"It keeps {MAX_VERTICES} of its {len(points)} points.")
            points = [points[index * len(points) // MAX_VERTICES] for index in range(MAX_VERTICES)]
        return [point.as_json() for point in points]


def _away_from(end: Mapping[str, Any], boxes: Mapping[str, Box], way: int) -> dict[str, Any]:
    """A place a little away from the other end of a flow."""
    if "cell" not in end:
        return Point(end["x"] + way * REACH, end["y"]).as_json()
    box = boxes[end["cell"]]
    return Point(box.centre.x + way * (box.width / 2 + REACH), box.centre.y).as_json()


def clean(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of JSON for a cell: no nulls, nothing that is empty, no numbers that others cannot hold."""
    found: dict[str, Any] = without_nulls(dict(values))
    return {key: value for key, value in found.items() if value not in ("", [], {})}
