"""Threats as Open Threat Model has them: each defined once, and referenced where it applies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from threatmodels.interchange import ours
from threatmodels.interchange.categories import category
from threatmodels.interchange.document import Document, Threat
from threatmodels.interchange.otm import Json, mitigation_text, objects, ref_of
from threatmodels.interchange.otm_words import likelihood_of, risk_of, severity_of, state_of, status_of
from threatmodels.interchange.plain import mapping, number, sequence

PREFIX = "otm_"


class Threats:
    """The definitions, and the mitigations that they name."""

    def __init__(self, document: Document, extension: Json, asset_refs: Mapping[str, str]) -> None:
        self._document = document
        self._asset_refs = asset_refs
        self._diagrams = {d.key: d.metadata.get("otm_id") or f"diagram-{d.key}" for d in document.diagrams}
        self.definitions: list[Json] = []
        self.mitigations: list[Json] = objects(extension.get("mitigations"))
        self._known = {ref_of(one): one for one in self.mitigations}
        self._by_content: dict[str, Json] = {}
        self._taken: set[str] = set()

    def write(self, elements: Mapping[str, Json]) -> None:
        """Fills the lists, and puts a reference to each threat on its element; `elements` are by cell id."""
        for threat in self._document.threats:
            element = elements.get(threat.cell_id or "")
            used = self._mitigations_of(threat)
            definition = self._definition(threat, is_alone=element is None)
            if element is None:
                continue
            reference: Json = {
                "threat": definition["id"],
                "state": state_of(threat.status, threat.mitigated, threat.metadata.get("otm_state", "")),
                **({"mitigations": used} if used else {}),
            }
            rest = self._rest(threat, definition, reference)
            if rest:
                reference["attributes"] = {ours.KEY: rest}
            element.setdefault("threats", []).append(reference)

    def _definition(self, threat: Threat, *, is_alone: bool) -> Json:
        """A new definition, or the one that says the same; one that nothing refers to also says its state."""
        known = threat.metadata
        given = (number(known.get("otm_likelihood")), number(known.get("otm_impact")))
        likelihood, impact = risk_of(threat.severity, threat.likelihood, given)
        comments = {
            name: known[f"otm_{key}"]
            for name, key in (
                ("likelihoodComment", "likelihood_comment"),
                ("impactComment", "impact_comment"),
            )
            if f"otm_{key}" in known
        }
        content: Json = {
            "name": threat.name,
            "description": threat.description,
            "categories": self._categories(threat),
            "cwes": threat.cwe_ids,
            "risk": {
                "likelihood": None if likelihood is None else ours.rounded(likelihood),
                "impact": ours.rounded(impact),
                **comments,
            },
        }
        if tags := sequence(ours.parsed(known.get("otm_tags"))):
            content["tags"] = tags
        original = mapping(ours.parsed(known.get("otm_attributes")))
        rest = self._rest(threat, content, {}) if is_alone else {}
        if original or rest:
            content["attributes"] = {**original, **({ours.KEY: rest} if rest else {})}
        ref = known.get("otm_id") or f"threat-{threat.key}"
        same = json.dumps([ref, content, is_alone and threat.key], sort_keys=True)
        if same not in self._by_content:
            free = ref if ref not in self._taken else f"{ref}-{len(self._taken)}"
            self._taken.add(free)
            self._by_content[same] = {"id": free, **content}
            self.definitions.append(self._by_content[same])
        return self._by_content[same]

    def _categories(self, threat: Threat) -> list[Any]:
        """Those of the file while the first of them is still the type."""
        given = sequence(ours.parsed(threat.metadata.get("otm_categories")))
        if given and _type_of(given) == threat.threat_type:
            return given
        return [threat.threat_type] if threat.threat_type not in {None, "", "Unspecified"} else []

    def _mitigations_of(self, threat: Threat) -> list[Json]:
        """References to those of the file while they say what the threat says, else to a new one."""
        given = objects(ours.parsed(threat.metadata.get("otm_mitigations")))
        ids = [str(one.get("mitigation")) for one in given]
        if mitigation_text(ids, self._known) == threat.mitigation:
            return given
        ref = f"mitigation-{threat.key}"
        mitigation = {"id": ref, "name": threat.mitigation, "riskReduction": 100 if threat.mitigated else 0}
        self.mitigations.append(mitigation)
        self._known[ref] = mitigation
        return [{"mitigation": ref, "state": "implemented" if threat.mitigated else "recommended"}]

    def _rest(self, threat: Threat, definition: Json, reference: Json) -> Json:
        """What neither the definition nor the reference says."""
        risk = definition["risk"]
        status, mitigated = status_of(reference.get("state"))
        used = [str(one.get("mitigation")) for one in objects(reference.get("mitigations"))]
        held: Json = {
            "description": threat.description,
            "cwe_ids": threat.cwe_ids,
            "severity": severity_of(risk["likelihood"], risk["impact"]),
            "likelihood": likelihood_of(risk["likelihood"]),
            "status": status,
            "mitigated": mitigated,
            "threat_type": _type_of(definition["categories"]),
            "mitigation": mitigation_text(used, self._known),
            "metadata": {},
        }
        rest = ours.rest_of_threat(threat, held=held, prefix=PREFIX)
        if threat.asset_key is not None and threat.asset_key in self._asset_refs:
            rest["asset"] = self._asset_refs[threat.asset_key]
        if not reference and threat.diagram_key in self._diagrams:
            rest["diagram"] = self._diagrams[threat.diagram_key]
        return rest


def _type_of(categories: list[Any]) -> str:
    first = next(iter(categories), None)
    text = first.strip() if isinstance(first, str) else ""
    return category(text) or text or "Unspecified"
