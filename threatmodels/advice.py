"""What the rules say about the diagrams of a threat model, given what people have decided already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

from threatmodels.choices import CLOSED_STATUSES, Verdict
from threatmodels.knowledge import coverage as matrix
from threatmodels.knowledge import engine
from threatmodels.knowledge.facts import AssetFacts
from threatmodels.knowledge.hygiene import Finding, hygiene
from threatmodels.knowledge.packs import Pack, builtin_packs, pack_of
from threatmodels.models import Asset, Diagram, RulePack, SuggestionDecision, Threat, ThreatModel
from tmi.lib.errors import ValidationFailed

Suggestions = list[engine.Suggestion]


@dataclass(frozen=True)
class Rulebook:
    """The packs that are asked, and the keys of the rules that are not."""

    packs: list[Pack]
    off: Collection[str] = frozenset()


def rulebook(framework: str) -> Rulebook:
    """What is in force for a framework: TMI's packs as far as nobody switched them off, and uploaded ones."""
    rows = {row.key: row for row in RulePack.objects.all()}
    known = {**builtin_packs(), **_uploaded(rows.values())}
    enabled = [
        pack
        for key, pack in sorted(known.items(), key=lambda item: (item[0] not in builtin_packs(), item[0]))
        if pack.framework == framework and (key not in rows or rows[key].is_enabled)
    ]
    return Rulebook(enabled, {f"{row.key}/{rule}" for row in rows.values() for rule in row.off})


def _uploaded(rows: Iterable[RulePack]) -> dict[str, Pack]:
    """A pack that was sound once and no longer is, after an upgrade, is left out rather than breaking all."""
    found = {}
    for row in rows:
        if row.content is not None:
            try:
                found[row.key] = pack_of(row.content)
            except ValidationFailed:
                continue
    return found


def is_open(threat: Threat) -> bool:
    """Whether there is work left on a threat."""
    return not threat.mitigated and (threat.status or "").lower() not in CLOSED_STATUSES


@dataclass
class Advice:
    """The rules and one threat model: reads what it needs once, for any number of diagrams."""

    threat_model: ThreatModel
    book: Rulebook = field(init=False)

    def __post_init__(self) -> None:
        self.book = rulebook(self.threat_model.threat_model_framework)

    def suggestions(self, diagram: Diagram) -> Suggestions:
        return engine.suggestions(
            diagram.current_cells,
            self.book.packs,
            assets=self.assets,
            off=self.book.off,
            known=self._known(diagram),
        )

    def coverage(self, diagram: Diagram) -> matrix.Coverage:
        told = [
            matrix.Told(str(t.cell_id), (t.threat_type or "").lower(), is_open(t))
            for t in self._threats(diagram)
        ]
        framework = self.threat_model.threat_model_framework
        return matrix.coverage(
            diagram.current_cells, framework, self.book.packs, told, self._dismissed_categories(diagram)
        )

    def hygiene(self, diagram: Diagram) -> list[Finding]:
        return hygiene(diagram.current_cells)

    def decisions(self, diagram: Diagram) -> list[SuggestionDecision]:
        """The decisions that count: an accepted one as long as its threat is there."""
        live = {threat.pk for threat in self._threats(diagram)}
        return [
            decision
            for decision in self._decisions[diagram.pk]
            if decision.verdict != Verdict.ACCEPTED or decision.threat_id in live
        ]

    @cached_property
    def assets(self) -> Mapping[str, AssetFacts]:
        return {
            str(asset.pk): AssetFacts(
                str(asset.pk),
                asset.name,
                asset.type,
                asset.criticality or "",
                asset.sensitivity or "",
                tuple(asset.classification or ()),
            )
            for asset in Asset.objects.live().filter(threat_model=self.threat_model)
        }

    @cached_property
    def _decisions(self) -> Mapping[UUID, list[SuggestionDecision]]:
        found = defaultdict(list)
        rows = SuggestionDecision.objects.filter(threat_model=self.threat_model).select_related("actor")
        for decision in rows.order_by("created_at", "pk"):
            found[decision.diagram_id].append(decision)
        return found

    @cached_property
    def _of_diagram(self) -> Mapping[UUID | None, list[Threat]]:
        found = defaultdict(list)
        for threat in Threat.objects.live().filter(threat_model=self.threat_model).exclude(cell_id=None):
            found[threat.diagram_id].append(threat)
        return found

    def _threats(self, diagram: Diagram) -> list[Threat]:
        return self._of_diagram[diagram.pk]

    def _known(self, diagram: Diagram) -> engine.Known:
        threats, decisions = self._threats(diagram), self.decisions(diagram)
        return engine.Known(
            rules={(d.rule_id, str(d.cell_id)) for d in decisions if d.rule_id},
            categories=self._dismissed_categories(diagram).keys(),
            weaknesses={
                ((t.threat_type or "").lower(), c, str(t.cell_id)) for t in threats for c in t.cwe_ids
            },
            names={(t.name.lower(), str(t.cell_id)) for t in threats},
        )

    def _dismissed_categories(self, diagram: Diagram) -> dict[tuple[str, str], str]:
        return {
            (d.category.lower(), str(d.cell_id)): d.reason
            for d in self.decisions(diagram)
            if not d.rule_id and d.verdict == Verdict.NOT_APPLICABLE
        }
