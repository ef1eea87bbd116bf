"""Risk from likelihood and impact.

The usual five-by-five matrix: both are ranked from 1 to 5, and the product of the ranks decides (NIST SP
800-30, appendix I, and the OWASP risk rating methodology use matrices of this kind).
"""

from __future__ import annotations

LIKELIHOODS = {"very_low": 1, "low": 2, "medium": 3, "high": 4, "very_high": 5}
IMPACTS = {"informational": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}
# From this product on.
LEVELS = ((20, "very_high"), (12, "high"), (6, "medium"), (3, "low"), (1, "very_low"))


def risk(likelihood: str | None, severity: str | None) -> str | None:
    """The risk level of a threat; None where either is not of the usual words."""
    first = LIKELIHOODS.get((likelihood or "").lower())
    second = IMPACTS.get((severity or "").lower())
    if first is None or second is None:
        return None
    return next(level for least, level in LEVELS if first * second >= least)
