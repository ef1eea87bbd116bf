"""A report as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from threatmodels.reports.contents import DiagramPart, Named, Report, ThreatPart

# What Markdown or the HTML in it would read as more than text.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~^&:@$])")


def markdown_report(report: Report) -> bytes:
    """GitHub-flavoured Markdown in which nothing that people typed is markup."""
    return ("\n".join(_lines(report)).rstrip() + "\n").encode("utf-8", "replace")


def escaped(text: str) -> str:
    """One line of text that stays text."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _prose(text: str) -> str:
    """Paragraphs that stay text."""
    return "\n\n".join(escaped(part) for part in re.split(r"\n\s*\n", text) if part.strip())


def _lines(report: Report) -> Iterator[str]:
    yield f"# {escaped(report.name)}"
    yield ""
    yield f"Threat model by {report.framework}, as of {report.made_at:%Y-%m-%d %H:%M} UTC"
    yield ""
    yield from _table(["Fact", "Value"], _facts(report))
    if report.description:
        yield from ("", _prose(report.description))
    if report.choices.summary:
        yield from _summary(report)
    yield from _named("Assets", report.assets)
    if report.choices.diagrams:
        for diagram in report.diagrams:
            yield from _diagram(diagram)
    yield from ("", "## Threats", "")
    if report.hidden_threats:
        yield from (f"{report.hidden_threats} mitigated or closed threats are left out.", "")
    for number, threat in enumerate(report.threats, 1):
        yield from _threat(number, threat)
    if report.decisions:
        yield from ("", "## Not applicable", "")
        rows = [[d.diagram, d.element, d.category, d.reason] for d in report.decisions]
        yield from _table(["Diagram", "Element", "Category", "Reason"], rows)
    for title, rows_ in (
        ("Documents", report.documents),
        ("Notes", report.notes),
        ("Repositories", report.repositories),
    ):
        yield from _named(title, rows_)
    if report.metadata:
        yield from ("", "## Metadata", "")
        yield from _table(["Key", "Value"], [[k, v] for k, v in report.metadata.items()])
    if report.history:
        yield from ("", "## History", "")
        rows = [[f"{c.at:%Y-%m-%d %H:%M}", c.who, c.what] for c in report.history]
        yield from _table(["When (UTC)", "Who", "What"], rows)


def _facts(report: Report) -> list[list[str]]:
    facts = {
        "Owner": report.owner,
        "Status": report.status,
        "Issue": report.issue_uri,
        "Changed": f"{report.modified_at:%Y-%m-%d %H:%M} UTC",
        "Coverage": f"{report.coverage} %",
    }
    return [[title, value] for title, value in facts.items() if value]


def _summary(report: Report) -> Iterator[str]:
    yield from ("", "## Summary", "")
    yield (
        f"{len(report.open_threats)} of {len(report.threats)} threats are open, {report.unmitigated} of "
        f"these without a mitigation. {report.coverage} % of elements and categories have been considered."
    )
    yield ""
    rows = [[name, *(str(n) for n in states.values())] for name, states in report.numbers]
    yield from _table(["Severity", "Open", "Mitigated", "Closed"], rows)
    if report.top_risks:
        yield from ("", "### Top risks", "")
        yield from (
            f"{n}. {t.severity_mark} {t.severity}: {escaped(t.name)}"
            for n, t in enumerate(report.top_risks, 1)
        )


def _diagram(diagram: DiagramPart) -> Iterator[str]:
    yield from ("", f"## Diagram: {escaped(diagram.name)}", "")
    if diagram.description:
        yield from (_prose(diagram.description), "")
    yield from (f"Coverage: {diagram.percentage} %", "")
    rows = [
        [
            one.name + (" (out of scope)" if one.out_of_scope else ""),
            one.type.replace("_", " "),
            one.reason or one.description,
            str(len(one.threats)),
        ]
        for one in diagram.elements
    ]
    yield from _table(["Element", "Type", "About", "Threats"], rows)


def _threat(number: int, threat: ThreatPart) -> Iterator[str]:
    yield from (f"### {number}. {escaped(threat.name)}", "")
    facts = [
        f"{threat.severity_mark} {threat.severity}",
        f"{threat.state_mark} {threat.state}" + (f" ({escaped(threat.status)})" if threat.status else ""),
        *(escaped(text) for text in (threat.type, threat.element, threat.diagram, threat.asset) if text),
        *([f"score {threat.score}"] if threat.score else []),
        *threat.cwe_ids,
    ]
    yield from (" · ".join(facts), "")
    if threat.description:
        yield from (_prose(threat.description), "")
    if threat.mitigation:
        yield from ("**Mitigation**", "", _prose(threat.mitigation), "")


def _named(title: str, rows: list[Named]) -> Iterator[str]:
    if not rows:
        return
    yield from ("", f"## {title}", "")
    for one in rows:
        yield from (f"### {escaped(one.name)}", "")
        yield from (f"- {title_}: {escaped(value)}" for title_, value in one.facts.items())
        if one.text:
            yield from ("", _prose(one.text))
        yield ""


def _table(titles: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(titles)} |"
    yield f"| {' | '.join('---' for _ in titles)} |"
    for row in rows:
        yield f"| {' | '.join(escaped(value) for value in row)} |"
