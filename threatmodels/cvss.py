"""Scores of CVSS vectors, versions 3.1 and 4.0 (FIRST.org specifications)."""

from __future__ import annotations

from decimal import Decimal

from cvss import CVSS3, CVSS4
from cvss.exceptions import CVSSError


def cvss_score(vector: str) -> Decimal:
    """The score from 0.0 to 10.0: base, or as far as temporal and environmental metrics are given.

    Raises ValueError with a sentence for a vector that is not one of 3.1 or 4.0.
    """
    try:
        if vector.startswith("CVSS:4.0/"):
            return Decimal(str(CVSS4(vector).base_score))
        if vector.startswith("CVSS:3.1/"):
            return Decimal(str(CVSS3(vector).scores()[-1]))
    except CVSSError as error:
        raise ValueError(f"Not a CVSS vector: {error}") from None
    raise ValueError("A CVSS vector begins with CVSS:3.1/ or CVSS:4.0/.")
