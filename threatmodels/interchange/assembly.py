"""A whole file on its way to a document, for every format that is read element by element."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from threatmodels import rules
from threatmodels.interchange.canvas import Canvas
from threatmodels.interchange.categories import category
from threatmodels.interchange.cell_ids import CellIds
from threatmodels.interchange.document import (
    DESCRIPTION_LENGTH,
    DIAGRAM_DESCRIPTION_LENGTH,
    MITIGATION_LENGTH,
    NAME_LENGTH,
    NOTE_LENGTH,
    THREAT_TYPE_LENGTH,
    VOCABULARY_LENGTH,
    Asset,
    Document,
    LinkedDocument,
    Note,
    Repository,
    Threat,
    count,
)
from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.intake import Intake, quoted
from threatmodels.interchange.plain import without_nulls
from threatmodels.interchange.report import ImportReport, Reading
from threatmodels.interchange.source import Source

MODEL = "threat model"
Entries = Iterable[tuple[str, object]]


class Assembly:
    """Collects what a reader finds; every value is cleaned, and every change reported, on the way in."""

    def __init__(self, source: Source, kind: str) -> None:
        self.kind = kind
        self.intake = Intake(ImportReport(kind))
        self.report = self.intake.report
        self.ids = CellIds(self.report)
        self._source = source
        self._canvases: list[Canvas] = []
        self._threats: list[tuple[Threat, Canvas | None, str | None]] = []
        self._assets: list[Asset] = []
        self._asset_keys: dict[str, str] = {}
        self._documents: list[LinkedDocument] = []
        self._repositories: list[Repository] = []
        self._notes: list[Note] = []

    def objects(self, value: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
        """The objects of a list in the file; whatever else is in its place is reported.

        Raises UnreadableFile for more than a model may hold, before any of them is looked at.
        """
        given = value.get(key)
        items = given if isinstance(given, list) else []
        self._refuse_crowd(len(items))
        found = [item for item in items if isinstance(item, dict)]
        if len(found) < len(items) or not isinstance(given, list | None):
            self.report.leave_out(key, "Something in it is not what this list holds.")
        return found

    def canvas(
        self,
        name: object,
        *,
        description: object = None,
        metadata: Entries = (),
        relative: bool = False,
        nested: bool = False,
    ) -> Canvas:
        """A new diagram; its elements are added to the canvas."""
        if len(self._canvases) == self._source.limits.max_diagrams:
            raise UnreadableFile(f"The file has more than {self._source.limits.max_diagrams} diagrams.")
        number = len(self._canvases) + 1
        where = f"diagram {quoted(name) or number}"
        canvas = Canvas(
            key=str(number - 1),
            name=self.intake.name(name, element=where, otherwise=f"Diagram {number}"),
            kind=self.kind.replace("-", "_"),
            intake=self.intake,
            ids=self.ids,
            limits=self._source.limits,
            relative=relative,
            nested=nested,
        )
        canvas.description = self.intake.prose(
            description, element=where, field="description", limit=DIAGRAM_DESCRIPTION_LENGTH
        )
        canvas.metadata = self.intake.metadata(metadata, element=where)
        self._canvases.append(canvas)
        return canvas

    def asset(
        self,
        ref: str,
        name: object,
        *,
        description: object = None,
        type: str = "data",  # noqa: A002  # the column's name
        criticality: object = None,
        classification: Iterable[object] = (),
        sensitivity: object = None,
        metadata: Entries = (),
    ) -> str:
        """Takes an asset in and gives its key; `ref` is its name in the file, of which the first counts."""
        where = f"asset {quoted(name) or quoted(ref) or len(self._assets) + 1}"
        self._refuse_crowd()
        key = self.ids.named(ref, f"asset/{len(self._assets)}")
        self._asset_keys.setdefault(ref, key)
        self._assets.append(
            Asset(
                key=key,
                name=self.intake.name(name, element=where, otherwise=f"Asset {len(self._assets) + 1}"),
                description=self._prose(description, where, "description", DESCRIPTION_LENGTH),
                type=type,
                criticality=self._word(criticality, where, "criticality"),
                classification=self.intake.labels(classification, element=where, field="classification"),
                sensitivity=self._word(sensitivity, where, "sensitivity"),
                metadata=self.intake.metadata(metadata, element=where),
            )
        )
        return key

    def asset_keys(self, refs: Iterable[object], *, element: str) -> list[str]:
        """The keys of assets by their names in the file, each once; what is not there is reported."""
        found: dict[str, None] = {}
        for ref in refs:
            key = self._asset_keys.get(ref) if isinstance(ref, str) else None
            if key is None:
                self.report.leave_out(element, f"The asset {quoted(ref) or 'it names'} is not in the file.")
            else:
                found[key] = None
        return list(found)

    def asset_key(self, ref: object) -> str | None:
        return self._asset_keys.get(ref) if isinstance(ref, str) else None

    def threat(
        self,
        name: object,
        *,
        on: Canvas | None = None,
        ref: str | None = None,
        asset: str | None = None,
        type: object = None,  # noqa: A002  # the column's name
        framework: str | None = None,
        status: str | None = "Open",
        mitigated: bool = False,
        metadata: Entries = (),
        cwes: Iterable[object] = (),
        score: object = None,
        issue_uri: object = None,
        cvss_vector: object = None,
        **texts: object,
    ) -> None:
        """Takes a threat in; it is on the element `ref` of the diagram `on`, as far as there is one.

        `texts` are description, mitigation, severity, likelihood, risk_level, priority.
        """
        self._refuse_crowd()
        number = len(self._threats) + 1
        where = f"threat {quoted(name) or number}"
        given = self.intake.line(type, element=where, field="type", limit=THREAT_TYPE_LENGTH)
        known = category(given, framework) or given or "Unspecified"
        words: dict[str, Any] = {
            key: self._word(texts.get(key), where, key.replace("_", " "))
            for key in ("severity", "likelihood", "risk_level", "priority")
            if key in texts
        }
        threat = Threat(
            key=str(number),
            name=self.intake.name(name, element=where, otherwise=f"{known} threat"[:NAME_LENGTH]),
            description=self._prose(texts.get("description"), where, "description", DESCRIPTION_LENGTH),
            mitigation=self._prose(texts.get("mitigation"), where, "mitigation", MITIGATION_LENGTH),
            threat_type=known,
            status=self._word(status, where, "status"),
            mitigated=mitigated,
            score=self.intake.score(score, element=where),
            issue_uri=self.intake.uri(issue_uri, element=where, field="issue", rule=rules.http_uri) or None,
            cwe_ids=self.intake.cwes(cwes, element=where),
            cvss_vector=self.intake.line(cvss_vector, element=where, field="CVSS vector", limit=400) or None,
            asset_key=asset,
            metadata=self.intake.metadata(metadata, element=where),
            **words,
        )
        self._threats.append((threat, on, ref))

    def note(self, name: str, content: object, *, section: str = "", description: str = "") -> None:
        """Keeps a text in a note; `section` marks what its writer makes anew from elsewhere."""
        text = self.intake.prose(content, element=f"note {quoted(name)}", field="content", limit=NOTE_LENGTH)
        if text.strip():
            metadata = {f"{self.kind.replace('-', '_')}_section": section} if section else {}
            title = self.intake.name(name, element="note", otherwise="Note")
            self._notes.append(Note(name=title, content=text, description=description, metadata=metadata))

    def link(self, name: object, uri: object, *, description: object = None, metadata: Entries = ()) -> None:
        """A document elsewhere, where its address is one that may be stored."""
        where = f"document {quoted(name) or quoted(uri)}"
        address = self.intake.uri(uri, element=where, field="address")
        if address:
            self._documents.append(
                LinkedDocument(
                    name=self.intake.name(name, element=where, otherwise="Document"),
                    uri=address,
                    description=self._prose(description, where, "description", DESCRIPTION_LENGTH),
                    metadata=self.intake.metadata(metadata, element=where),
                )
            )

    def repository(
        self, name: object, uri: object, *, description: object = None, metadata: Entries = ()
    ) -> None:
        """A repository, where its address is one that may be stored."""
        where = f"repository {quoted(name) or quoted(uri)}"
        address = self.intake.uri(uri, element=where, field="address", rule=rules.repository_uri)
        if address:
            self._repositories.append(
                Repository(
                    uri=address,
                    name=self.intake.line(name, element=where, field="name", limit=NAME_LENGTH),
                    description=self._prose(description, where, "description", DESCRIPTION_LENGTH),
                    type="git" if address.endswith(".git") or "github.com/" in address else "other",
                    metadata=self.intake.metadata(metadata, element=where),
                )
            )

    def reading(
        self,
        *,
        name: object,
        description: object = None,
        framework: str | None = "STRIDE",
        owner: object = None,
        metadata: Entries = (),
        extensions: Mapping[str, Any] | None = None,
        status: str | None = None,
        issue_uri: object = None,
    ) -> Reading:
        """The document and the report; nothing can be added afterwards."""
        intake = self.intake
        if self._source.has_more_documents:
            self.report.leave_out(MODEL, "The file has more than one document of YAML; the first was read.")
        stem = intake.line(self._source.stem, element=MODEL, field="file name", limit=NAME_LENGTH)
        document = Document(
            name=intake.name(name or stem, element=MODEL, otherwise="Imported threat model"),
            description=self._prose(description, MODEL, "description", DESCRIPTION_LENGTH),
            framework=framework,
            status=status,
            issue_uri=intake.uri(issue_uri, element=MODEL, field="issue", rule=rules.http_uri) or None,
            owner_label=intake.line(owner, element=MODEL, field="owner", limit=NAME_LENGTH),
            diagrams=[canvas.finish() for canvas in self._canvases],
            threats=[self._placed(*one) for one in self._threats],
            assets=self._assets,
            documents=self._documents,
            repositories=self._repositories,
            metadata=intake.metadata(metadata, element=MODEL),
            notes=[*self._notes, *intake.notes],
            extensions=without_nulls(dict(extensions or {})),
        )
        self.report.counts = count(document)
        return Reading(document, self.report)

    def _refuse_crowd(self, more: int = 1) -> None:
        """Early, for what is taken in one by one costs time."""
        if len(self._threats) + len(self._assets) + more > self._source.limits.max_elements:
            raise UnreadableFile(
                f"The file has more than {self._source.limits.max_elements} elements and threats."
            )

    def _placed(self, threat: Threat, canvas: Canvas | None, ref: str | None) -> Threat:
        if canvas is None:
            return threat
        return replace(threat, diagram_key=canvas.key, cell_id=canvas.cell_id(ref))

    def _prose(self, value: object, where: str, field: str, limit: int) -> str:
        return self.intake.prose(value, element=where, field=field, limit=limit)

    def _word(self, value: object, where: str, field: str) -> str | None:
        return self.intake.line(value, element=where, field=field, limit=VOCABULARY_LENGTH) or None
