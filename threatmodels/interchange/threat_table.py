"""Threats as a table: the columns, and what a cell of it may hold. Shared by CSV and Excel."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from threatmodels.interchange.assembly import Assembly
from threatmodels.interchange.document import Document, Threat
from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.intake import quoted
from threatmodels.interchange.report import ImportReport, Reading
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
# Columns that name something of the model, and the fields of a threat that they mean.
PLACES = {"diagram": "diagram_key", "element": "cell_id", "asset": "asset_key"}
TRUE = frozenset(["true", "yes", "1", "x", "mitigated"])
MOST_ROWS = 50_000
MOST_FURTHER_COLUMNS = 100
# How metadata begins that only one tool understands.
OF_TOOLS = (
    "drawio_", "otm_", "pytm_", "threagile_", "threat_composer_", "threat_dragon_", "tm7_", "tm_bom_",
)  # fmt: skip
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
    """The header, then a row for each threat; no cell is a formula.

    Metadata follows in columns of its own, but for what other tools keep there for themselves.
    """
    more = _further_columns(document)
    yield [*COLUMNS, *more]
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
        texts = [known[name] if name in known else _text(threat, name) for name in COLUMNS]
        yield [defused(text) for text in (*texts, *(threat.metadata.get(key, "") for key in more))]


def _further_columns(document: Document) -> list[str]:
    keys = {key for threat in document.threats for key in threat.metadata}
    kept = (key for key in sorted(keys) if not key.startswith(OF_TOOLS) and column_of(key) is None)
    return list(islice(kept, MOST_FURTHER_COLUMNS))


def _text(threat: Threat, name: str) -> str:
    value: Any = getattr(threat, name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(value) if isinstance(value, list) else "" if value is None else str(value)


def reading_of(
    source: Source, kind: str, rows: Iterable[Sequence[object]], changes: Iterable[str] = ()
) -> Reading:
    """The threats in rows of which the first is the header; empty rows are none.

    `changes` are what else there is to say about the table.
    """
    file = Assembly(source, kind)
    for sentence in changes:
        file.report.change("table", sentence)
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


def placed(document: Document, target: Document, report: ImportReport) -> Document:
    """The threats on what they name, where `target` has exactly one of that name; other names stay."""
    places = _Places(target)
    return replace(document, threats=[places.put(threat, report) for threat in document.threats])


class _Places:
    """What a model has, by its names."""

    def __init__(self, target: Document) -> None:
        self._diagrams: dict[str, list[str]] = defaultdict(list)
        self._elements: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._assets: dict[str, list[str]] = defaultdict(list)
        for diagram in target.diagrams:
            self._diagrams[diagram.name.strip()].append(diagram.key)
            for cell in diagram.cells:
                label = str(cell["properties"].get("label", "")).strip()
                self._elements[label].append((diagram.key, cell["id"]))
        for asset in target.assets:
            self._assets[asset.name.strip()].append(asset.key)

    def put(self, threat: Threat, report: ImportReport) -> Threat:
        names = {key: threat.metadata.get(key, "").strip() for key in PLACES}
        found: dict[str, Any] = {}
        diagrams = self._diagrams.get(names["diagram"], [])
        elements = [
            (diagram, cell)
            for diagram, cell in self._elements.get(names["element"], [])
            if not names["diagram"] or diagram in diagrams
        ]
        assets = self._assets.get(names["asset"], [])
        if names["diagram"] and len(diagrams) == 1:
            found |= {"diagram_key": diagrams[0]}
        if names["element"] and len(elements) == 1:
            found |= {"diagram_key": elements[0][0], "cell_id": elements[0][1]}
        if names["asset"] and len(assets) == 1:
            found |= {"asset_key": assets[0]}
        settled = {key for key, field in PLACES.items() if field in found}
        for key in (key for key, name in names.items() if name and key not in settled):
            report.change(
                f"threat {quoted(threat.name)}",
                f"The model has not exactly one {key} {quoted(names[key])}; the name is kept as metadata.",
            )
        metadata = {key: value for key, value in threat.metadata.items() if key not in settled}
        return replace(threat, metadata=metadata, **found)


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
