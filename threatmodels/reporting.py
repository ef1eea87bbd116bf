"""Reads a threat model for its report."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import Truncator

from accounts.models import AuditEntry
from threatmodels.advice import Advice, is_open
from threatmodels.audit_words import told
from threatmodels.cells import label
from threatmodels.choices import Verdict
from threatmodels.element_places import places_of
from threatmodels.knowledge.facts import name_of
from threatmodels.models import Asset, Diagram, Document, Metadata, Note, Repository, Threat, ThreatModel
from threatmodels.pictures.svg import Badge, diagram_svg
from threatmodels.reports.contents import (
    SEVERITIES,
    Change,
    Choices,
    Decision,
    DiagramPart,
    ElementPart,
    Named,
    Report,
    ThreatPart,
    in_order,
)

MOST_CHANGES = 50
# Of one change: so many fields, and so much of each value.
MOST_FIELDS, LONGEST_VALUE = 4, 60
_SIZE = re.compile(r'<svg[^>]* width="([\d.]+)" height="([\d.]+)"')


def report_of(threat_model: ThreatModel, choices: Choices | None = None) -> Report:
    """The report of a threat model; reads each table once, however many rows there are."""
    chosen = choices or Choices()
    return _Reading(threat_model, chosen).report()


class _Reading:
    def __init__(self, threat_model: ThreatModel, choices: Choices) -> None:
        self.model, self.choices = threat_model, choices
        self.advice = Advice(threat_model)
        self.diagrams = list(_live(Diagram, threat_model).order_by("created_at", "pk"))
        self.names = {d.pk: {c["id"]: c for c in d.current_cells} for d in self.diagrams}
        rows = _live(Threat, threat_model).select_related("diagram", "asset").order_by("created_at", "pk")
        self.all_threats = in_order(map(self._threat, rows), choices.order)
        self.threats = [t for t in self.all_threats if choices.mitigated or t.state == "open"]

    def report(self) -> Report:
        model = self.model
        placed = {(d.pk, pk) for d in self.diagrams for pk in self.names[d.pk]}
        found = {(str(d), pk) for d, pk in placed}
        return Report(
            id=str(model.pk),
            name=model.name,
            description=model.description or "",
            framework=model.threat_model_framework,
            status=model.status or "",
            owner=str(model.owner),
            created_at=model.created_at,
            modified_at=model.modified_at,
            made_at=timezone.now(),
            issue_uri=model.issue_uri or "",
            choices=self.choices,
            all_threats=self.all_threats,
            threats=self.threats,
            loose_threats=[t for t in self.threats if (t.diagram_id, t.cell_id) not in found],
            diagrams=[self._diagram(diagram) for diagram in self.diagrams],
            decisions=[one for diagram in self.diagrams for one in self._decisions(diagram)],
            history=[
                Change(one["when"], one["who"] or "–", _sentence(one))
                for one in told(self._entries.select_related("actor")[:MOST_CHANGES])
            ],
            earlier_changes=max(self._entries.count() - MOST_CHANGES, 0),
            metadata=dict(
                Metadata.objects.filter(entity_type="threat_model", entity_id=model.pk)
                .order_by("key")
                .values_list("key", "value")
            ),
            **self._lists(),
        )

    def _threat(self, row: Threat) -> ThreatPart:
        cell = self.names.get(row.diagram_id, {}).get(str(row.cell_id)) if row.diagram_id else None
        cells = self.names.get(row.diagram_id, {}) if row.diagram_id else {}
        severity = (row.severity or "").lower()
        asset = row.asset if row.asset and row.asset.deleted_at is None else None
        in_diagram = row.diagram if row.diagram and row.diagram_id in self.names else None
        return ThreatPart(
            id=str(row.pk),
            name=row.name,
            severity=severity if severity in SEVERITIES else "unknown",
            state="open" if is_open(row) else "mitigated" if row.mitigated else "closed",
            status=row.status or "",
            type=row.threat_type or "",
            priority=row.priority or "",
            score="" if row.score is None else str(row.score),
            likelihood=row.likelihood or "",
            risk_level=row.risk_level or "",
            diagram=in_diagram.name if in_diagram else "",
            diagram_id=str(in_diagram.pk) if in_diagram else "",
            cell_id=str(row.cell_id) if cell else "",
            element=name_of(cell, cells) if cell else "",
            asset=asset.name if asset else "",
            description=row.description or "",
            mitigation=row.mitigation or "",
            issue_uri=row.issue_uri or "",
            cwe_ids=list(row.cwe_ids),
            cvss_vector=row.cvss_vector or "",
        )

    def _diagram(self, diagram: Diagram) -> DiagramPart:
        threats: dict[str, list[ThreatPart]] = defaultdict(list)
        for threat in self.threats:
            if threat.diagram_id == str(diagram.pk):
                threats[threat.cell_id].append(threat)
        svg = diagram_svg(diagram.current_cells, title=diagram.name, badges=_badges(threats))
        size = _SIZE.search(svg)
        covered = self.advice.coverage(diagram)
        return DiagramPart(
            id=str(diagram.pk),
            name=diagram.name,
            description=diagram.content or "",
            svg=svg,
            width=float(size[1]) if size else 320,
            height=float(size[2]) if size else 180,
            percentage=covered.percentage,
            considered=(covered.done, covered.total),
            elements=[one for one in self._elements(diagram, threats) if self._is_wanted(one)],
        )

    def _elements(self, diagram: Diagram, threats: dict[str, list[ThreatPart]]) -> list[ElementPart]:
        cells = [cell for cell in diagram.current_cells if cell["type"] != "text"]
        cells.sort(key=lambda cell: (cell["type"] == "data_flow", label(cell).lower()))
        places = places_of(diagram.current_cells)
        return [
            ElementPart(
                name=name_of(cell, self.names[diagram.pk]),
                type=cell["type"],
                description=str(cell["properties"].get("description", "")),
                out_of_scope=bool(cell.get("out_of_scope")),
                reason=str(cell["properties"].get("out_of_scope_reason", "")),
                place=places[cell["id"]],
                threats=threats.get(cell["id"], []),
            )
            for cell in cells
        ]

    def _is_wanted(self, element: ElementPart) -> bool:
        if element.out_of_scope and not self.choices.out_of_scope:
            return False
        return self.choices.empty or bool(element.threats)

    def _decisions(self, diagram: Diagram) -> list[Decision]:
        cells = self.names[diagram.pk]
        return [
            Decision(
                diagram.name,
                name_of(cells[str(d.cell_id)], cells) if str(d.cell_id) in cells else "–",
                d.category,
                d.rule_id,
                d.reason,
            )
            for d in self.advice.decisions(diagram)
            if d.verdict == Verdict.NOT_APPLICABLE
        ]

    @property
    def _entries(self) -> QuerySet[AuditEntry]:
        """What was done, the latest first, but for threats that the choices leave out."""
        shown = {threat.id for threat in self.threats}
        left_out = [threat.id for threat in self.all_threats if threat.id not in shown]
        return self.model.audit_entries.exclude(entity_id__in=left_out).order_by("-created_at", "-id")

    def _lists(self) -> dict[str, list[Named]]:
        model = self.model
        return {
            "assets": [_asset(row) for row in _live(Asset, model).order_by("name", "pk")],
            "documents": [
                Named(row.name, _facts(Address=row.uri), row.description or "")
                for row in _live(Document, model).order_by("name", "pk")
            ],
            "notes": [
                Named(row.name, _facts(About=row.description), row.content)
                for row in _live(Note, model).order_by("name", "pk")
            ],
            "repositories": [
                Named(row.name or row.uri, _facts(Type=row.type, Address=row.uri), row.description or "")
                for row in _live(Repository, model).order_by("name", "pk")
            ],
        }


def _live(kind: Any, threat_model: ThreatModel) -> Any:
    return kind.objects.live().filter(threat_model=threat_model)


def _badges(threats: dict[str, list[ThreatPart]]) -> dict[str, Badge]:
    """Number and worst severity of the open threats of each element."""
    found = {}
    for cell_id, of_cell in threats.items():
        levels = [SEVERITIES.index(t.severity) for t in of_cell if t.state == "open"]
        if levels and cell_id:
            found[cell_id] = Badge(len(levels), SEVERITIES[min(levels)])
    return found


def _asset(row: Asset) -> Named:
    facts = _facts(
        Type=row.type,
        Criticality=row.criticality,
        Sensitivity=row.sensitivity,
        Classification=", ".join(row.classification or ()),
    )
    return Named(row.name, facts, row.description or "")


def _facts(**values: str | None) -> dict[str, str]:
    return {title: value for title, value in values.items() if value}


def _sentence(entry: dict[str, Any]) -> str:
    """An entry of the history in one line: what was done to what, and the values that were changed.

    A report goes to people whom the addresses of those with access, and of webhooks, do not concern.
    """
    if entry["entity"] in ("access", "webhook"):
        return f"{entry['did']} {entry['what']}"
    name = f" “{_short(entry['name'])}”" if entry["name"] else ""
    changes = [f"{field}: {_from_to(_short(old), _short(new))}" for field, old, new in entry["changes"]]
    more = ["…"] if len(changes) > MOST_FIELDS else []
    said = "; ".join(changes[:MOST_FIELDS] + more) if entry["is_change"] else ""
    return f"{entry['did']} {entry['what']}{name}" + (f": {said}" if said else "")


def _from_to(old: str, new: str) -> str:
    return f"{old} → {new or '–'}" if old else new


def _short(value: str) -> str:
    return Truncator(" ".join(value.split())).chars(LONGEST_VALUE)
