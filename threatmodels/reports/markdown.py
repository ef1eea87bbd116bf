"""A report as Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from threatmodels.choices import spelled
from threatmodels.reports.contents import SEVERITY_TITLES, DiagramPart, Named, Report, ThreatPart

# What Markdown or the HTML in it would read as more than text.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~^&:@$])")


def markdown_report(report: Report) -> bytes:
    """GitHub-flavoured Markdown in which nothing that people typed is markup."""
    return ("\n".join(_lines(report)).rstrip() + "\n").encode("utf-8", "replace")


def escaped(text: str) -> str:
    """One line of text that stays text."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _prose(text: str) -> str:
    """Paragraphs and lines that stay text."""
    paragraphs = (part.split("\n") for part in re.split(r"\n\s*\n", text) if part.strip())
    return "\n\n".join("\\\n".join(escaped(line) for line in lines if line.strip()) for lines in paragraphs)


def _fenced(text: str) -> str:
    """Markdown that is shown and not obeyed."""
    fence = "~" * (max(map(len, re.findall("~+", text)), default=0) + 3)
    return f"{fence}markdown\n{text.strip()}\n{fence}"


def _lines(report: Report) -> Iterator[str]:
    yield f"# {escaped(report.name)}"
    yield ""
    made_at = f"{report.made_at:%Y-%m-%d %H:%M} UTC"
    yield _("Threat model by %(framework)s, as of %(time)s") % {
        "framework": report.framework,
        "time": made_at,
    }
    yield ""
    yield from _table([_("Fact"), _("Value")], _facts(report))
    if report.description:
        yield from ("", _prose(report.description))
    if report.choices.summary:
        yield from _summary(report)
    yield from _scope(report)
    yield from _named(_("Assets"), report.assets)
    if report.choices.diagrams:
        for diagram in report.diagrams:
            yield from _diagram(diagram)
    yield from ("", f"## {_('Threats')}", "")
    if report.hidden_threats:
        yield from (left_out(report.hidden_threats), "")
    for number, threat in enumerate(report.threats, 1):
        yield from _threat(number, threat)
    if report.decisions:
        yield from ("", f"## {_('Not applicable')}", "")
        rows = [[d.diagram, d.element, d.category, d.reason] for d in report.decisions]
        yield from _table([_("Diagram"), _("Element"), _("Category"), _("Reason")], rows)
    yield from _named(_("Documents"), report.documents)
    yield from _named(_("Notes"), report.notes, _fenced)
    yield from _named(_("Repositories"), report.repositories)
    if report.metadata:
        yield from ("", f"## {_('Metadata')}", "")
        yield from _table([_("Key"), _("Value")], [[k, v] for k, v in report.metadata.items()])
    if report.history:
        yield from ("", f"## {_('History')}", "")
        rows = [[f"{c.at:%Y-%m-%d %H:%M}", c.who, c.what] for c in report.history]
        yield from _table([_("When (UTC)"), _("Who"), _("What")], rows)
        if report.earlier_changes:
            yield from ("", earlier(report.earlier_changes))


def _facts(report: Report) -> list[list[str]]:
    facts = {
        _("Owner"): report.owner,
        _("Status"): spelled(report.status),
        _("Issue"): report.issue_uri,
        _("Changed"): f"{report.modified_at:%Y-%m-%d %H:%M} UTC",
        _("Coverage"): f"{report.coverage} %",
    }
    return [[title, value] for title, value in facts.items() if value]


def _summary(report: Report) -> Iterator[str]:
    yield from ("", f"## {_('Summary')}", "")
    yield in_numbers(report)
    yield ""
    rows = [[str(SEVERITY_TITLES[name]), *map(str, states.values())] for name, states in report.numbers]
    yield from _table([_("Severity"), _("Open"), _("Mitigated"), _("Closed")], rows)
    if report.top_risks:
        yield from ("", f"### {_('Top risks')}", "")
        yield from (
            f"{n}. {t.severity_mark} {t.severity_title}: {escaped(t.name)}"
            for n, t in enumerate(report.top_risks, 1)
        )


def _scope(report: Report) -> Iterator[str]:
    yield from ("", f"## {_('Scope')}", "")
    rows = [[d.name, str(len(d.elements)), f"{d.percentage} %"] for d in report.diagrams]
    yield from _table([_("Diagram"), _("Elements shown"), _("Coverage")], rows)
    if report.out_of_scope:
        yield from ("", f"### {_('Out of scope')}", "")
        rows = [[e.name, d.name, e.reason or _("No reason is given.")] for d, e in report.out_of_scope]
        yield from _table([_("Element"), _("Diagram"), _("Reason")], rows)


def in_numbers(report: Report) -> str:
    """The summary in a sentence or two."""
    text = _(
        "%(open)d of %(all)d threats are open, %(bare)d of these without a mitigation. %(coverage)d %% of"
        " elements and categories have been considered."
    )
    return text % {
        "open": len(report.open_threats),
        "all": len(report.all_threats),
        "bare": report.unmitigated,
        "coverage": report.coverage,
    }


def left_out(number: int) -> str:
    text = ngettext(
        "%(number)d mitigated or closed threat is left out.",
        "%(number)d mitigated or closed threats are left out.",
        number,
    )
    return text % {"number": number}


def earlier(number: int) -> str:
    text = ngettext(
        "%(number)d earlier change is not listed.", "%(number)d earlier changes are not listed.", number
    )
    return text % {"number": number}


def _diagram(diagram: DiagramPart) -> Iterator[str]:
    yield from ("", f"## {_('Diagram')}: {escaped(diagram.name)}", "")
    if diagram.description:
        yield from (_prose(diagram.description), "")
    yield from (f"{_('Coverage')}: {diagram.percentage} %", "")
    rows = [
        [
            one.name + (f" ({_('out of scope')})" if one.out_of_scope else ""),
            one.type_title,
            str(one.place),
            one.reason or one.description,
            str(len(one.threats)),
        ]
        for one in diagram.elements
    ]
    yield from _table([_("Element"), _("Type"), _("Where"), _("About"), _("Threats")], rows)


def _threat(number: int, threat: ThreatPart) -> Iterator[str]:
    yield from (f"### {number}. {escaped(threat.name)}", "")
    yield from (" · ".join(map(escaped, threat.facts)), "")
    if threat.issue_uri:
        yield from (f"{_('Issue')}: {escaped(threat.issue_uri)}", "")
    if threat.description:
        yield from (_prose(threat.description), "")
    if threat.mitigation:
        yield from (f"**{_('Mitigation')}**", "", _prose(threat.mitigation), "")


def _named(title: str, rows: list[Named], text: Callable[[str], str] = _prose) -> Iterator[str]:
    if not rows:
        return
    yield from ("", f"## {title}", "")
    for one in rows:
        yield from (f"### {escaped(one.name)}", "")
        yield from (f"- {_(title_)}: {escaped(spelled(value))}" for title_, value in one.facts.items())
        if one.text:
            yield from ("", text(one.text))
        yield ""


def _table(titles: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(titles)} |"
    yield f"| {' | '.join('---' for _ in titles)} |"
    for row in rows:
        yield f"| {' | '.join(escaped(value) for value in row)} |"
