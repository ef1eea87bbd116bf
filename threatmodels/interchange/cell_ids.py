"""Ids of cells: those of the file where they are sound, else new ones that the same file always gets."""

from __future__ import annotations

import uuid

from threatmodels.interchange.report import ImportReport
from tmi.lib.ids import parse_id

NAMESPACE = uuid.UUID("5f0c2f7e-3c0b-5d58-9e0f-7b1f7a6f2d11")


class CellIds:
    """Hands out each id once in a document, also where its diagrams would take it twice."""

    def __init__(self, report: ImportReport) -> None:
        self._report = report
        self._taken: set[str] = set()

    def take(self, given: object, *, place: str, element: str) -> str:
        """The given id where it is a UUID that is still free, else one made from it and its place."""
        known = parse_id(given)
        if known is not None and str(known) not in self._taken:
            self._taken.add(str(known))
            return str(known)
        if given is not None:
            reason = "stands twice in the file" if known else "is not a UUID"
            self._report.change(element, f"Its id {reason}; it got a new one.")
        return self._new(f"{given}|{place}")

    def named(self, ref: str, place: str) -> str:
        """As `take`, without a word, for formats whose ids are names."""
        known = parse_id(ref)
        if known is None or str(known) in self._taken:
            return self._new(f"{ref}|{place}")
        self._taken.add(str(known))
        return str(known)

    def _new(self, name: str) -> str:
        made = str(uuid.uuid5(NAMESPACE, name.encode("utf-8", "replace").decode()))
        while made in self._taken:
            made = str(uuid.uuid5(NAMESPACE, made))
        self._taken.add(made)
        return made
