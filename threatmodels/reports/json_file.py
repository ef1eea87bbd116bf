"""A report as JSON."""

from __future__ import annotations

import dataclasses
from typing import Any

import orjson

from threatmodels.reports.contents import Report


def json_report(report: Report) -> bytes:
    """All that a report says, with its numbers worked out; pictures are left out."""
    told = dataclasses.asdict(report)
    for diagram in told["diagrams"]:
        del diagram["svg"]
    del told["all_threats"]
    told["hidden_threats"] = report.hidden_threats
    told["summary"] = {
        "open": len(report.open_threats),
        "without_mitigation": report.unmitigated,
        "coverage": report.coverage,
        "by_severity": dict(report.numbers),
        "top_risks": [threat.id for threat in report.top_risks],
    }
    return orjson.dumps(told, default=_plain, option=orjson.OPT_INDENT_2)


def _plain(value: Any) -> Any:
    return list(value)
