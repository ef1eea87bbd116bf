"""The columns of threats that tables of all kinds have."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodels.reports.contents import Report

COLUMNS = (
    "Id Name Severity State Status Type Priority Score Likelihood Risk|level Diagram Element Asset"
    " CWE CVSS|vector Description Mitigation Issue"
).split()
COLUMNS = [name.replace("|", " ") for name in COLUMNS]


def rows_of(report: Report) -> Iterator[list[str]]:
    """One row a threat, all of it text."""
    for one in report.threats:
        yield [
            one.id,
            one.name,
            one.severity,
            one.state,
            one.status,
            one.type,
            one.priority,
            one.score,
            one.likelihood,
            one.risk_level,
            one.diagram,
            one.element,
            one.asset,
            " ".join(one.cwe_ids),
            one.cvss_vector,
            one.description,
            one.mitigation,
            one.issue_uri,
        ]
