"""What an import tells the person who started it."""

from __future__ import annotations

from dataclasses import dataclass, field

from threatmodels.interchange.document import Document

# A file can be wrong in a million places; nobody reads more than this.
MAX_FINDINGS = 1_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth knowing: `element` says where, as a person would, `message` is a sentence."""

    element: str
    message: str

    def __str__(self) -> str:
        return f"{self.element}: {self.message}"


@dataclass(slots=True)
class ImportReport:
    """What was read, what was changed on the way and what was left out.

    `counts` has the numbers of `document.count`; `unlisted` counts findings beyond the first thousand.
    """

    kind: str
    counts: dict[str, int] = field(default_factory=dict)
    changed: list[Finding] = field(default_factory=list)
    left_out: list[Finding] = field(default_factory=list)
    unlisted: int = 0

    def change(self, element: str, message: str) -> None:
        self._add(self.changed, element, message)

    def leave_out(self, element: str, message: str) -> None:
        self._add(self.left_out, element, message)

    @property
    def warnings(self) -> list[str]:
        """Every finding as one line: left out first, for that matters more."""
        lines = [str(finding) for finding in [*self.left_out, *self.changed]]
        return [*lines, f"{self.unlisted} more findings are not listed."] if self.unlisted else lines

    def _add(self, findings: list[Finding], element: str, message: str) -> None:
        if len(self.changed) + len(self.left_out) >= MAX_FINDINGS:
            self.unlisted += 1
        else:
            findings.append(Finding(element, message))


@dataclass(frozen=True, slots=True)
class Reading:
    """A file that was read: what it holds in the neutral form, and the report about it."""

    document: Document
    report: ImportReport
