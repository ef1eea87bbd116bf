"""The neutral form through which every file format passes, in both directions.

Readers make it, writers take it, and nothing in it knows a database. Fields have the names and limits of the
tables they end in. Rules that every reader keeps:

* `key` names a thing within its document only; `diagram_key`, `asset_key` and `cell_id` refer to such names.
  Diagram and threat keys are any text. Asset keys and cell ids are UUIDs as text, because cells name assets
  in `data_asset_ids` and must be valid as they stand.
* Cells are in the cell form of the API and free of nulls.
* Text is clean: no control characters but tab and newline, nothing longer than its column takes.
* An empty text, list or object is null in the table where that takes null, unless `empty` names the field.
* What a format knows and the tables do not is kept where it belongs: in a cell's `properties` (names of
  general use flat in snake_case, such as `is_encrypted`; names that only one format understands below a key
  named after the format, such as `threat_dragon`), in `metadata` (keys that only one format understands begin
  with its name), or in `extensions` (whole JSON trees by format). Writers look there for what to put back.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Cell = dict[str, Any]
Metadata = dict[str, str]

FRAMEWORKS = ("CIA", "STRIDE", "LINDDUN", "DIE", "PLOT4ai")
ASSET_TYPES = ("data", "hardware", "software", "infrastructure", "service", "personnel")
NAME_LENGTH = 200
DESCRIPTION_LENGTH = 2_000
DIAGRAM_DESCRIPTION_LENGTH = 65_536
MITIGATION_LENGTH = 32_768
NOTE_LENGTH = 262_144
VOCABULARY_LENGTH = 50
THREAT_TYPE_LENGTH = 100
LABEL_LENGTH = 100
RULE_LENGTH = 140
REASON_LENGTH = 2_000
URI_LENGTH = 1_000
CLASSIFICATIONS = 50
CWES = 50
METADATA_KEY_LENGTH = 128
METADATA_VALUE_LENGTH = 65_535
METADATA_ENTRIES = 100

PLURALS = {
    "process": "processes",
    "datastore": "datastores",
    "external_entity": "external_entities",
    "trust_boundary": "trust_boundaries",
    "data_flow": "data_flows",
    "text": "texts",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody decided about a suggestion at a cell; `rule_id` is empty where a whole category is meant.

    `verdict` is accepted, with the threat that was made of it, or not_applicable, with the reason.
    """

    cell_id: str
    category: str
    verdict: str
    rule_id: str = ""
    reason: str = ""
    threat_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagram:
    """A diagram; `description` becomes `diagrams.content`, `cell_metadata` is keyed by cell id."""

    key: str
    name: str
    description: str = ""
    cells: list[Cell] = field(default_factory=list)
    metadata: Metadata = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)
    cell_metadata: dict[str, Metadata] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threat:
    """A threat, on a cell of a diagram, on an asset, or on the model as a whole; `score` is 0.0 to 10.0."""

    key: str
    name: str
    description: str = ""
    severity: str | None = None
    likelihood: str | None = None
    risk_level: str | None = None
    score: Decimal | None = None
    priority: str | None = "Medium"
    mitigated: bool = False
    status: str | None = "Active"
    threat_type: str | None = "Unspecified"
    mitigation: str = ""
    issue_uri: str | None = None
    cwe_ids: list[str] = field(default_factory=list)
    cvss_vector: str | None = None
    diagram_key: str | None = None
    cell_id: str | None = None
    asset_key: str | None = None
    metadata: Metadata = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """Something worth protecting; `type` is one of the six of the table."""

    key: str
    name: str
    description: str = ""
    type: str = "data"
    criticality: str | None = None
    classification: list[str] = field(default_factory=list)
    sensitivity: str | None = None
    metadata: Metadata = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedDocument:
    """A document elsewhere that belongs to the model."""

    name: str
    uri: str
    description: str = ""
    metadata: Metadata = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Free text in Markdown; `content` is never blank."""

    name: str
    content: str
    description: str = ""
    metadata: Metadata = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """Where source code lives; `type` is git, svn, mercurial or other."""

    uri: str
    name: str = ""
    description: str = ""
    type: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    metadata: Metadata = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole threat model. `framework` None means that the file says none; `owner_label` is the owner's name
    as the file gives it, which is no account here."""

    name: str
    description: str = ""
    framework: str | None = None
    status: str | None = None
    issue_uri: str | None = None
    owner_label: str = ""
    diagrams: list[Diagram] = field(default_factory=list)
    threats: list[Threat] = field(default_factory=list)
    assets: list[Asset] = field(default_factory=list)
    documents: list[LinkedDocument] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    repositories: list[Repository] = field(default_factory=list)
    metadata: Metadata = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)
    extensions: dict[str, Any] = field(default_factory=dict)


def count(document: Document) -> dict[str, int]:
    """How many of each thing a document holds: every kind of cell by its plural, and the rows beside them."""
    cells = Counter(cell["type"] for diagram in document.diagrams for cell in diagram.cells)
    return {
        "diagrams": len(document.diagrams),
        **{plural: cells[kind] for kind, plural in PLURALS.items()},
        "threats": len(document.threats),
        "assets": len(document.assets),
        "documents": len(document.documents),
        "notes": len(document.notes),
        "repositories": len(document.repositories),
    }
