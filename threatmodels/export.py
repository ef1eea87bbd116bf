"""A threat model as a file, and the neutral document that writers of file formats and copies begin with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.text import slugify

from threatmodels.checking import findings_of
from threatmodels.choices import Verdict
from threatmodels.interchange import document as neutral
from threatmodels.interchange.recognise import TITLES
from threatmodels.interchange.registry import FILES, WRITERS
from threatmodels.models import (
    Asset,
    Diagram,
    Document,
    Metadata,
    Note,
    Record,
    Repository,
    SuggestionDecision,
    Threat,
    ThreatModel,
)
from threatmodels.operations import Cell
from threatmodels.reporting import report_of
from threatmodels.reports.formats import FORMATS
from threatmodels.reports.sarif import sarif
from tmi.lib.errors import ValidationFailed


@dataclass(frozen=True, slots=True)
class Export:
    """One kind of file: what people call it, what browsers do, its ending, and how it is written."""

    title: str
    media_type: str
    ending: str
    write: Callable[[ThreatModel], bytes]


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file that is ready to be sent."""

    name: str
    media_type: str
    content: bytes


def _of_document(kind: str) -> Callable[[ThreatModel], bytes]:
    return lambda threat_model: WRITERS[kind](document_of(threat_model))


def _of_report(kind: str) -> Callable[[ThreatModel], bytes]:
    return lambda threat_model: FORMATS[kind].write(report_of(threat_model), settings.NODE_MODULES)


def _sarif(threat_model: ThreatModel) -> bytes:
    return sarif(findings_of(threat_model), artifact=f"threat-models/{threat_model.pk}")


# By the names that the API uses: what can be read again, then what is to be read by people and by scanners.
EXPORTS: dict[str, Export] = {
    kind: Export(TITLES[kind], media_type, ending, _of_document(kind))
    for kind, (media_type, ending) in FILES.items()
}
EXPORTS |= {
    kind: Export(title, FORMATS[kind].media_type, FORMATS[kind].ending, _of_report(kind))
    for kind, title in (("html", "Report (HTML)"), ("pdf", "Report (PDF)"), ("markdown", "Report (Markdown)"))
}
EXPORTS["sarif"] = Export("Findings (SARIF)", "application/sarif+json", "sarif", _sarif)


def export_file(threat_model: ThreatModel, kind: str) -> ExportedFile:
    """The threat model in one of the formats of EXPORTS. Raises ValidationFailed for any other."""
    export = EXPORTS.get(kind)
    if export is None:
        raise ValidationFailed.of("format", f"One of {', '.join(EXPORTS)}.")
    stem = slugify(threat_model.name)[:80] or "threat-model"
    return ExportedFile(f"{stem}.{export.ending}", export.media_type, export.write(threat_model))


# Columns that may be null where the neutral form has an empty text, list or object.
NULLABLE: dict[str, Callable[[], Any]] = {
    "name": str,
    "description": str,
    "mitigation": str,
    "classification": list,
    "parameters": dict,
}
Entries = dict[tuple[str, UUID], neutral.Metadata]


def document_of(threat_model: ThreatModel) -> neutral.Document:
    """Everything in the model that is not deleted. Keys are the ids of the rows."""
    metadata = _metadata(threat_model)
    assets, diagrams = _live(Asset, threat_model), _live(Diagram, threat_model)
    threats = _live(Threat, threat_model, "asset")
    decisions = _decisions(threat_model, {threat.pk for threat in threats})
    known = {str(asset.pk) for asset in assets}
    drawn = {diagram.pk: {cell["id"] for cell in diagram.current_cells} for diagram in diagrams}
    return neutral.Document(
        name=threat_model.name,
        description=threat_model.description or "",
        empty=["description"] if threat_model.description == "" else [],
        framework=threat_model.threat_model_framework,
        status=threat_model.status,
        issue_uri=threat_model.issue_uri,
        owner_label=threat_model.owner.name,
        diagrams=[_diagram(diagram, known, metadata, decisions[diagram.pk]) for diagram in diagrams],
        threats=[_threat(threat, drawn, metadata) for threat in threats],
        assets=[_asset(asset, metadata) for asset in assets],
        documents=[_linked(document, metadata) for document in _live(Document, threat_model)],
        notes=[_note(note, metadata) for note in _live(Note, threat_model)],
        repositories=[_repository(one, metadata) for one in _live(Repository, threat_model)],
        metadata=metadata["threat_model", threat_model.pk],
        extensions=threat_model.extensions or {},
    )


