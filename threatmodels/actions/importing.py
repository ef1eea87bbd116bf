"""Storing what a file holds: all of it or nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts import audit
from accounts.models import User
from threatmodels.actions import record
from threatmodels.actions.diagram import create_diagrams
from threatmodels.actions.threat_model import create_threat_model
from threatmodels.export import document_of
from threatmodels.interchange import csv_threats, xlsx_threats
from threatmodels.interchange import document as neutral
from threatmodels.interchange.limits import Limits
from threatmodels.interchange.registry import read
from threatmodels.interchange.report import ImportReport, Reading
from threatmodels.interchange.threat_table import placed
from threatmodels.models import (
    Asset,
    Document,
    Metadata,
    Note,
    Record,
    Repository,
    SuggestionDecision,
    Threat,
    ThreatModel,
)
from tmi.lib.errors import DomainError, FieldError, ValidationFailed
from tmi.lib.ids import new_id

Ids = dict[str, UUID]
Values = dict[str, Any]
# Formats of threats alone, which name what they are on.
TABLES = {csv_threats.KIND, xlsx_threats.KIND}
NOT_COLUMNS = {"metadata", "key", "empty"}
# Columns in which the neutral form's empty value is null, unless it says otherwise.
NULLABLE = {"description", "mitigation", "parameters", "classification"}
# A thing of any other kind has a name, and none with an empty one is stored.
NULLABLE_IN = {neutral.Repository: NULLABLE | {"name"}}


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import made, and what there is to say about it."""

    threat_model: ThreatModel
    report: ImportReport


def import_file(
    *, actor: User, file: BinaryIO, filename: str = "", threat_model: ThreatModel | None = None
) -> Imported:
    """Makes a threat model of a file, or adds what the file holds to one; raises DomainError."""
    most = settings.CONFIG.imports.max_bytes
    data = file.read(most + 1)
    if len(data) > most:
        raise DomainError(f"The file is larger than {most} bytes.", code="PAYLOAD_TOO_LARGE")
    reading = read(data, filename=filename, limits=Limits(max_bytes=most))
    document, there = reading.document, {}
    if threat_model is not None and reading.report.kind in TABLES:
        target = document_of(threat_model)
        document, there = placed(document, target, reading.report), _ids_of(target)
    try:
        stored = store_document(
            document, actor=actor, threat_model=threat_model, kind=reading.report.kind, there=there
        )
    except ValidationFailed as error:
        raise ValidationFailed([FieldError(f"file{e.field}", e.reason) for e in error.errors]) from error
    if threat_model is not None:
        _tell_of_the_model(reading, threat_model)
    return Imported(stored, reading.report)


def _tell_of_the_model(reading: Reading, target: ThreatModel) -> None:
    """What a file says of its model as a whole has no place where its things are added to another."""
    document, report = reading.document, reading.report
    framework = document.framework
    if framework and framework != target.threat_model_framework:
        sentence = f"Its framework is {framework}; this model keeps {target.threat_model_framework}."
        report.leave_out("threat model", sentence)
    told = {
        "description": document.description,
        "status": document.status,
        "issue address": document.issue_uri,
        "metadata": document.metadata,
        "data of another tool": document.extensions,
    }
    for name in (name for name, value in told.items() if value):
        report.leave_out("threat model", f"Its {name} is not taken over into a model that is there already.")


@transaction.atomic
def store_document(
    document: neutral.Document,
    *,
    actor: User,
    kind: str,
    threat_model: ThreatModel | None = None,
    action: str = "import",
    there: Ids | None = None,
) -> ThreatModel:
    """Stores a neutral document under new ids, in a new threat model or in the one that is given.

    `action` and `kind` are what the history says of it, `there` are the ids of what the model has already and
    threats may be on.
    """
    target = threat_model or _make_model(document, actor)
    metadata = [("threat_model", target.pk, document.metadata)] if threat_model is None else []
    ids = (there or {}) | _new_ids(document)
    metadata += _store_assets(document, target, actor, ids)
    metadata += _store_diagrams(document, target, actor, ids)
    metadata += _store_threats(document, target, actor, ids)
    _store_decisions(document, target, actor, ids)
    metadata += _store_plain(document, target, actor)
    _store_metadata(target, metadata)
    _audit(target, actor, action, kind, document)
    return target


