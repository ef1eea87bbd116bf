"""OWASP Threat Dragon, versions 1 and 2: JSON with `summary` and `detail`, or a template around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from threatmodels.interchange.cell_ids import CellIds
from threatmodels.interchange.document import (
    DESCRIPTION_LENGTH,
    DIAGRAM_DESCRIPTION_LENGTH,
    NAME_LENGTH,
    Cell,
    Diagram,
    Document,
    Metadata,
    Threat,
    count,
)
from threatmodels.interchange.intake import Intake, quoted
from threatmodels.interchange.plain import mapping, sequence
from threatmodels.interchange.report import ImportReport, Reading
from threatmodels.interchange.source import Source
from threatmodels.interchange.threat_dragon_cells import cells_of
from threatmodels.interchange.threat_dragon_element import Element
from threatmodels.interchange.threat_dragon_threats import Home, threats_of
from threatmodels.interchange.threat_dragon_words import (
    OF_DETAIL,
    OF_SUMMARY,
    OF_TEMPLATE,
    PREFIX,
    framework_of,
)

KIND = "threat-dragon"
MODEL = "threat model"
# Drawing, and what follows from the rest.
NOT_KEPT = frozenset({
    "title", "name", "description", "cells", "diagramJson", "diagramType", "version", "id", "thumbnail",
    "size", "$$hashKey",
})  # fmt: skip
NOT_OF_SUMMARY = frozenset(["title", "owner", "description", "id"])
NOT_OF_DETAIL = frozenset(["contributors", "diagrams", "reviewer", "diagramTop", "threatTop"])


def matches(value: object) -> bool:
    """Whether a JSON value is a Threat Dragon model or a template with one."""
    model = mapping(_model(value))
    summary, detail = model.get("summary"), model.get("detail")
    has_detail = isinstance(detail, dict) and bool({"diagrams", "contributors"} & detail.keys())
    return has_detail or (isinstance(summary, dict) and "title" in summary)


def read(source: Source) -> Reading:
    """The model in a file that `matches`."""
    intake = Intake(ImportReport(KIND))
    for key in source.duplicate_keys:
        intake.report.change(MODEL, f"The key {quoted(key)} stands twice in one place; the last one counts.")
    document = ModelReader(source, intake).document()
    intake.report.counts = count(document)
    return Reading(document, intake.report)


def _model(value: object) -> object:
    outer = mapping(value)
    return outer["model"] if "model" in outer and "detail" not in outer else value


class ModelReader:
    """One file, from the top down."""

    def __init__(self, source: Source, intake: Intake) -> None:
        self._source = source
        self._intake = intake
        self._ids = CellIds(intake.report)
        self._outer = mapping(source.json)
        self._model = mapping(_model(source.json))
        self._summary = mapping(self._model.get("summary"))
        self._detail = mapping(self._model.get("detail"))
        self._raw_diagrams = self._list("diagrams")

    def document(self) -> Document:
        pairs = [self._diagram(index, item) for index, item in enumerate(self._raw_diagrams)]
        found = [pair for pair in pairs if pair is not None]
        intake, summary = self._intake, self._summary
        stem = intake.line(self._source.stem, element=MODEL, field="file name", limit=NAME_LENGTH)
        return Document(
            name=intake.name(summary.get("title"), element=MODEL, otherwise=stem or "Imported threat model"),
            description=intake.prose(
                summary.get("description"), element=MODEL, field="description", limit=DESCRIPTION_LENGTH
            ),
            framework=self._framework(),
            owner_label=intake.line(summary.get("owner"), element=MODEL, field="owner", limit=NAME_LENGTH),
            diagrams=[diagram for diagram, _ in found],
            threats=[threat for _, threats in found for threat in threats],
            metadata=self._metadata(),
            notes=intake.notes,
        )

    def _diagram(self, index: int, item: object) -> tuple[Diagram, list[Threat]] | None:
        if not isinstance(item, dict):
            self._intake.report.leave_out(f"diagram {index + 1}", "It is not a diagram.")
            return None
        given = item.get("title") or item.get("name")
        where = f"diagram {quoted(given) or index + 1}"
        key = str(index)
        cells = cells_of(
            self._raw_cells(item, where),
            where=where, place=key, intake=self._intake, ids=self._ids, limits=self._source.limits,
        )  # fmt: skip
        diagram = Diagram(
            key=key,
            name=self._intake.name(given, element=where, otherwise=f"Diagram {index + 1}"),
            description=self._intake.prose(
                item.get("description"), element=where, field="description", limit=DIAGRAM_DESCRIPTION_LENGTH
            ),
            cells=[cell for element, cell in cells if not element.scope_of_threats],
            metadata=self._diagram_metadata(item, where),
        )
        return diagram, self._threats(cells, key, where, framework_of(item.get("diagramType")))

    def _threats(
        self, cells: list[tuple[Element, Cell]], key: str, where: str, framework: str | None
    ) -> list[Threat]:
        homes = [(element, _home(element, cell, key, where, framework)) for element, cell in cells]
        return [
            threat for element, home in homes for threat in threats_of(element.threats, home, self._intake)
        ]

    def _raw_cells(self, item: dict[str, Any], where: str) -> list[Any]:
        """Version 2 keeps cells in the diagram, version 1 in `diagramJson`, which an unused diagram lacks."""
        cells = item["cells"] if "cells" in item else mapping(item.get("diagramJson")).get("cells")
        if cells is not None and not isinstance(cells, list):
            self._intake.report.leave_out(where, "Its cells are not a list.")
        return sequence(cells)

    def _list(self, key: str) -> list[Any]:
        value = self._detail.get(key)
        if value is not None and not isinstance(value, list):
            self._intake.report.leave_out(MODEL, f"Its {key} are not a list.")
        return sequence(value)

    def _framework(self) -> str | None:
        """What the diagrams have in common; STRIDE, with a finding, where they have nothing in common."""
        types = [mapping(item).get("diagramType") for item in self._raw_diagrams]
        known = {framework_of(kind) for kind in types}
        if len(known) == 1 and None not in known:
            return known.pop()
        if types:
            names = ", ".join(sorted({quoted(kind) or "none" for kind in types}))
            self._intake.report.change(
                MODEL, f"Its diagrams have the types {names}; it is a STRIDE model here."
            )
        return "STRIDE" if types else None

    def _metadata(self) -> Metadata:
        return self._intake.metadata(self._entries(), element=MODEL)

    def _entries(self) -> Iterator[tuple[str, object]]:
        names = [mapping(person).get("name") for person in self._list("contributors")]
        yield "owner", self._summary.get("owner")
        yield "reviewer", self._detail.get("reviewer")
        yield "contributors", "\n".join(name for name in names if isinstance(name, str))
        yield "release_version", self._model.get("release_version")
        yield "released_at", self._model.get("released_at")
        yield "threat_dragon_version", self._model.get("version")
        yield "threat_dragon_id", self._summary.get("id")
        yield "threat_dragon_diagram_top", self._detail.get("diagramTop")
        yield "threat_dragon_threat_top", self._detail.get("threatTop")
        yield from _prefixed(self._summary, NOT_OF_SUMMARY, OF_SUMMARY)
        yield from _prefixed(self._detail, NOT_OF_DETAIL, OF_DETAIL)
        known = frozenset(["version", "summary", "detail", "release_version", "released_at"])
        yield from _prefixed(self._model, known)
        yield from _prefixed(mapping(self._outer.get("templateMetadata")), frozenset(), OF_TEMPLATE)

    def _diagram_metadata(self, item: dict[str, Any], where: str) -> Metadata:
        first = ((f"threat_dragon_{snake}", item.get(key)) for snake, key in
                 (("id", "id"), ("diagram_type", "diagramType"), ("version", "version")))  # fmt: skip
        return self._intake.metadata([*first, *_prefixed(item, NOT_KEPT)], element=where)


def _home(element: Element, cell: Cell, key: str, where: str, framework: str | None) -> Home:
    """What the threats of an element belong to; our own writer marks blocks for those of none."""
    place = f"{key}/{cell['id']}"
    if element.scope_of_threats == "model":
        return Home(place, MODEL, framework)
    if element.scope_of_threats == "diagram":
        return Home(place, where, framework, key)
    title = f"{where}, {cell['type'].replace('_', ' ')} {quoted(element.label)}".rstrip()
    return Home(place, title, framework, key, cell["id"])


def _prefixed(
    values: dict[str, Any], known: frozenset[str], prefix: str = PREFIX
) -> Iterator[tuple[str, object]]:
    """The values that are not known elsewhere, under keys that say where they come from."""
    for key, value in values.items():
        if key not in known:
            yield prefix + key, value
