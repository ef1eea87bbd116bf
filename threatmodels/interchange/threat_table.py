"""Threats as a table: the columns, and what a cell of it may hold. Shared by CSV and Excel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from threatmodels.interchange.assembly import Assembly
from threatmodels.interchange.document import Document, Threat
from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.report import Reading
from threatmodels.interchange.source import Source
from threatmodels.interchange.threat_dragon_words import severity_of, state_of
from tmi.lib.spreadsheet import defused, restored

# Our column by the other words that people put above it.
COLUMNS: dict[str, tuple[str, ...]] = {
    "name": ("title", "threat", "threat name", "threat title", "summary"),
    "description": ("threat description", "details"),
    "threat_type": ("type", "category", "stride", "stride category", "threat category"),
    "severity": ("risk", "risk rating"),
    "likelihood": ("probability",),
    "risk_level": ("risk level",),
    "score": ("cvss", "cvss score"),
    "priority": (),
    "status": ("state",),
    "mitigated": ("is mitigated",),
    "mitigation": ("mitigations", "countermeasure", "countermeasures", "control", "controls"),
    "cwe_ids": ("cwe", "cwes", "cwe id"),
    "cvss_vector": ("vector",),
    "issue_uri": ("issue", "issue url", "ticket", "link"),
    "diagram": (),
    "element": ("component", "target", "asset affected"),
    "asset": ("asset name",),
}
NAMES = {alias: column for column, others in COLUMNS.items() for alias in (column.replace("_", " "), *others)}
TRUE = frozenset(["true", "yes", "1", "x", "mitigated"])
MOST_ROWS = 50_000
WORDS = re.compile(r"[^a-z0-9]+")


def column_of(heading: object) -> str | None:
    """Our name for a heading, None where it is of no use here."""
    text = WORDS.sub(" ", heading.lower()).strip() if isinstance(heading, str) else ""
    return NAMES.get(text)


def is_header(cells: Sequence[object]) -> bool:
    """Whether a first row is that of a table of threats: it has names and something that threats have."""
    found = {column_of(cell) for cell in cells} - {None}
    return "name" in found and len(found) > 1


def rows_of(document: Document) -> Iterator[list[str]]:
    """The header, then a row for each threat; no cell is a formula."""
    yield list(COLUMNS)
    diagrams = {diagram.key: diagram for diagram in document.diagrams}
    labels: dict[tuple[str | None, str | None], str] = {
        (diagram.key, cell["id"]): str(cell["properties"].get("label", ""))
        for diagram in document.diagrams
        for cell in diagram.cells
    }
    assets = {asset.key: asset.name for asset in document.assets}
    for threat in document.threats:
        diagram = diagrams.get(threat.diagram_key or "")
        known = {
            "diagram": diagram.name if diagram else threat.metadata.get("diagram", ""),
            "element": labels.get((threat.diagram_key, threat.cell_id), "")
            or threat.metadata.get("element", ""),
            "asset": assets.get(threat.asset_key or "", "") or threat.metadata.get("asset", ""),
        }
        yield [defused(known[name] if name in known else _text(threat, name)) for name in COLUMNS]


def _text(threat: Threat, name: str) -> str:
    value: Any = getattr(threat, name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(value) if isinstance(value, list) else "" if value is None else str(value)


def reading_of(source: Source, kind: str, rows: Iterable[Sequence[object]]) -> Reading:
    """The threats in rows of which the first is the header; empty rows are none."""
    file = Assembly(source, kind)
    every = iter(rows)
    header = next(every, [])
    if not is_header(header):
        raise UnreadableFile("The first row of the table does not name the columns of threats, such as name.")
    columns = [column_of(cell) for cell in header]
    for heading, column in zip(header, columns, strict=True):
        if column is None and str(heading or "").strip():
            file.report.change(
                "table", f"The column “{str(heading)[:60]}” is kept as metadata of each threat."
            )
    for number, row in enumerate(every, 2):
        if number > MOST_ROWS:
            raise UnreadableFile(f"The table has more than {MOST_ROWS} rows.")
        cells = [restored(str(cell)) if cell is not None else "" for cell in row]
        if any(cell.strip() for cell in cells):
            _threat(file, number, header, columns, cells)
    return file.reading(name=None, framework=None)


def _threat(
    file: Assembly, number: int, header: Sequence[object], columns: list[str | None], cells: list[str]
) -> None:
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        file.report.leave_out(f"row {number}", "It has more cells than the header.")
    pairs = list(zip(header, columns, cells, strict=False))
    values = {column: cell for _, column, cell in reversed(pairs) if column is not None}
    others = [(str(heading), cell) for heading, column, cell in pairs if column is None and heading]
    status, mitigated = state_of(values["status"]) if values.get("status") else ("Active", False)
    if values.get("mitigated"):
        mitigated = values["mitigated"].strip().lower() in TRUE
    fields: dict[str, Any] = {
        name: values[name]
        for name in ("likelihood", "risk_level", "priority")
        if name in values and (values[name] or name != "priority")
    }
    file.threat(
        values.get("name"),
        type=values.get("threat_type"),
        description=values.get("description"),
        severity=severity_of(values.get("severity", "")),
        score=None if values.get("cvss_vector") else values.get("score"),
        status=status,
        mitigated=mitigated,
        mitigation=values.get("mitigation"),
        cwes=[word for word in re.split(r"[\s,;]+", values.get("cwe_ids", "")) if word],
        cvss_vector=values.get("cvss_vector"),
        issue_uri=values.get("issue_uri"),
        metadata=[
            *((name, values[name]) for name in ("diagram", "element", "asset") if name in values),
            *others,
        ],
        **fields,
    )