def duplicate_threat_model(threat_model: ThreatModel, *, actor: User, name: str = "") -> ThreatModel:
    """A copy of everything but access and history, which belongs to the actor. Raises ValidationFailed."""
    called = name or f"Copy of {threat_model.name}"[: neutral.NAME_LENGTH]
    document = replace(document_of(threat_model), name=called)
    return store_document(document, actor=actor, kind=str(threat_model.pk), action="duplicate")


def _make_model(document: neutral.Document, actor: User) -> ThreatModel:
    fields: Values = {"name": document.name, "description": _description(document)}
    fields |= {"status": document.status, "issue_uri": document.issue_uri, "extensions": document.extensions}
    if document.framework:
        fields["threat_model_framework"] = document.framework
    return create_threat_model(actor=actor, **fields)


def _new_ids(document: neutral.Document) -> Ids:
    """A new id for every asset and cell, so that a file can be imported twice."""
    cells = [_cell_key(diagram.key, cell["id"]) for diagram in document.diagrams for cell in diagram.cells]
    return {key: new_id() for key in [*(asset.key for asset in document.assets), *cells]}


def _ids_of(document: neutral.Document) -> Ids:
    """The ids of what a model has, by the names that threats use."""
    known = {asset.key: UUID(asset.key) for asset in document.assets}
    for diagram in document.diagrams:
        known[_diagram_key(diagram.key)] = UUID(diagram.key)
        known |= {_cell_key(diagram.key, cell["id"]): UUID(cell["id"]) for cell in diagram.cells}
    return known


Described = list[tuple[str, UUID, neutral.Metadata]]


def _store_assets(document: neutral.Document, target: ThreatModel, actor: User, ids: Ids) -> Described:
    rows = [{**_values(asset), "id": ids[asset.key]} for asset in document.assets]
    record.create_records(Asset, threat_model=target, actor=actor, rows=rows)
    return [("asset", ids[asset.key], asset.metadata) for asset in document.assets]


def _store_diagrams(document: neutral.Document, target: ThreatModel, actor: User, ids: Ids) -> Described:
    diagrams = document.diagrams
    ids |= {_diagram_key(diagram.key): new_id() for diagram in diagrams}
    rows = [
        {
            "id": ids[_diagram_key(diagram.key)],
            "name": diagram.name,
            "content": _description(diagram),
            "cells": [_renamed(cell, diagram.key, ids) for cell in diagram.cells],
        }
        for diagram in diagrams
    ]
    create_diagrams(threat_model=target, actor=actor, rows=rows)
    own: Described = [("diagram", ids[_diagram_key(d.key)], d.metadata) for d in diagrams]
    cells = [
        ("cell", ids[_cell_key(d.key, cell)], entries)
        for d in diagrams
        for cell, entries in d.cell_metadata.items()
    ]
    return own + cells


def _store_threats(document: neutral.Document, target: ThreatModel, actor: User, ids: Ids) -> Described:
    rows = [_threat_values(threat, ids) for threat in document.threats]
    made = record.create_records(Threat, threat_model=target, actor=actor, rows=rows)
    ids |= {_threat_key(t.key): m.pk for m, t in zip(made, document.threats, strict=True)}
    return [("threat", m.pk, t.metadata) for m, t in zip(made, document.threats, strict=True)]


def _threat_values(threat: neutral.Threat, ids: Ids) -> Values:
    values = _values(threat)
    diagram, cell, asset = (values.pop(name) for name in ("diagram_key", "cell_id", "asset_key"))
    values["diagram_id"] = ids[_diagram_key(diagram)] if diagram is not None else None
    values["cell_id"] = ids[_cell_key(diagram, cell)] if cell else None
    values["asset_id"] = ids[asset] if asset else None
    return values


