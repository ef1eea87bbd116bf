"""Flows and boundary curves of a Threat Dragon diagram: their ends, the points between, and parents."""

from __future__ import annotations

from typing import Any

from threatmodels.interchange.geometry import Box, Point, box_around, fractions_of, point_in
from threatmodels.interchange.intake import Intake
from threatmodels.interchange.plain import mapping
from threatmodels.interchange.threat_dragon_draft import Draft

# An end of a flow: a cell with the side it hangs on, or a point.
End = dict[str, Any]

SIDES = frozenset(["top", "right", "bottom", "left"])
# What a flow may be fastened to; where it hangs on anything else its end becomes free.
FASTENABLE = frozenset(["process", "datastore", "external_entity"])
# How far from its other end a flow ends that has lost one.
REACH = 120
MAX_VERTICES = 100


class Lines:
    """Resolves what refers to other elements of a diagram. Of elements with one id the first counts."""

    def __init__(self, drafts: list[Draft], boxes: dict[str, Box], intake: Intake) -> None:
        self._boxes = boxes
        self._intake = intake
        self._by_raw_id: dict[str, Draft] = {}
        for draft in drafts:
            if isinstance(draft.element.raw_id, str):
                self._by_raw_id.setdefault(draft.element.raw_id, draft)

    def drawing_of(self, draft: Draft) -> dict[str, Any] | None:
        """The keys of a cell that draw a flow or a curve; None where nothing can be drawn."""
        return self._flow(draft) if draft.type == "data_flow" else self._curve(draft)

    def parent_of(self, draft: Draft) -> str | None:
        """The id of the element that an element is in."""
        if draft.element.parent is None or draft.type == "data_flow":
            return None
        parent = self._draft_of(draft.element.parent)
        if parent and parent.id in self._boxes and parent.type != "text":
            return parent.id
        self._intake.report.change(draft.title, "What it is in is not in the file; it has no parent here.")
        return None

    def _draft_of(self, raw_id: object) -> Draft | None:
        return self._by_raw_id.get(raw_id) if isinstance(raw_id, str) else None

    def _flow(self, draft: Draft) -> dict[str, Any] | None:
        vertices = self._vertices(draft)
        ends = [self._flow_end(draft.element.source), self._flow_end(draft.element.target)]
        if None in ends:
            ends = self._free_ends(draft, ends, vertices)
        if None in ends:
            self._intake.report.leave_out(draft.title, "Neither of its ends is known.")
            return None
        drawing: dict[str, Any] = {"source": ends[0], "target": ends[1]}
        if vertices:
            drawing["vertices"] = [point.as_json() for point in vertices]
        return drawing

    def _flow_end(self, end: object) -> End | None:
        node = self._node_at(end)
        if node is None or node.type not in FASTENABLE:
            point = self._point_at(end)
            return point.as_json() if point else None
        port = mapping(end).get("port")
        side = node.element.ports.get(port, port) if isinstance(port, str) else None
        return {"cell": node.id, "port": side} if side in SIDES else {"cell": node.id}

    def _free_ends(self, draft: Draft, ends: list[End | None], vertices: list[Point]) -> list[End | None]:
        """Puts a lost end where the line last was, or else a little away from its other end."""
        source = ends[0] or self._free_end(ends[1], vertices, 0, -1)
        target = ends[1] or self._free_end(source, vertices, -1, 1)
        for name, before, after in (("source", ends[0], source), ("target", ends[1], target)):
            if before is None and after is not None:
                reason = f"Its {name} is missing or cannot hold a flow; that end is free."
                self._intake.report.change(draft.title, reason)
        return [source, target]

    def _free_end(self, other: End | None, vertices: list[Point], vertex: int, way: int) -> End | None:
        if vertices:
            return vertices.pop(vertex).as_json()
        return self._away_from(other, way).as_json() if other else None

    def _away_from(self, end: End, direction: int) -> Point:
        if "cell" not in end:
            return Point(end["x"] + direction * REACH, end["y"])
        box = self._boxes[end["cell"]]
        return Point(box.centre.x + direction * (box.width / 2 + REACH), box.centre.y)

    def _curve(self, draft: Draft) -> dict[str, Any] | None:
        ends = [self._point_at(draft.element.source), self._point_at(draft.element.target)]
        points = [point for point in (ends[0], *self._vertices(draft), ends[1]) if point]
        if len(points) < 2:
            self._intake.report.leave_out(draft.title, "It has neither a box nor two ends.")
            return None
        box = box_around(points).grown()
        return {**box.as_json(), "properties": {"line": fractions_of(box, points)}}

    def _node_at(self, end: object) -> Draft | None:
        named = mapping(end)
        return self._draft_of(named.get("cell")) or self._draft_of(named.get("id"))

    def _point_at(self, end: object) -> Point | None:
        """The point of a free end, or the middle of what the end hangs on."""
        node = self._node_at(end)
        box = self._boxes.get(node.id) if node else None
        return box.centre if box else point_in(end)

    def _vertices(self, draft: Draft) -> list[Point]:
        given = draft.element.vertices
        points = [point for vertex in given if (point := point_in(vertex))]
        if len(points) < len(given):
            self._intake.report.change(draft.title, "Some points on its way have no sound coordinates.")
        if len(points) > MAX_VERTICES:
            self._intake.report.change(draft.title, f"It keeps {MAX_VERTICES} of its {len(points)} points.")
            points = [points[index * len(points) // MAX_VERTICES] for index in range(MAX_VERTICES)]
        return points
