"""What text may hold: the same rules wherever text comes in."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext_lazy as _

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
CONTROL_BUT_TAB_AND_NEWLINE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# Explicit directional embeddings, overrides and isolates: they can make a name read as another one.
BIDI_OVERRIDE = re.compile("[\u202a-\u202e\u2066-\u2069]")


def unify_newlines(text: str) -> str:
    """CR LF and CR become LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def told(name: str) -> str:
    """A name that somebody made up, as an error may repeat it: short, and without control characters."""
    return strip_controls(name, multiline=False)[:100]


def strip_controls(text: str, *, multiline: bool = True) -> str:
    """The text without the characters that the validators of this module refuse."""
    clean = CONTROL_BUT_TAB_AND_NEWLINE.sub("", unify_newlines(text))
    return clean if multiline else BIDI_OVERRIDE.sub("", CONTROL.sub(" ", clean))


def odd_text(value: Any, at: str = "") -> str | None:
    """The JSON Pointer of the first text or key with control characters in it; None where there is none."""
    if isinstance(value, str):
        return at if CONTROL_BUT_TAB_AND_NEWLINE.search(value) else None
    if isinstance(value, dict):
        if any(CONTROL.search(key) for key in value):
            return at
        found = (odd_text(inner, f"{at}/{key}") for key, inner in value.items())
    elif isinstance(value, list):
        found = (odd_text(inner, f"{at}/{index}") for index, inner in enumerate(value))
    else:
        return None
    return next((place for place in found if place is not None), None)


@deconstructible
class OneLine:
    """Refuses control characters and bidirectional overrides."""

    def __call__(self, value: str) -> None:
        if CONTROL.search(value):
            raise ValidationError(_("Control characters are not allowed."), code="control_characters")
        if BIDI_OVERRIDE.search(value):
            raise ValidationError(_("Bidirectional control characters are not allowed."), code="bidi")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OneLine)

    def __hash__(self) -> int:
        return hash(OneLine)


@deconstructible
class ManyLines:
    """Refuses control characters other than tab and newline."""

    def __call__(self, value: str) -> None:
        if CONTROL_BUT_TAB_AND_NEWLINE.search(value):
            raise ValidationError(
                _("Control characters other than tab and newline are not allowed."), code="control_characters"
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ManyLines)

    def __hash__(self) -> int:
        return hash(ManyLines)


@deconstructible
class NotBlank:
    """Refuses text that is empty but for white space."""

    def __call__(self, value: str) -> None:
        if not value.strip():
            raise ValidationError(_("This field may not be blank."), code="blank")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NotBlank)

    def __hash__(self) -> int:
        return hash(NotBlank)
