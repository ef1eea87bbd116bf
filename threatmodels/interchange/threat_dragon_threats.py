"""The threats of a Threat Dragon element."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from threatmodels.interchange.categories import category
from threatmodels.interchange.document import (
    DESCRIPTION_LENGTH,
    MITIGATION_LENGTH,
    THREAT_TYPE_LENGTH,
    VOCABULARY_LENGTH,
    Threat,
)
from threatmodels.interchange.intake import Intake, quoted
from threatmodels.interchange.threat_dragon_words import framework_of, severity_of, state_of

TAKEN = frozenset({
    "title", "description", "mitigation", "severity", "status", "type", "score", "modelType", "number",
    "id", "threatId", "new",
})  # fmt: skip
# States of Threat Dragon that share one of ours; the word is kept so that the writer can tell them apart.
ELIMINATED = "eliminated"


@dataclass(frozen=True, slots=True)
class Home:
    """What threats belong to: a cell, a diagram or the model; `title` is for findings, `key` is unique."""

    key: str
    title: str
    framework: str | None
    diagram_key: str | None = None
    cell_id: str | None = None


def threats_of(raw: list[Any], home: Home, intake: Intake) -> Iterator[Threat]:
    """The threats in the order of the file."""
    for index, item in enumerate(raw):
        if isinstance(item, dict):
            title = f"{home.title}, threat {quoted(item.get('title')) or index + 1}"
            framework = framework_of(item.get("modelType")) or home.framework
            yield ThreatReader(item, title, framework, intake).threat(home, key=f"{home.key}/{index}")
        else:
            intake.report.leave_out(f"{home.title}, threat {index + 1}", "It is not a threat.")


class ThreatReader:
    """One raw threat, field by field."""

    def __init__(self, raw: dict[str, Any], title: str, framework: str | None, intake: Intake) -> None:
        self._raw = raw
        self._title = title
        self._framework = framework
        self._intake = intake

    def threat(self, home: Home, *, key: str) -> Threat:
        given_type = self._line("type", THREAT_TYPE_LENGTH)
        threat_type = self._type(given_type)
        given_status = self._line("status", VOCABULARY_LENGTH)
        status, mitigated = state_of(given_status)
        score = self._intake.score(self._raw.get("score"), element=self._title)
        return Threat(
            key=key,
            name=self._intake.name(
                self._raw.get("title"), element=self._title, otherwise=f"{threat_type} threat"
            ),
            description=self._prose("description", DESCRIPTION_LENGTH),
            severity=severity_of(self._line("severity", VOCABULARY_LENGTH)),
            score=score,
            mitigated=mitigated,
            status=status,
            threat_type=threat_type,
            mitigation=self._prose("mitigation", MITIGATION_LENGTH),
            diagram_key=home.diagram_key,
            cell_id=home.cell_id,
            metadata=self._metadata(
                type=given_type if given_type != threat_type else None,
                status=given_status if given_status.casefold() == ELIMINATED else None,
                score=self._raw.get("score") if score is None else None,
            ),
        )

    def _type(self, given: str) -> str:
        if not given:
            return "Unspecified"
        known = category(given, self._framework)
        if known is not None and known != given:
            self._intake.report.change(self._title, f"Its type {quoted(given)} is {quoted(known)} here.")
        return known or given

    def _metadata(self, **changed: object) -> dict[str, str]:
        entries = {
            "id": self._raw.get("id") or self._raw.get("threatId"),
            "number": self._raw.get("number"),
            "model_type": self._raw.get("modelType"),
            **changed,
            **{key: value for key, value in self._raw.items() if key not in TAKEN},
        }
        prefixed = ((f"threat_dragon_{key}", value) for key, value in entries.items())
        return self._intake.metadata(prefixed, element=self._title)

    def _line(self, key: str, limit: int) -> str:
        return self._intake.line(self._raw.get(key), element=self._title, field=key, limit=limit)

    def _prose(self, key: str, limit: int) -> str:
        return self._intake.prose(self._raw.get(key), element=self._title, field=key, limit=limit)
