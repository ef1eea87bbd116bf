"""Threats in Threat Dragon's words."""

from __future__ import annotations

import uuid
from typing import Any

from threatmodels.interchange.categories import category
from threatmodels.interchange.cell_ids import NAMESPACE
from threatmodels.interchange.document import Threat
from threatmodels.interchange.plain import whole
from threatmodels.interchange.threat_dragon_words import framework_of, others_in, state_of

# Our states that have a word there; all others are open, or mitigated where they are closed.
WORD_OF_STATE = {
    "not applicable": "NotApplicable",
    "false positive": "NotApplicable",
    "accepted": "Accepted",
    "transferred": "Transferred",
    "avoided": "Avoided",
    "resolved": "Mitigated",
    "closed": "Mitigated",
}
# Categories that Threat Dragon knows by an earlier or another name.
WORD_OF_TYPE = {
    "Linking": "Linkability",
    "Identifying": "Identifiability",
    "Detecting": "Detectability",
    "Data disclosure": "Disclosure of information",
    "Unawareness and unintervenability": "Unawareness",
    "Data and data governance": "Technique & Processes",
    "Transparency and accessibility": "Accessibility",
    "Privacy and data protection": "Identifiability & Linkability",
    "Cybersecurity": "Security",
    "Safety and environmental impact": "Safety",
    "Ethics and human rights": "Ethics & Human Rights",
    "Accountability and human oversight": "Non-compliance",
}
# What metadata keeps for the fields below.
NOT_OTHERS = frozenset(["id", "number", "model_type", "type", "status", "score"])


def threat_of(threat: Threat, diagram_type: str) -> dict[str, Any]:
    """The JSON of a threat; `diagram_type` is its framework unless its metadata says another."""
    known = threat.metadata
    model_type = known.get("threat_dragon_model_type", diagram_type)
    written: dict[str, Any] = {
        **others_in(known, NOT_OTHERS),
        "id": known.get("threat_dragon_id") or str(uuid.uuid5(NAMESPACE, f"threat|{threat.key}")),
        "title": threat.name,
        "status": status_of(threat),
        "severity": _severity(threat.severity),
        "type": _type(threat, model_type),
        "description": threat.description,
        "mitigation": threat.mitigation,
        "modelType": model_type,
        "score": known.get("threat_dragon_score", "") if threat.score is None else f"{threat.score:f}",
    }
    if (number := whole(known.get("threat_dragon_number"), -1)) >= 0:
        written["number"] = number
    return written


def is_open(threat: Threat) -> bool:
    return status_of(threat) == "Open"


def status_of(threat: Threat) -> str:
    """The original word while it still says the same as our status, else the nearest one."""
    original = threat.metadata.get("threat_dragon_status", "")
    if original and state_of(original) == (threat.status, threat.mitigated):
        return original
    if threat.mitigated:
        return "Mitigated"
    return WORD_OF_STATE.get((threat.status or "").casefold(), "Open")


def _severity(severity: str | None) -> str:
    if severity in {None, "unknown"}:
        return "TBD"
    return str(severity)[:1].upper() + str(severity)[1:]


def _type(threat: Threat, model_type: str) -> str:
    original = threat.metadata.get("threat_dragon_type", "")
    if original and category(original, framework_of(model_type)) == threat.threat_type:
        return original
    return WORD_OF_TYPE.get(threat.threat_type or "", threat.threat_type or "")
