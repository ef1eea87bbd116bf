"""Foreign values on their way into our fields: cleaned, cut to size, and every change reported."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from threatmodels import rules
from threatmodels.interchange.document import (
    CLASSIFICATIONS,
    CWES,
    LABEL_LENGTH,
    METADATA_ENTRIES,
    METADATA_KEY_LENGTH,
    METADATA_VALUE_LENGTH,
    NAME_LENGTH,
    NOTE_LENGTH,
    URI_LENGTH,
    Metadata,
    Note,
)
from threatmodels.interchange.plain import snake_case, without_nulls
from threatmodels.interchange.report import ImportReport
from tmi.lib.text import strip_controls, unify_newlines

CWE = re.compile(r"(?:CWE-)?0*([1-9][0-9]{0,5})", re.IGNORECASE)
SCORE = re.compile(r"[0-9]{1,2}(?:\.[0-9]{1,20})?")


class Intake:
    """Takes values in for one document. `element` says in findings where a value was.

    What is too long for its field is cut there and kept whole in `notes`, where a person can read it.
    """

    def __init__(self, report: ImportReport) -> None:
        self.report = report
        self.notes: list[Note] = []

    def line(self, value: object, *, element: str, field: str, limit: int) -> str:
        """One line of text, without white space around it; "" for nothing and for what is no text."""
        return self._text(value, element, field, limit, multiline=False)

    def prose(self, value: object, *, element: str, field: str, limit: int) -> str:
        """Many lines of text as given; "" where nothing is to be read."""
        return self._text(value, element, field, limit, multiline=True)

    def name(self, value: object, *, element: str, otherwise: str) -> str:
        """One line that is never blank."""
        name = self.line(value, element=element, field="name", limit=NAME_LENGTH)
        if not name:
            self.report.change(element, f"It has no name and is called “{otherwise}” here.")
        return name or otherwise

    def score(self, value: object, *, element: str) -> Decimal | None:
        """0 to 10 with one decimal, as number or text; None for nothing and, with a finding, for all else."""
        text = str(value).strip() if isinstance(value, str | int | float) else ""
        if not text:
            return None
        if SCORE.fullmatch(text):
            number = Decimal(text)
            if number <= 10 and number == round(number, 1):
                return round(number, 1)
        self.report.change(
            element, "Its score is no number from 0 to 10 with one decimal; it is kept as metadata."
        )
        return None

    def uri(
        self, value: object, *, element: str, field: str, rule: Callable[[str], None] = rules.harmless_uri
    ) -> str:
        """An address that keeps the rule; "" for nothing and, with a finding, for all else."""
        given = self.line(value, element=element, field=field, limit=URI_LENGTH)
        try:
            if given:
                rule(given)
        except ValidationError:
            self.report.leave_out(element, f"Its {field} {quoted(given)} is no address that is allowed here.")
            return ""
        return given

    def cwes(self, values: Iterable[object], *, element: str) -> list[str]:
        """CWE ids, given as numbers or as text like CWE-79, each once; what is none is reported."""
        found: list[str] = []
        for value in values:
            number = CWE.fullmatch(str(value).strip()) if isinstance(value, str | int) else None
            if number is None or len(found) == CWES:
                self.report.leave_out(element, f"{quoted(value) or 'A value'} is no CWE id, or one too many.")
            elif (known := f"CWE-{number[1]}") not in found:
                found.append(known)
        return found

    def labels(self, values: Iterable[object], *, element: str, field: str) -> list[str]:
        """Short texts, each once and none of them blank."""
        lines = (self.line(v, element=element, field=field, limit=LABEL_LENGTH) for v in values)
        found = list(dict.fromkeys(line for line in lines if line))
        if len(found) > CLASSIFICATIONS:
            self.report.leave_out(element, f"It has more than {CLASSIFICATIONS} entries in its {field}.")
        return found[:CLASSIFICATIONS]

    def metadata(self, entries: Iterable[tuple[str, object]], *, element: str) -> Metadata:
        """Entries with sound keys and values; nothing that is blank, and at most a hundred."""
        found: Metadata = {}
        for key, value in entries:
            text = self._metadata_value(value, element, key)
            if not text.strip():
                continue
            if len(found) == METADATA_ENTRIES:
                self.report.leave_out(element, f"It has more than {METADATA_ENTRIES} further values.")
                break
            found[_free_key(key, found)] = text
        return found

    def keep_whole(self, text: str, *, element: str, field: str) -> None:
        """Keeps a long text in notes, in as many parts as it takes."""
        parts = [text[at : at + NOTE_LENGTH] for at in range(0, len(text), NOTE_LENGTH)]
        for number, part in enumerate(parts, 1):
            suffix = f" ({number} of {len(parts)})" if len(parts) > 1 else ""
            title = strip_controls(f"Full text of the {field} of {element}", multiline=False)
            name = title[: NAME_LENGTH - len(suffix)] + suffix
            if part.strip():
                self.notes.append(Note(name=name, content=part))

    def _text(self, value: object, element: str, field: str, limit: int, *, multiline: bool) -> str:
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.report.leave_out(element, f"Its {field} is not text.")
            return ""
        given = unify_newlines(str(value))
        clean = strip_controls(given, multiline=multiline)
        if clean != given:
            self.report.change(element, f"Control characters or line breaks were removed from its {field}.")
        clean = clean if multiline else clean.strip()
        if len(clean) > limit:
            return self._cut(clean, element, field, limit)
        return clean if clean.strip() else ""

    def _cut(self, text: str, element: str, field: str, limit: int) -> str:
        self.keep_whole(text, element=element, field=field)
        self.report.change(element, f"Its {field} was cut to {limit} characters; a note has the full text.")
        return text[: limit - 1] + "…"

    def _metadata_value(self, value: object, element: str, key: str) -> str:
        field = f"value “{snake_case(key)}”"
        return self.prose(as_text(value), element=element, field=field, limit=METADATA_VALUE_LENGTH)


def as_text(value: object) -> str:
    """A value of JSON as text: text as it is, everything else in JSON, and "" for nothing."""
    if value is None or value in ([], {}):
        return ""
    return value if isinstance(value, str) else json.dumps(without_nulls(value), ensure_ascii=False)


def _free_key(key: str, taken: Metadata) -> str:
    base = snake_case(key)[: METADATA_KEY_LENGTH - 4]
    free, number = base, 1
    while free in taken:
        number += 1
        free = f"{base}_{number}"
    return free


def quoted(value: Any) -> str:
    """A name for use in a finding: one line, shortened, in quotation marks; "" for no name."""
    text = strip_controls(str(value), multiline=False).strip() if isinstance(value, str | int | float) else ""
    return f"“{text if len(text) <= 60 else text[:59] + '…'}”" if text else ""
