"""A report as PDF, made without a browser."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils.dateformat import format as in_words
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, VAlign, WrapMode, XPos, YPos
from fpdf.fonts import FontFace

from threatmodels.choices import spelled
from threatmodels.pictures.png import svg_to_png
from threatmodels.reports.contents import (
    SEVERITY_MARKS,
    SEVERITY_TITLES,
    STATE_MARKS,
    STATE_TITLES,
    DiagramPart,
    ElementPart,
    Named,
    Report,
    ThreatPart,
)
from threatmodels.reports.markdown import earlier, in_numbers, left_out
from tmi.lib.markdown_blocks import Block, blocks

FONTS = {
    "": "@expo-google-fonts/arimo/400Regular/Arimo_400Regular.ttf",
    "B": "@expo-google-fonts/arimo/700Bold/Arimo_700Bold.ttf",
}
# For signs that the first lacks: other scripts, shapes, emoji.
FURTHER = {
    "dejavu": "dejavu-fonts-ttf/ttf/DejaVuSans.ttf",
    "emoji": "@expo-google-fonts/noto-emoji/400Regular/NotoEmoji_400Regular.ttf",
}
# It tells every step of making a font smaller.
logging.getLogger("fontTools").setLevel(logging.WARNING)
MARGIN = 18
INK, QUIET, LINE, SHADE = (31, 41, 51), (82, 96, 109), (203, 210, 217), (245, 247, 250)
# How far lists and quotes are set in, in millimetres, and up to which depth.
INDENT, DEEPEST = 6, 8
# What is more is no table on paper: so many columns, so many signs in one place of it.
MOST_COLUMNS, LONGEST_CELL = 8, 400
# Dots to a millimetre at which a picture on paper looks sharp.
SHARP = 8
MOST_PIXELS = 3_000_000
# Scripts whose letters join, or that go from right to left.
_SHAPED = re.compile(r"[\u0590-\u08ff\u0900-\u0dff\ufb1d-\ufdff\ufe70-\ufeff]")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufe0e\ufe0f\u200d]")
# No word below the one is wider than a line; of longer ones so many signs are measured at once.
SHORT_WORD, LONG_WORD = 12, 200


def pdf_report(report: Report, *, fonts: Path) -> bytes:
    """The bytes of an A4 document; `fonts` is the folder in which npm keeps the font packages."""
    return bytes(_Paper(report, fonts).written())


class _Paper(FPDF):
    def __init__(self, report: Report, fonts: Path) -> None:
        super().__init__(format="A4")
        self.report, self.folder = report, fonts
        self._widths: dict[tuple[str, float, str], float] = {}
        self._numbers = {threat.id: number for number, threat in enumerate(report.threats, 1)}
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.set_auto_page_break(True, MARGIN)
        for style, name in FONTS.items():
            self.add_font("body", style, fonts / name)
        for family, name in FURTHER.items():
            self.add_font(family, "", fonts / name)
        self.set_fallback_fonts(list(FURTHER), exact_match=False)
        self.set_title(_clean(report.name))
        self.set_creator("TMI")
        self.set_lang(get_language() or "en")

    def written(self) -> bytes | bytearray:
        self._title_page()
        self.add_page()
        if self.report.choices.summary:
            self._summary()
        self._scope()
        self._named(_("Assets"), self.report.assets)
        if self.report.choices.diagrams:
            for diagram in self.report.diagrams:
                self._diagram(diagram)
        self.add_page(orientation="portrait")
        self._threats()
        self._decisions()
        self._named(_("Documents"), self.report.documents)
        self._notes()
        self._named(_("Repositories"), self.report.repositories)
        self._pairs(_("Metadata"), self.report.metadata.items())
        self._history()
        return self.output()

    def header(self) -> None:
        """Nothing: the foot says which report this is."""

    def footer(self) -> None:
        if self.page_no() == 1:
            return
        self.set_y(-12)
        self._style(8, colour=QUIET)
        name = _short(self.report.name, 80)
        self._line(f"{name} · {_('page')} {self.page_no()}", 5)

    # -- text

    def _render_styled_text_line(self, *args: Any, **kwargs: Any) -> Any:
        """Names the font in each line: the library relies on one that only the last line has set."""
        self.current_font_is_set_on_page = False
        return super()._render_styled_text_line(*args, **kwargs)

    def _style(self, size: float, *, bold: bool = False, colour: tuple[int, int, int] = INK) -> None:
        self.set_font("body", "B" if bold else "", size)
        self.set_text_color(*colour)

    def _line(self, text: str, height: float, *, indent: float = 0) -> None:
        """Text over the width of the page, as many lines as it takes."""
        clean = _clean(text)
        shaped = bool(_SHAPED.search(clean))
        self.set_text_shaping(shaped)
        self.set_x(self.l_margin + indent)
        if shaped:
            self.multi_cell(
                0, height, clean, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT, wrapmode=_wrap(clean)
            )
            return
        for line in self._broken(clean, self.epw - indent - 2 * self.c_margin):
            self.set_x(self.l_margin + indent)
            self.cell(0, height, line, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _broken(self, text: str, width: float) -> Iterator[str]:
        """Lines that fit; words are measured once, which is many times faster than sign by sign."""
        for paragraph in text.split("\n"):
            line, used = "", 0.0
            for word in self._words(paragraph, width):
                wide = self._wide(word)
                gap = self._wide(" ") if line else 0
                if line and used + gap + wide > width:
                    yield line
                    line, used, gap = "", 0.0, 0
                line, used = (f"{line} {word}" if line else word), used + gap + wide
            yield line

    def _words(self, paragraph: str, width: float) -> Iterator[str]:
        """Words, those that are longer than a line in parts."""
        for word in paragraph.split(" "):
            rest = word
            while len(rest) > SHORT_WORD and self._wide(rest[:LONG_WORD]) > width:
                most = int(LONG_WORD * width / self._wide(rest[:LONG_WORD]))
                while most > 1 and self._wide(rest[:most]) > width:
                    most -= 1
                yield rest[:most]
                rest = rest[most:]
            yield rest

    def _wide(self, word: str) -> float:
        key = (self.font_style, self.font_size_pt, word)
        if key not in self._widths:
            self._widths[key] = self.get_string_width(word)
        return self._widths[key]

    def _heading(self, text: str, *, level: int = 1) -> None:
        size, before, below = ((17, 8, 42), (12.5, 5, 30), (10.5, 3, 24))[level - 1]
        # With the heading that may follow it, and a line of what stands below.
        if self.get_y() > self.h - self.b_margin - below:
            self.add_page(same=True)
        elif self.get_y() > self.t_margin:
            self.ln(before)
        if level == 1:
            self.start_section(_short(text, 100))
        self._style(size, bold=True)
        self._line(text, size * 0.48)
        self.ln(1.5)

    def _prose(self, text: str, *, indent: float = 0) -> None:
        if text.strip():
            self._style(9.5)
            self._line(text, 4.8, indent=indent)
            self.ln(1)

    def _quiet(self, text: str, *, indent: float = 0) -> None:
        self._style(9, colour=QUIET)
        self._line(text, 4.5, indent=indent)

    def _rows(self, titles: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int]) -> None:
        listed = [[_clean(value) for value in row] for row in rows]
        if not listed:
            self._quiet(_("None."))
            return
        self.set_text_shaping(any(_SHAPED.search(value) for row in listed for value in row))
        self._style(8.5)
        self.set_draw_color(*LINE)
        with self.table(
            col_widths=tuple(widths),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=FontFace(emphasis="BOLD", fill_color=SHADE, color=INK),
            line_height=4.4,
            text_align="LEFT",
            v_align=VAlign.T,
            padding=(0.8, 1.2),
            wrapmode=_wrap(*(value for row in listed for value in row)),
        ) as table:
            table.row(titles)
            for row in listed:
                table.row(row)
        self.ln(2)

    # -- parts

    def _title_page(self) -> None:
        report = self.report
        self.add_page()
        self.set_y(70)
        self._style(11, colour=QUIET)
        self._line(_("Threat model report"), 6)
        self.ln(3)
        self._style(26 if len(report.name) < 120 else 16, bold=True)
        self._line(report.name, 11 if len(report.name) < 120 else 7)
        self.ln(6)
        self._facts(
            {
                _("Framework"): report.framework,
                _("Status"): spelled(report.status),
                _("Owner"): report.owner,
                _("Last change"): _moment(report.modified_at),
                _("Report made"): _moment(report.made_at),
                _("Issue"): report.issue_uri,
            }
        )
        self.ln(4)
        self._prose(report.description)

    def _facts(self, facts: dict[str, str]) -> None:
        for title, value in facts.items():
            if value:
                self._style(10, colour=QUIET)
                self.cell(36, 6, title)
                self._style(10)
                self._line(value, 6, indent=36)

    def _summary(self) -> None:
        report = self.report
        self._heading(_("Executive summary"))
        self._prose(in_numbers(report))
        numbers = [
            [f"{SEVERITY_MARKS[name]} {SEVERITY_TITLES[name]}", *(str(number) for number in states.values())]
            for name, states in report.numbers
        ]
        self._rows((_("Severity"), _("Open"), _("Mitigated"), _("Closed")), numbers, (4, 2, 2, 2))
        self._heading(_("Top risks"), level=2)
        self._rows(
            (_("Severity"), _("Threat"), _("Element"), _("Status")),
            [
                [f"{t.severity_mark} {t.severity_title}", t.name, _short(t.place, 160), spelled(t.status)]
                for t in report.top_risks
            ],
            (3, 8, 4, 3),
        )

    def _scope(self) -> None:
        self._heading(_("Scope"))
        rows = [
            [diagram.name, f"{len(diagram.elements)}", f"{diagram.percentage} %"]
            for diagram in self.report.diagrams
        ]
        self._rows((_("Diagram"), _("Elements shown"), _("Coverage")), rows, (8, 3, 3))
        if self.report.out_of_scope:
            self._heading(_("Out of scope"), level=2)
            rows = [
                [e.name, d.name, e.reason or _("No reason is given.")] for d, e in self.report.out_of_scope
            ]
            self._rows((_("Element"), _("Diagram"), _("Reason")), rows, (4, 4, 7))
        self._key()

    def _named(self, title: str, rows: list[Named]) -> None:
        if not rows:
            return
        self._heading(title)
        for one in rows:
            self._heading(one.name, level=3)
            if one.facts:
                self._quiet(" · ".join(f"{_(name)}: {spelled(value)}" for name, value in one.facts.items()))
            self._prose(one.text)

    def _notes(self) -> None:
        if self.report.notes:
            self._heading(_("Notes"))
        for note in self.report.notes:
            self._heading(note.name, level=2)
            for value in note.facts.values():
                self._quiet(value)
            for block in blocks(note.text):
                self._block(block)

    def _block(self, block: Block) -> None:
        """A block of Markdown."""
        indent = INDENT * min(block.depth, DEEPEST)
        match block.kind:
            case "heading":
                self._heading(block.text, level=3)
            case "table" if _fits(block.rows):
                self._rows(block.rows[0], block.rows[1:], [1] * len(block.rows[0]))
            case "table":
                for row in block.rows:
                    self._prose(" | ".join(row), indent=indent)
            case "code":
                self._quiet(block.text, indent=indent)
                self.ln(1)
            case "rule":
                self.ln(2)
            case "item":
                self._style(9.5)
                self.set_x(self.l_margin + indent - INDENT)
                self.cell(INDENT, 4.8, block.mark)
                self._prose(block.text, indent=indent)
            case "text":
                self._prose(block.text, indent=indent)

    def _diagram(self, diagram: DiagramPart) -> None:
        """A page of its own, lying where the diagram is wide, and the picture as large as fits."""
        self.add_page(orientation="landscape" if diagram.is_wide else "portrait")
        self._heading(f"{_('Diagram')}: {_short(diagram.name, 150)}")
        text = _("%(done)d of %(total)d considered: %(percentage)d %%")
        done, total = diagram.considered
        self._quiet(text % {"done": done, "total": total, "percentage": diagram.percentage})
        self.ln(2)
        wide, high = self.epw, self.h - self.b_margin - self.get_y() - 2
        scale = min(wide / diagram.width, high / diagram.height, 0.5)
        width, height = diagram.width * scale, diagram.height * scale
        pixels = min(width * height * SHARP * SHARP, MOST_PIXELS)
        picture = svg_to_png(diagram.svg, fonts=self.folder, most_pixels=int(pixels))
        self.image(picture, x=self.l_margin + (wide - width) / 2, y=self.get_y(), w=width, h=height)
        self.add_page(orientation="portrait")
        self._heading(_("Elements of %(name)s") % {"name": _short(diagram.name, 120)}, level=2)
        self._prose(diagram.description)
        self._rows(
            (_("Element"), _("Type"), _("Where"), _("About"), _("Threats")),
            map(self._element, diagram.elements),
            (5, 3, 5, 6, 3),
        )
        self._quiet(_("Numbers are those of the list of threats."))

    def _element(self, element: ElementPart) -> list[str]:
        name = _short(element.name, 300) + (f"\n({_('out of scope')})" if element.out_of_scope else "")
        threats = "  ".join(f"{t.severity_mark}\u00a0{self._numbers[t.id]}" for t in element.threats)
        about = element.reason if element.out_of_scope and element.reason else element.description
        return [name, element.type_title, _short(str(element.place), 300), _short(about, 600), threats or "–"]

    def _threats(self) -> None:
        report = self.report
        self._heading(_("Threats"))
        if report.hidden_threats:
            self._quiet(left_out(report.hidden_threats))
        if not report.threats:
            self._prose(_("No threats."))
        for number, threat in enumerate(report.threats, 1):
            self._threat(number, threat)

    def _key(self) -> None:
        """What the shapes mean, before the first of them is met."""
        self._heading(_("Key"), level=2)
        self._legend(_("Severity"), SEVERITY_MARKS, SEVERITY_TITLES)
        self._legend(_("State"), STATE_MARKS, STATE_TITLES)

    def _legend(self, title: str, marks: dict[str, str], titles: dict[str, Any]) -> None:
        self._quiet(f"{title}: {' '.join(f'{mark} {titles[name]}' for name, mark in marks.items())}")

    def _threat(self, number: int, threat: ThreatPart) -> None:
        if self.get_y() > self.h - self.b_margin - 28:
            self.add_page()
        self.ln(2.5)
        self._style(10.5, bold=True)
        self._line(f"{number}. {threat.name}", 5)
        self._quiet(" · ".join(_short(fact, 200) for fact in threat.facts))
        if threat.issue_uri:
            self._quiet(f"{_('Issue')}: {threat.issue_uri}")
        self._prose(threat.description)
        if threat.mitigation.strip():
            if self.get_y() > self.h - self.b_margin - 12:
                self.add_page()
            self._style(9.5, bold=True)
            self._line(_("Mitigation"), 4.8)
            self._prose(threat.mitigation)

    def _decisions(self) -> None:
        if self.report.decisions:
            self._heading(_("Not applicable"))
            rows = [[d.element, d.diagram, d.category, d.reason] for d in self.report.decisions]
            self._rows((_("Element"), _("Diagram"), _("Category"), _("Reason")), rows, (4, 3, 3, 6))

    def _pairs(self, title: str, pairs: Iterable[tuple[str, str]]) -> None:
        listed = list(pairs)
        if listed:
            self._heading(title)
            self._rows((_("Key"), _("Value")), listed, (4, 10))

    def _history(self) -> None:
        if self.report.history:
            self._heading(_("History of changes"))
            rows = [[f"{c.at:%Y-%m-%d %H:%M}", c.who, c.what] for c in self.report.history]
            self._rows((_("When (UTC)"), _("Who"), _("What")), rows, (3, 3, 8))
            if self.report.earlier_changes:
                self._quiet(earlier(self.report.earlier_changes))


def _fits(rows: list[list[str]]) -> bool:
    """Whether a table of somebody's note has room on a page."""
    return len(rows[0]) <= MOST_COLUMNS and all(len(cell) <= LONGEST_CELL for row in rows for cell in row)


def _moment(at: datetime) -> str:
    return f"{in_words(at, 'd F Y, H:i')} UTC"


def _clean(text: str) -> str:
    """What paper can show: no control signs, no joiners of emoji, tabs as spaces."""
    return _UNPRINTABLE.sub("", text.replace("\t", "    "))


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _wrap(*texts: str) -> WrapMode:
    """Between words; anywhere where one word is longer than a line."""
    longest = max((len(word) for text in texts for word in text.split()), default=0)
    return WrapMode.CHAR if longest > 60 else WrapMode.WORD