def _live(kind: Any, threat_model: ThreatModel, *related: str) -> list[Any]:
    rows = kind.objects.live().filter(threat_model=threat_model).order_by("created_at", "pk")
    return list(rows.select_related(*related) if related else rows)


def _metadata(threat_model: ThreatModel) -> Entries:
    found: Entries = defaultdict(dict)
    for entry in Metadata.objects.filter(threat_model=threat_model).order_by("key"):
        found[entry.entity_type, entry.entity_id][entry.key] = entry.value
    return found


def _of(record: Record, metadata: Entries, *names: str) -> dict[str, Any]:
    """Columns by name, as the neutral form has them: of some null is the same as empty, but for `empty`."""
    values = {name: getattr(record, name) for name in names}
    nullable = [name for name in names if name in NULLABLE]
    empty = [name for name in nullable if values[name] == NULLABLE[name]()]
    values |= {name: values[name] or NULLABLE[name]() for name in nullable}
    return values | {"empty": empty, "metadata": metadata[record.kind, record.pk]}


def _decisions(threat_model: ThreatModel, threats: set[UUID]) -> dict[UUID, list[neutral.Decision]]:
    """By diagram, those that count: an accepted one as long as its threat is there."""
    found: dict[UUID, list[neutral.Decision]] = defaultdict(list)
    rows = SuggestionDecision.objects.filter(threat_model=threat_model).order_by("created_at", "pk")
    for row in rows:
        is_accepted = row.verdict == Verdict.ACCEPTED
        if is_accepted and row.threat_id not in threats:
            continue
        found[row.diagram_id].append(
            neutral.Decision(
                cell_id=str(row.cell_id),
                category=row.category,
                verdict=row.verdict,
                rule_id=row.rule_id,
                reason=row.reason,
                threat_key=str(row.threat_id) if is_accepted else None,
            )
        )
    return found


def _diagram(
    diagram: Diagram, assets: set[str], metadata: Entries, decisions: list[neutral.Decision]
) -> neutral.Diagram:
    cells = [_cell(cell, assets) for cell in diagram.current_cells]
    of_cells = {cell["id"]: metadata["cell", UUID(cell["id"])] for cell in cells}
    return neutral.Diagram(
        key=str(diagram.pk),
        description=diagram.content or "",
        cells=cells,
        cell_metadata={pk: entries for pk, entries in of_cells.items() if entries},
        decisions=[one for one in decisions if one.cell_id in of_cells],
        **_of(diagram, metadata, "name") | {"empty": ["description"] if diagram.content == "" else []},
    )


def _cell(cell: Cell, assets: set[str]) -> Cell:
    if "data_asset_ids" not in cell:
        return cell
    return {**cell, "data_asset_ids": [asset for asset in cell["data_asset_ids"] if asset in assets]}


def _threat(threat: Threat, drawn: Mapping[UUID, set[str]], metadata: Entries) -> neutral.Threat:
    """`drawn` are the cells of the live diagrams."""
    diagram = threat.diagram_id if threat.diagram_id in drawn else None
    asset = threat.asset if threat.asset and threat.asset.deleted_at is None else None
    cell = str(threat.cell_id)
    names = (
        "name description severity likelihood risk_level score priority mitigated status threat_type"
        " mitigation issue_uri cwe_ids cvss_vector"
    )
    return neutral.Threat(
        key=str(threat.pk),
        diagram_key=str(diagram) if diagram else None,
        cell_id=cell if diagram and cell in drawn[diagram] else None,
        asset_key=str(asset.pk) if asset else None,
        **_of(threat, metadata, *names.split()),
    )


def _asset(asset: Asset, metadata: Entries) -> neutral.Asset:
    names = ("name", "description", "type", "criticality", "classification", "sensitivity")
    return neutral.Asset(key=str(asset.pk), **_of(asset, metadata, *names))


def _linked(document: Document, metadata: Entries) -> neutral.LinkedDocument:
    return neutral.LinkedDocument(**_of(document, metadata, "name", "uri", "description"))


def _note(note: Note, metadata: Entries) -> neutral.Note:
    return neutral.Note(**_of(note, metadata, "name", "content", "description"))


def _repository(repository: Repository, metadata: Entries) -> neutral.Repository:
    names = ("name", "uri", "description", "type", "parameters")
    return neutral.Repository(**_of(repository, metadata, *names))
