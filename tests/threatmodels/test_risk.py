"""Risk from likelihood and impact."""

from __future__ import annotations

import pytest

from threatmodels.risk import IMPACTS, LIKELIHOODS, risk

ORDER = ["very_low", "low", "medium", "high", "very_high"]


@pytest.mark.parametrize(
    ("likelihood", "severity", "level"),
    [
        ("very_high", "critical", "very_high"),
        ("high", "Critical", "very_high"),
        ("high", "high", "high"),
        ("medium", "medium", "medium"),
        ("very_low", "critical", "low"),
        ("very_low", "informational", "very_low"),
        (None, "high", None),
        ("high", "unknown", None),
        ("often", "high", None),
    ],
)
def test_risk(likelihood, severity, level):
    assert risk(likelihood, severity) == level


def test_more_of_either_is_never_less_risk():
    for one in LIKELIHOODS:
        row = [ORDER.index(risk(one, severity)) for severity in IMPACTS]
        assert row == sorted(row)
    for severity in IMPACTS:
        column = [ORDER.index(risk(one, severity)) for one in LIKELIHOODS]
        assert column == sorted(column)
