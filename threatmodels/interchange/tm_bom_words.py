"""OWASP TM-BOM's words for states, levels and likelihoods, and ours for them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

# Where our own values go: the format wants a name like a domain and a path. Nobody can own `.invalid`.
EXTENSION = "tmi.invalid/threat-model/1"
SCHEMA = "https://github.com/OWASP/www-project-threat-model-library/blob/v1.0.2/threat-model.schema.json"
# Sections of elements: the name of a reference's type, and our type of cell.
SECTIONS = {
    "actors": ("actor", "external_entity"),
    "components": ("component", "process"),
    "data_stores": ("data_store", "datastore"),
}
TYPE_OF = {kind: name for name, kind in SECTIONS.values()} | {"trust_boundary": "trust_zone"}
LEVELS = {
    "very_low": "informational",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "very_high": "critical",
    "critical": "critical",
}
ORDER = list(LEVELS)
LEVEL_OF = {
    "informational": "very_low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "critical": "critical",
}
LIKELIHOODS = {
    "rare": "very_low",
    "unlikely": "low",
    "possible": "medium",
    "likely": "high",
    "certain": "very_high",
}
LIKELIHOOD_OF = {ours: theirs for theirs, ours in LIKELIHOODS.items()}
IMPACT_OF = {
    "very_low": "negligible",
    "low": "minor",
    "medium": "moderate",
    "high": "major",
    "critical": "severe",
}
SENSITIVITIES = frozenset("pii phi fin ip cred biz gov pci op".split())
STORE_TYPES = frozenset("sql key_value document object graph time_series".split())
ACTOR_TYPES = frozenset("system user power_user administrator engineer third_party".split())
PLANNED = frozenset(["active", "approved", "scheduled"])
NAME = re.compile(r"[0-9a-z-]+")


def severity_of(risks: Iterable[dict[str, Any]]) -> str | None:
    """The severity of the worst risk."""
    levels = [ORDER.index(level) for risk in risks if (level := str(risk.get("level"))) in LEVELS]
    return LEVELS[ORDER[max(levels)]] if levels else None


def likelihood_of(risks: Iterable[dict[str, Any]]) -> str | None:
    """The greatest likelihood of the risks."""
    order = list(LIKELIHOODS)
    found = [order.index(word) for risk in risks if (word := str(risk.get("likelihood"))) in LIKELIHOODS]
    return LIKELIHOODS[order[max(found)]] if found else None


def status_of(controls: Iterable[dict[str, Any]]) -> tuple[str, bool]:
    """Resolved where every control is active, planned where one is on its way."""
    states = [str(control.get("status")) for control in controls]
    if states and set(states) == {"active"}:
        return "Resolved", True
    return ("Mitigation planned", False) if PLANNED & set(states) else ("Open", False)


def mitigation_text(controls: Iterable[dict[str, Any]], made: Iterable[str]) -> str:
    """What the controls of a threat say, one a line; a control that our writer made is the text itself."""
    ours = set(made)
    return "\n".join(
        str(control.get("description") or "")
        if str(control.get("symbolic_name")) in ours
        else f"- {_joined(control)} ({str(control.get('status') or 'suggested').replace('_', ' ')})"
        for control in controls
    )


def _joined(control: dict[str, Any]) -> str:
    parts = (" ".join(str(control.get(key) or "").split()) for key in ("title", "description"))
    return ": ".join(filter(None, parts))


def symbolic(text: str) -> str:
    """A name as the format wants one; "" where nothing of the text is left."""
    return re.sub(r"[^0-9a-z]+", "-", text.lower()).strip("-")[:60].strip("-")
