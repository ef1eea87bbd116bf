"""Findings as SARIF 2.1.0, which code scanning services read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import orjson

from threatmodels.reports.findings import CheckFinding

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "informational": "note"}
# How severe code scanning takes a finding, from 0 to 10.
RANKS = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0", "informational": "1.0"}


def sarif(findings: Iterable[CheckFinding], *, artifact: str) -> bytes:
    """A log with one run. `artifact` is the model's file or address, to which every result points: a path."""
    listed, address = list(findings), quote(artifact)
    rules = {one.rule: one for one in listed}
    places = {rule: place for place, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "TMI",
                "rules": [_rule(one) for one in rules.values()],
            }
        },
        "results": [_result(one, places[one.rule], address) for one in listed],
    }
    return orjson.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, option=orjson.OPT_INDENT_2)


def _rule(one: CheckFinding) -> dict[str, Any]:
    return {
        "id": one.rule,
        "shortDescription": {"text": one.title},
        # Code scanning ranks results by what their rule says; those of one rule are equally severe.
        "properties": {"tags": ["security", "threat-model", *one.tags], "security-severity": _rank(one)},
    }


def _result(one: CheckFinding, place: int, artifact: str) -> dict[str, Any]:
    return {
        "ruleId": one.rule,
        "ruleIndex": place,
        "level": LEVELS.get(one.severity, "note"),
        "message": {"text": one.message},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": artifact}, "region": {"startLine": 1}},
                "logicalLocations": [{"name": one.element or one.diagram, "fullyQualifiedName": one.place}],
            }
        ],
        "partialFingerprints": {"tmi/v1": one.fingerprint},
        "properties": {"security-severity": _rank(one), "severity": one.severity},
    }


def _rank(one: CheckFinding) -> str:
    return RANKS.get(one.severity, "1.0")
