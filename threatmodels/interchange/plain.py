"""Small conversions of plain values that every format needs."""

from __future__ import annotations

import re
from typing import Any

from tmi.lib.text import strip_controls

LARGEST = 1_000_000
# Whole numbers beyond this are not the same in every JSON reader.
EXACT = 2**53
# Beyond this PostgreSQL gives a fraction back as a whole number that is too long for others.
LARGEST_KEPT = 2**62

HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
WHOLE = re.compile(r"[0-9]{1,9}")
NOT_IN_KEYS = re.compile(r"[^a-z0-9-]+")


def snake_case(name: str) -> str:
    """`isALog` becomes `is_a_log`; only a-z, 0-9, hyphen and underscore are left, and never nothing."""
    return NOT_IN_KEYS.sub("_", HUMP.sub("_", name).lower()).strip("_") or "unnamed"


def camel_case(name: str) -> str:
    """What `snake_case` made of a name in camel case, back again."""
    first, *others = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in others)


def number(value: object) -> float | int | None:
    """A coordinate or length of at most a million either way, as number or text, else None."""
    if isinstance(value, str):
        value = _number_in(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) <= LARGEST else None


def _number_in(text: str) -> float | int | None:
    try:
        value = float(text) if len(text) <= 30 else None
    except ValueError:
        return None
    return int(value) if value is not None and value.is_integer() else value


def whole(text: str | None, otherwise: int) -> int:
    """The number that a text says, where it is a whole one of at most nine digits."""
    return int(text) if text and WHOLE.fullmatch(text) else otherwise


def mapping(value: object) -> dict[str, Any]:
    """The value where it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """The value where it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def without_nulls(value: Any) -> Any:
    """A JSON value free of nulls, of control characters and of numbers that other readers cannot hold."""
    if isinstance(value, dict):
        return {strip_controls(key): without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value if item is not None]
    if isinstance(value, str):
        return strip_controls(value)
    return str(value) if _is_huge(value) else value


def _is_huge(value: object) -> bool:
    most = EXACT if isinstance(value, int) else LARGEST_KEPT
    return isinstance(value, int | float) and abs(value) > most
