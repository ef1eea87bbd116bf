"""Threats, and the controls, risks and personas that TM-BOM says the rest of them with."""

from __future__ import annotations

from typing import Any

from threatmodels.interchange import ours
from threatmodels.interchange.document import Document, Threat
from threatmodels.interchange.plain import mapping, sequence
from threatmodels.interchange.tm_bom import PREFIX, Json, by_threat, name_of
from threatmodels.interchange.tm_bom_names import Names
from threatmodels.interchange.tm_bom_words import (
    IMPACT_OF,
    LEVEL_OF,
    LIKELIHOOD_OF,
    TYPE_OF,
    likelihood_of,
    mitigation_text,
    severity_of,
    status_of,
)

SOURCES = frozenset(["adversary", "human_error", "failure", "events_beyond_org_control"])
PERSONA: Json = {
    "symbolic_name": "anybody",
    "title": "Anybody",
    "description": "Nobody in particular was named for the threat.",
    "is_person": True,
    "skill_level": "engineer",
    "access_level": "anonymous",
    "malicious_intent": True,
    "applicability_to_org": "moderate",
}
SCORES = {"very_low": 2, "low": 5, "medium": 9, "high": 15, "very_high": 20, "critical": 25}


class Threats:
    """Fills four sections; `rest` is what they cannot say, by the name of the threat."""

    def __init__(self, document: Document, kept: Json, names: Names, made: list[str]) -> None:
        self._document = document
        self._names = names
        self._made = made
        self._cells = {cell["id"]: cell for diagram in document.diagrams for cell in diagram.cells}
        # Copies, for what is said of a threat may change.
        self._controls = [dict(mapping(one)) for one in sequence(kept.get("controls"))]
        self._risks = [dict(mapping(one)) for one in sequence(kept.get("risks"))]
        self._personas = [mapping(one) for one in sequence(kept.get("threat_personas"))]
        self._controls_of = by_threat(self._controls)
        self._risks_of = by_threat(self._risks)
        self._taken = {name_of(one) for one in [*self._controls, *self._risks]}
        self.rest: dict[str, Json] = {}

    def value(self) -> Json:
        threats = [self._threat(threat) for threat in self._document.threats]
        known = {name_of(threat) for threat in threats}
        for one in [*self._controls, *self._risks]:
            one["threats"] = [n for n in sequence(one.get("threats")) if isinstance(n, str) and n in known]
        return {
            "threats": threats,
            "controls": self._controls,
            "risks": self._risks,
            "threat_personas": self._personas,
        }

    def _threat(self, threat: Threat) -> Json:
        name = self._names.threats[threat.key]
        self._say_mitigation(threat, name)
        self._say_risk(threat, name)
        if rest := self._rest(threat, name):
            self.rest[name] = rest
        known = threat.metadata
        affected = self._affected(threat)
        mechanisms = sequence(ours.parsed(known.get(f"{PREFIX}attack_mechanisms")))
        sources = [
            s
            for s in sequence(ours.parsed(known.get(f"{PREFIX}sources")))
            if isinstance(s, str) and s in SOURCES
        ]
        return {
            "symbolic_name": name,
            "title": threat.name,
            "description": threat.description,
            **({"components_affected": affected} if affected else {}),
            "threat_persona": self._persona(known.get(f"{PREFIX}threat_persona")),
            "event": known.get(f"{PREFIX}event", "") or threat.name,
            "sources": sources or ["adversary"],
            **({"attack_mechanisms": mechanisms} if mechanisms else {}),
            **({"weaknesses": self._weaknesses(threat)} if threat.cwe_ids else {}),
        }

    def _weaknesses(self, threat: Threat) -> list[Json]:
        """Those of the file, with their titles, while they are the same; else the numbers."""
        given = [mapping(o) for o in sequence(ours.parsed(threat.metadata.get(f"{PREFIX}weaknesses")))]
        titles = {f"CWE-{one.get('cwe_id')}": one.get("cwe_title") for one in given}
        return [
            {
                "cwe_id": int(cwe[4:]),
                **({"cwe_title": titles[cwe]} if isinstance(titles.get(cwe), str) else {}),
            }
            for cwe in threat.cwe_ids
        ]

    def _persona(self, given: str | None) -> str:
        if given and any(name_of(persona) == given for persona in self._personas):
            return given
        if PERSONA["symbolic_name"] not in self._made:
            self._made.append(str(PERSONA["symbolic_name"]))
            self._personas.append(PERSONA)
        return str(PERSONA["symbolic_name"])

    def _affected(self, threat: Threat) -> list[str]:
        """What the file says is affected while the threat is still on the first of it."""
        given = sequence(ours.parsed(threat.metadata.get(f"{PREFIX}components_affected")))
        names = [name for name in given if isinstance(name, str)]
        cell = self._cells.get(threat.cell_id or "")
        if cell is None or cell["type"] not in TYPE_OF:
            return names
        own = self._names.cells[cell["id"]]
        return names if own in names else [own, *names]

    def _say_mitigation(self, threat: Threat, name: str) -> None:
        """A control of the threat's own, unless those of the file say what it says."""
        given = self._controls_of[name]
        if mitigation_text(given, self._made) == threat.mitigation:
            return
        for one in given:
            one["threats"] = [other for other in one["threats"] if other != name]
        self._controls_of[name] = []
        if threat.mitigation:
            made = self._make(
                self._controls,
                f"control-{name}",
                title=f"Mitigation of {threat.name}",
                description=threat.mitigation,
                threats=[name],
                status="active" if threat.mitigated else "suggested",
                priority="medium",
            )
            self._controls_of[name] = [made]

    def _say_risk(self, threat: Threat, name: str) -> None:
        """A risk of the threat's own where none of the file speaks of it and ours has a severity."""
        if self._risks_of[name]:
            return
        level = LEVEL_OF.get(threat.severity or "")
        if level is None:
            return
        likelihood = LIKELIHOOD_OF.get(threat.likelihood or "")
        made = self._make(
            self._risks,
            f"risk-{name}",
            title=threat.name,
            description=threat.description or threat.name,
            threats=[name],
            likelihood=likelihood or "possible",
            impact=IMPACT_OF[level],
            impact_description=threat.description or threat.name,
            score=SCORES[level],
            level=level,
        )
        self._risks_of[name] = [made]

    def _make(self, section: list[Json], wanted: str, **values: Any) -> Json:
        name = wanted if wanted not in self._taken else f"{wanted}-{len(self._taken)}"
        self._taken.add(name)
        self._made.append(name)
        section.append({"symbolic_name": name, **values})
        return section[-1]

    def _rest(self, threat: Threat, name: str) -> Json:
        controls, risks = self._controls_of[name], self._risks_of[name]
        status, mitigated = status_of(controls)
        held: Json = {
            "description": threat.description,
            "cwe_ids": threat.cwe_ids,
            "severity": severity_of(risks),
            "likelihood": likelihood_of(risks),
            "status": status,
            "mitigated": mitigated,
            "mitigation": mitigation_text(controls, self._made),
            "metadata": {},
        }
        rest = ours.rest_of_threat(threat, held=held, prefix=PREFIX)
        cell = self._cells.get(threat.cell_id or "")
        if cell is not None:
            kind = TYPE_OF.get(cell["type"], cell["type"])
            rest["on"] = f"{kind}:{self._names.cells[cell['id']]}"
        elif threat.diagram_key is not None:
            keys = [diagram.key for diagram in self._document.diagrams]
            rest["diagram"] = keys.index(threat.diagram_key) if threat.diagram_key in keys else None
        if threat.asset_key is not None and threat.asset_key in self._names.assets:
            rest["asset"] = self._names.assets[threat.asset_key]
        return rest
