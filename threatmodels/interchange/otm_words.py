"""Open Threat Model's words and numbers, and ours for them."""

from __future__ import annotations

import re

# Parts of the type of a component, as catalogues of components name them.
STORES = frozenset(
    "database db datastore storage store bucket s3 rds sql mysql postgres postgresql mongodb mongo redis"
    " cache dynamo dynamodb blob disk nosql oracle elasticsearch aurora cosmos filesystem volume"
    " warehouse repository".split()
)
OUTSIDE = frozenset(
    "client browser user actor mobile device external person human customer attacker third party saas".split()
)
KINDS = {"process": "process", "data-store": "datastore", "external-entity": "external_entity"}
TYPE_OF = {kind: word for word, kind in KINDS.items()}
WORD = re.compile(r"[a-z0-9]+")

# Our status and whether it means mitigated, by the state of a threat.
STATES = {
    "exposed": ("Open", False),
    "partly-mitigated": ("Mitigation in progress", False),
    "mitigated": ("Resolved", True),
    "accepted": ("Accepted", False),
    "not-applicable": ("Not applicable", False),
    "transferred": ("Transferred", False),
}
STATE_OF = {status: state for state, status in STATES.items()}

# From at least so much of 100.
SEVERITIES = ((80, "critical"), (60, "high"), (40, "medium"), (20, "low"), (0, "informational"))
LIKELIHOODS = ((80, "very_high"), (60, "high"), (40, "medium"), (20, "low"), (0, "very_low"))


def kind_of(component_type: object) -> str:
    """Our type of cell for the type of a component."""
    word = component_type.strip().lower() if isinstance(component_type, str) else ""
    if word in KINDS:
        return KINDS[word]
    parts = set(WORD.findall(word))
    if parts & STORES:
        return "datastore"
    return "external_entity" if parts & OUTSIDE else "process"


def status_of(state: object) -> tuple[str, bool]:
    """Our status for a state; a word that is not known is open, as the tools that make their own mean it."""
    word = state.strip().lower() if isinstance(state, str) else ""
    return STATES.get(word, ("Open", False))


def state_of(status: str | None, mitigated: bool, original: str) -> str:
    """The state that says the most of a status; the one of the file while it is still true."""
    if original and status_of(original) == (status, mitigated):
        return original
    return STATE_OF.get((status or "", mitigated), "mitigated" if mitigated else "exposed")


def severity_of(likelihood: float | None, impact: float | None) -> str | None:
    """Impact weighed by likelihood, each 0 to 100; nothing without an impact."""
    if impact is None:
        return None
    return _step(SEVERITIES, impact * (100 if likelihood is None else likelihood) / 100)


def likelihood_of(likelihood: float | None) -> str | None:
    return None if likelihood is None else _step(LIKELIHOODS, likelihood)


def risk_of(
    severity: str | None, likelihood: str | None, given: tuple[float | None, float | None]
) -> tuple[float | None, float]:
    """Likelihood and impact from which these words follow, as near as there are any; given ones first."""
    if severity_of(*given) == severity and likelihood_of(given[0]) == likelihood and given[1] is not None:
        return given[0], given[1]
    chance = next((least + 10 for least, word in LIKELIHOODS if word == likelihood), None)
    wanted = next((least + 10 for least, word in SEVERITIES if word == severity), 50)
    return chance, min(100.0, round(wanted * 100 / chance, 2)) if chance else float(wanted)


def _step(steps: tuple[tuple[int, str], ...], value: float) -> str:
    return next((word for least, word in steps if value >= least), steps[-1][1])
