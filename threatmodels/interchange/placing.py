"""Boxes of the elements of one diagram: made sound, made to hold what they should, found where they miss."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from threatmodels.interchange.draft import Draft
from threatmodels.interchange.geometry import Box, Point
from threatmodels.interchange.layout import Item, arrange, detours
from threatmodels.interchange.report import ImportReport

USUAL_SIZE = {
    "process": (120, 80),
    "datastore": (140, 70),
    "external_entity": (140, 70),
    "text": (190, 60),
    "trust_boundary": (240, 160),
}
PADDING, HEADING, GAP = 20, 36, 40
IN_A_ROW = 6
# Of more siblings than this no pairs are compared, of more boxes and boundaries no parents are sought.
MOST_SIBLINGS = 1_500
MOST_PAIRS = 2_000_000


class Placing:
    """The elements of one diagram that have boxes; `by_ref` has the first of each name.

    Parents are settled: they are there, and they do not go in circles.
    """

    def __init__(
        self, where: str, drafts: Sequence[Draft], by_ref: Mapping[str, Draft], report: ImportReport
    ) -> None:
        self._where = where
        self._drafts = drafts
        self._by_ref = by_ref
        self._report = report
        self._order = self._outermost_first()

    def sound(self, *, relative: bool, nested: bool) -> None:
        """Makes boxes absolute and large enough, and finds parents where the file has none."""
        for draft in self._order:
            parent = self._parent(draft)
            counted = relative and not draft.absolute
            if counted and parent is not None and parent.box is not None and draft.box is not None:
                draft.box = replace(draft.box, x=draft.box.x + parent.box.x, y=draft.box.y + parent.box.y)
        for draft in self._drafts:
            if draft.box is not None and draft.box.grown() != draft.box:
                draft.box = draft.box.grown()
                if not draft.line:
                    self._report.change(
                        draft.title, "It was enlarged to the smallest size that can be drawn."
                    )
        if nested:
            self._find_parents()
            self._order = self._outermost_first()

    def fill(self, flows: Sequence[Draft]) -> None:
        """Gives a box to everything that has none, and room to what holds others."""
        missing = [draft for draft in self._drafts if draft.box is None]
        if missing and len(missing) == len([draft for draft in self._drafts if not draft.line]):
            self._report.change(
                self._where, "Its elements have no positions in the file; they were arranged."
            )
            self._arrange(flows)
            return
        before = self._overlaps()
        self._surround()
        self._place_beside()
        grown = self._grow()
        if (missing or grown) and self._overlaps() - before:
            self._report.change(
                self._where, "Its elements were arranged anew, for some had no position or no room."
            )
            self._arrange(flows)
            return
        for draft in missing:
            self._report.change(draft.title, "It has no sound position and stands beside the others.")
        for draft in grown:
            self._report.change(draft.title, "It was enlarged to hold what is in it.")

    def _parent(self, draft: Draft) -> Draft | None:
        return None if draft.parent is None else self._by_ref.get(draft.parent)

    def _outermost_first(self) -> list[Draft]:
        depths: dict[str, int] = {}
        for draft in self._drafts:
            way: list[Draft] = []
            at: Draft | None = draft
            while at is not None and at.id not in depths:
                way.append(at)
                at = self._parent(at)
            for depth, one in enumerate(reversed(way), depths[at.id] + 1 if at is not None else 0):
                depths[one.id] = depth
        return sorted(self._drafts, key=lambda draft: depths[draft.id])

    def _children(self) -> dict[str | None, list[Draft]]:
        found: dict[str | None, list[Draft]] = defaultdict(list)
        for draft in self._drafts:
            parent = self._parent(draft)
            found[parent.id if parent else None].append(draft)
        return found

    def _find_parents(self) -> None:
        """The smallest boundary around each element that the file puts into nothing."""
        boundaries = [
            (draft, draft.box)
            for draft in self._drafts
            if draft.type == "trust_boundary" and draft.box is not None and not draft.line
        ]
        if len(boundaries) * len(self._drafts) > MOST_PAIRS:
            return
        boundaries.sort(key=lambda pair: pair[1].width * pair[1].height)
        for draft in self._drafts:
            box = draft.box
            if draft.parent is None and box is not None and not draft.line:
                around = (b for b, outer in boundaries if _holds(outer, box) and self._by_ref[b.ref] is b)
                found = next(around, None)
                draft.parent = found.ref if found else None

    def _surround(self) -> None:
        """A boundary without a box gets one around what is in it and has one."""
        children = self._children()
        for draft in reversed(self._order):
            inside = [child.box for child in children[draft.id] if child.box is not None]
            if draft.box is None and inside:
                draft.box = _around(inside)

    def _place_beside(self) -> None:
        """What has no box goes below the others that are in the same."""
        children = self._children()
        columns: dict[str | None, int] = defaultdict(int)
        for draft in self._order:
            if draft.box is not None:
                continue
            parent = self._parent(draft)
            beside = [child.box for child in children[parent.id if parent else None] if child.box is not None]
            draft.box = self._spot(draft, parent, beside, columns)

    def _spot(
        self, draft: Draft, parent: Draft | None, beside: list[Box], columns: dict[str | None, int]
    ) -> Box:
        key = parent.id if parent else None
        column = columns[key] % IN_A_ROW
        columns[key] += 1
        width, height = USUAL_SIZE[draft.type]
        if column and beside:
            last = beside[-1]
            return Box(last.right + GAP, last.y, width, height)
        corner = parent.box if parent else None
        left = min((box.x for box in beside), default=corner.x + PADDING if corner else 0)
        top = max((box.bottom + GAP for box in beside), default=corner.y + HEADING if corner else 0)
        return Box(left, top, width, height)

    def _grow(self) -> list[Draft]:
        """Enlarges what does not hold all that is in it; gives what was enlarged."""
        children = self._children()
        grown = []
        for draft in reversed(self._order):
            inside = [child.box for child in children[draft.id] if child.box is not None and not child.line]
            if draft.box is None or draft.line or not inside:
                continue
            if not all(_holds(draft.box, box) for box in inside):
                around = _around(inside)
                left, top = min(draft.box.x, around.x), min(draft.box.y, around.y)
                right, bottom = max(draft.box.right, around.right), max(draft.box.bottom, around.bottom)
                draft.box = Box(left, top, right - left, bottom - top)
                grown.append(draft)
        return grown

    def _overlaps(self) -> set[tuple[str, str]]:
        """Pairs of siblings that lie on each other."""
        found = set()
        for siblings in self._children().values():
            boxes = [(child.id, child.box) for child in siblings if child.box is not None and not child.line]
            if len(boxes) <= MOST_SIBLINGS:
                found |= {(a, b) for (a, one), (b, other) in combinations(boxes, 2) if _meet(one, other)}
        return found

    def _arrange(self, flows: Sequence[Draft]) -> None:
        holders = {parent.id for draft in self._drafts if (parent := self._parent(draft)) is not None}
        items = [self._item(draft) for draft in self._drafts if not draft.line]
        links = [(self._id_of(flow.source), self._id_of(flow.target)) for flow in flows]
        boxes = arrange(items, [(a, b) for a, b in links if a and b])
        for draft in self._drafts:
            draft.box = boxes.get(draft.id, draft.box)
        leaves = {
            draft.id: boxes[draft.id]
            for draft in self._drafts
            if draft.id in boxes and draft.id not in holders and draft.type != "trust_boundary"
        }
        bends = detours(leaves, links)
        for index, flow in enumerate(flows):
            flow.vertices = [bends[index]] if index in bends else []
            flow.ports = ("", "")

    def _item(self, draft: Draft) -> Item:
        parent = self._parent(draft)
        width, height = USUAL_SIZE[draft.type]
        return Item(draft.id, width, height, parent.id if parent else None)

    def _id_of(self, end: str | Point | None) -> str:
        draft = self._by_ref.get(end) if isinstance(end, str) else None
        return draft.id if draft else ""


def _holds(outer: Box, inner: Box) -> bool:
    """Whether a box lies in another that is larger."""
    within = (
        outer.x <= inner.x
        and outer.y <= inner.y
        and inner.right <= outer.right
        and inner.bottom <= outer.bottom
    )
    return within and (outer.width, outer.height) != (inner.width, inner.height)


def _meet(one: Box, other: Box) -> bool:
    return one.x < other.right and other.x < one.right and one.y < other.bottom and other.y < one.bottom


def _around(boxes: list[Box]) -> Box:
    left, top = min(box.x for box in boxes) - PADDING, min(box.y for box in boxes) - HEADING
    right, bottom = max(box.right for box in boxes) + PADDING, max(box.bottom for box in boxes) + PADDING
    return Box(left, top, right - left, bottom - top)
