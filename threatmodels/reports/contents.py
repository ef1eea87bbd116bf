"""What a report says, for every output alike. Plain data; nothing in it knows a database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from threatmodels.choices import SEVERITIES as SEVERITY_CHOICES
from threatmodels.choices import cell_type_title, spelled
from threatmodels.element_places import Place

ORDERS = ("severity", "element", "status")
SEVERITIES = ("critical", "high", "medium", "low", "informational", "unknown")
# The shapes that the badges of diagrams have, so that a report can be read in black and white.
SEVERITY_MARKS = {
    "critical": "◆",
    "high": "⬣",
    "medium": "■",
    "low": "●",
    "informational": "▼",
    "unknown": "⬟",
}
SEVERITY_TITLES: dict[str, str | Promise] = dict(SEVERITY_CHOICES)
STATE_TITLES: dict[str, str | Promise] = {
    "open": _("open"),
    "mitigated": _("mitigated"),
    "closed": _("closed"),
}
# The titles of facts, which are translated where they are shown: programs read them too.
FACTS = (
    gettext_noop("About"),
    gettext_noop("Address"),
    gettext_noop("Type"),
    gettext_noop("Criticality"),
    gettext_noop("Sensitivity"),
    gettext_noop("Classification"),
)
STATE_MARKS = {"open": "☐", "mitigated": "☑", "closed": "☒"}
TOP = 10


@dataclass(frozen=True, slots=True)
class Choices:
    """What a reader wants to see. `empty`: elements without threats; `order`: one of ORDERS."""

    summary: bool = True
    diagrams: bool = True
    out_of_scope: bool = True
    mitigated: bool = True
    empty: bool = True
    order: str = "severity"


@dataclass(frozen=True, slots=True)
class ThreatPart:
    """A threat; `state` is open, mitigated or closed, and `status` what people wrote."""

    id: str
    name: str
    severity: str
    state: str
    status: str = ""
    type: str = ""
    priority: str = ""
    score: str = ""
    likelihood: str = ""
    risk_level: str = ""
    diagram: str = ""
    element: str = ""
    asset: str = ""
    description: str = ""
    mitigation: str = ""
    issue_uri: str = ""
    cwe_ids: list[str] = field(default_factory=list)
    cvss_vector: str = ""
    cell_id: str = ""
    diagram_id: str = ""

    @property
    def severity_mark(self) -> str:
        return SEVERITY_MARKS[self.severity]

    @property
    def severity_title(self) -> str:
        return str(SEVERITY_TITLES[self.severity])

    @property
    def state_mark(self) -> str:
        return STATE_MARKS[self.state]

    @property
    def state_title(self) -> str:
        return str(STATE_TITLES[self.state])

    @property
    def place(self) -> str:
        return " / ".join(text for text in (self.diagram, self.element) if text)

    @property
    def facts(self) -> list[str]:
        """What is known of it beside its texts and its issue, in the reader's language."""
        state = f"{self.state_mark} {self.state_title}"
        rated = (
            (gettext("score"), self.score),
            (gettext("priority"), spelled(self.priority)),
            (gettext("likelihood"), spelled(self.likelihood)),
            (gettext("risk level"), spelled(self.risk_level)),
        )
        told = [
            f"{self.severity_mark} {self.severity_title}",
            f"{state} ({spelled(self.status)})" if self.status else state,
            spelled(self.type),
            self.place,
            self.asset,
            *(f"{title} {value}" if value else "" for title, value in rated),
            self.cvss_vector,
            *self.cwe_ids,
        ]
        return [text for text in told if text]


@dataclass(frozen=True, slots=True)
class ElementPart:
    """An element with its threats."""

    name: str
    type: str
    description: str = ""
    out_of_scope: bool = False
    reason: str = ""
    place: Place = field(default_factory=Place)
    threats: list[ThreatPart] = field(default_factory=list)

    @property
    def type_title(self) -> str:
        return cell_type_title(self.type)


@dataclass(frozen=True, slots=True)
class DiagramPart:
    """A diagram as an SVG document of `width` times `height` pixels, with its elements."""

    id: str
    name: str
    description: str
    svg: str
    width: float
    height: float
    percentage: int
    considered: tuple[int, int]
    elements: list[ElementPart]

    @property
    def is_wide(self) -> bool:
        return self.width > self.height * 1.15


@dataclass(frozen=True, slots=True)
class Named:
    """An asset, document, note or repository: its name, its facts by title, and its text."""

    name: str
    facts: Mapping[str, str]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """Something that does not apply, and why."""

    diagram: str
    element: str
    category: str
    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the history."""

    at: datetime
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class Report:
    """A threat model as a report tells it; lists are narrowed and ordered by the choices."""

    id: str
    name: str
    description: str
    framework: str
    status: str
    owner: str
    created_at: datetime
    modified_at: datetime
    made_at: datetime
    issue_uri: str
    choices: Choices
    # Also those that the choices leave out: the numbers are of all.
    all_threats: list[ThreatPart]
    threats: list[ThreatPart]
    loose_threats: list[ThreatPart]
    diagrams: list[DiagramPart]
    assets: list[Named]
    documents: list[Named]
    notes: list[Named]
    repositories: list[Named]
    decisions: list[Decision]
    history: list[Change]
    # Changes before those of the history, which are not told one by one.
    earlier_changes: int
    metadata: Mapping[str, str]

    @property
    def hidden_threats(self) -> int:
        return len(self.all_threats) - len(self.threats)

    @property
    def out_of_scope(self) -> list[tuple[DiagramPart, ElementPart]]:
        return [(d, element) for d in self.diagrams for element in d.elements if element.out_of_scope]

    @property
    def numbers(self) -> list[tuple[str, dict[str, int]]]:
        """By severity, the worst first: how many threats are open, mitigated, closed."""
        return [
            (severity, self._states(severity))
            for severity in SEVERITIES
            if any(self._states(severity).values())
        ]

    @property
    def open_threats(self) -> list[ThreatPart]:
        return [threat for threat in self.all_threats if threat.state == "open"]

    @property
    def top_risks(self) -> list[ThreatPart]:
        return in_order(self.open_threats, "severity")[:TOP]

    @property
    def unmitigated(self) -> int:
        """Open threats for which nobody wrote down what to do."""
        return sum(not threat.mitigation.strip() for threat in self.open_threats)

    @property
    def coverage(self) -> int:
        """The percentage of element and category that has been considered, of all diagrams."""
        done, total = (sum(diagram.considered[i] for diagram in self.diagrams) for i in (0, 1))
        return done * 100 // total if total else 100

    @property
    def key(self) -> dict[str, list[tuple[str, str]]]:
        """What the shapes of severities, by name, and the marks of states mean."""
        return {
            "severities": [(name, str(SEVERITY_TITLES[name])) for name in SEVERITIES],
            "states": [(mark, str(STATE_TITLES[name])) for name, mark in STATE_MARKS.items()],
        }

    def _states(self, severity: str) -> dict[str, int]:
        of_it = [threat.state for threat in self.all_threats if threat.severity == severity]
        return {state: of_it.count(state) for state in STATE_MARKS}


def in_order(threats: Iterable[ThreatPart], order: str) -> list[ThreatPart]:
    """Threats by severity (score deciding), by element or by status; equals keep their order."""
    found = sorted(threats, key=lambda t: (SEVERITIES.index(t.severity), -float(t.score or 0)))
    if order == "element":
        return sorted(found, key=lambda t: (t.diagram.lower(), t.element.lower()))
    if order == "status":
        return sorted(found, key=lambda t: (list(STATE_MARKS).index(t.state), t.status.lower()))
    return found
