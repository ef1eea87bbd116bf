"""Checks a threat model: its open threats, what the rules find and nobody dealt with, and its hygiene."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodels.advice import Advice, is_open
from threatmodels.knowledge.coverage import OPEN
from threatmodels.knowledge.hygiene import CHECKS
from threatmodels.models import Diagram, Threat, ThreatModel
from threatmodels.reports.findings import SEVERITIES, CheckFinding

Findings = list[CheckFinding]


def findings_of(threat_model: ThreatModel) -> Findings:
    """All findings, the worst first."""
    diagrams = list(Diagram.objects.live().filter(threat_model=threat_model).order_by("created_at", "pk"))
    found = [*_threats(threat_model), *_advice(Advice(threat_model), diagrams)]
    return sorted(found, key=lambda one: SEVERITIES.index(one.severity))


def _threats(threat_model: ThreatModel) -> Iterator[CheckFinding]:
    rows = Threat.objects.live().filter(threat_model=threat_model).select_related("report_row")
    for threat in rows.order_by("created_at", "pk"):
        if is_open(threat):
            said = (threat.severity or "").lower()
            severity = said if said in SEVERITIES else "unknown"
            yield CheckFinding(
                "threat",
                f"open-threat/{severity}",
                f"Open threat of {severity} severity",
                f"Open threat: {threat.name}",
                severity,
                threat.report_row.diagram_name or "",
                threat.report_row.cell_label or threat.report_row.asset_name or "",
                list(threat.cwe_ids),
                f"threat {threat.pk}",
            )


def _advice(advice: Advice, diagrams: list[Diagram]) -> Iterator[CheckFinding]:
    for diagram in diagrams:
        suggested = advice.suggestions(diagram)
        yield from _gaps(advice, diagram, {(one.cell_id, one.category.lower()) for one in suggested})
        for one in suggested:
            yield CheckFinding(
                "uncovered",
                one.rule_id,
                f"{one.category}: not considered",
                f"Not considered: {one.name}",
                one.severity,
                diagram.name,
                one.cell_name,
                one.cwe_ids,
                f"{one.rule_id} {one.cell_id}",
            )
        for finding in advice.hygiene(diagram):
            yield CheckFinding(
                "hygiene",
                f"hygiene/{finding.check}",
                CHECKS[finding.check],
                finding.message,
                "informational",
                diagram.name,
                finding.cell_name,
                key=f"{finding.check} {finding.cell_id}",
            )


def _gaps(advice: Advice, diagram: Diagram, suggested: set[tuple[str, str]]) -> Iterator[CheckFinding]:
    """Elements with categories that nobody considered and that no rule says anything about."""
    for row in advice.coverage(diagram).rows:
        gaps = [
            category
            for category, entry in row.entries.items()
            if entry.state == OPEN and (row.cell_id, category.lower()) not in suggested
        ]
        if gaps:
            yield CheckFinding(
                "uncovered",
                "coverage/open",
                "Categories that nobody considered",
                f"Not considered: {', '.join(gaps)}",
                "informational",
                diagram.name,
                row.name,
                key=f"coverage {diagram.pk} {row.cell_id}",
            )