def _store_decisions(document: neutral.Document, target: ThreatModel, actor: User, ids: Ids) -> None:
    rows = [
        SuggestionDecision(
            threat_model=target,
            diagram_id=ids[_diagram_key(diagram.key)],
            cell_id=ids[_cell_key(diagram.key, one.cell_id)],
            rule_id=one.rule_id,
            category=one.category,
            verdict=one.verdict,
            reason=one.reason,
            threat_id=ids[_threat_key(one.threat_key)] if one.threat_key is not None else None,
            actor=actor,
        )
        for diagram in document.diagrams
        for one in diagram.decisions
    ]
    for row in rows:
        row.clean_fields(exclude={"id", "threat_model", "diagram", "threat", "actor"})
    SuggestionDecision.objects.bulk_create(rows, batch_size=500)


def _store_plain(document: neutral.Document, target: ThreatModel, actor: User) -> Described:
    described: Described = []
    plain: list[tuple[type[Record], list[Any]]] = [
        (Document, document.documents),
        (Note, document.notes),
        (Repository, document.repositories),
    ]
    for kind, items in plain:
        rows = [_values(item) for item in items]
        made = record.create_records(kind, threat_model=target, actor=actor, rows=rows)
        described += [(kind.kind, m.pk, item.metadata) for m, item in zip(made, items, strict=True)]
    return described


def _store_metadata(target: ThreatModel, described: Described) -> None:
    entries = [
        Metadata(threat_model=target, entity_type=kind, entity_id=pk, key=key, value=value)
        for kind, pk, pairs in described
        for key, value in pairs.items()
    ]
    for entry in entries:
        entry.clean_fields(exclude={"threat_model", "id"})
    Metadata.objects.bulk_create(entries, batch_size=500)


def _audit(target: ThreatModel, actor: User, action: str, kind: str, document: neutral.Document) -> None:
    audit.write(
        entity_type=ThreatModel.kind,
        entity_id=target.pk,
        threat_model_id=target.pk,
        action=action,
        actor=actor,
        changes={"kind": (None, kind), "counts": (None, neutral.count(document))},
    )


def _values(item: Any) -> Values:
    """The fields of a neutral thing that are columns; what is empty becomes null where they take it."""
    names = [name for name in item.__dataclass_fields__ if name not in NOT_COLUMNS]
    nullable = NULLABLE_IN.get(type(item), NULLABLE) - set(item.empty)
    return {name: getattr(item, name) or None if name in nullable else getattr(item, name) for name in names}


def _description(item: neutral.Document | neutral.Diagram) -> str | None:
    return item.description if "description" in item.empty else item.description or None


def _diagram_key(key: str) -> str:
    """Diagram keys are any text; they share a table with the UUIDs of cells and assets."""
    return f"diagram {key}"


def _threat_key(key: str) -> str:
    return f"threat {key}"


def _cell_key(diagram: str | None, cell: str) -> str:
    """The same cell id may stand in several diagrams."""
    return f"cell {cell} {diagram}"


def _renamed(cell: neutral.Cell, diagram: str, ids: Ids) -> neutral.Cell:
    """A cell of a diagram with the new ids in all places that name a cell or an asset."""

    def renamed_cell(old: str) -> str:
        return str(ids[_cell_key(diagram, old)])

    renamed = {**cell, "id": renamed_cell(cell["id"])}
    if "parent" in cell:
        renamed["parent"] = renamed_cell(cell["parent"])
    for end in ("source", "target"):
        if "cell" in cell.get(end, {}):
            renamed[end] = {**cell[end], "cell": renamed_cell(cell[end]["cell"])}
    if "data_asset_ids" in cell:
        renamed["data_asset_ids"] = [str(ids[asset]) for asset in cell["data_asset_ids"]]
    return renamed
