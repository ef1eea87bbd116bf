"""Scores of CVSS vectors, versions 3.1 and 4.0 (FIRST.org specifications)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cvss import CVSS3, CVSS4
from cvss import constants3 as three
from cvss import constants4 as four
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


@dataclass(frozen=True, slots=True)
class Metric:
    """A base metric: its key in a vector, its name, and what it may be, as (key, name)."""

    key: str
    name: str
    values: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Version:
    """The metrics that a vector of this version must have."""

    version: str
    metrics: list[Metric]


VERSIONS = [
    Version(version, [Metric(key, names[key], list(values[key].items())) for key in keys])
    for version, keys, names, values in (
        ("4.0", four.METRICS_MANDATORY, four.METRICS_ABBREVIATIONS, four.METRICS_VALUE_NAMES),
        ("3.1", three.METRICS_MANDATORY, three.METRICS_ABBREVIATIONS, three.METRICS_VALUE_NAMES),
    )
]
