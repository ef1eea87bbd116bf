"""What a check of a threat model finds, and whether it passes a bar. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

SEVERITIES = ("critical", "high", "medium", "low", "informational", "unknown")


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """An open threat, a suggestion that nobody dealt with, or a matter of hygiene.

    `kind` is threat, uncovered or hygiene; `rule` names what was found, the same in each run, and has one
    severity. `key` tells the finding from others of its kind for as long as it is there; without one, as of a
    file whose things have new ids at each reading, its place and its sentence do.
    """

    kind: str
    rule: str
    title: str
    message: str
    severity: str
    diagram: str = ""
    element: str = ""
    tags: list[str] = field(default_factory=list)
    key: str = ""

    @property
    def place(self) -> str:
        return " / ".join(part for part in (self.diagram, self.element) if part) or "model"

    @property
    def fingerprint(self) -> str:
        about = self.key or f"{self.place}\n{self.message}"
        return hashlib.sha256(f"{self.kind}\n{about}".encode()).hexdigest()[:32]


def failing(findings: Iterable[CheckFinding], fail_on: str) -> list[CheckFinding]:
    """Those at or above the bar; `fail_on` is a severity or `never`. Hygiene is `informational`."""
    if fail_on == "never":
        return []
    bar = SEVERITIES.index(fail_on)
    return [one for one in findings if SEVERITIES.index(one.severity) <= bar]
