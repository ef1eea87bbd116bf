"""JSON as the API writes and reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import orjson

MOST_NESTED = 100
LARGEST = 2**63
TOO_LARGE = "A number is too large."
NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


# The keys and positions that lead to a value.
Place = tuple[str, ...]


def time_text(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _default(value: Any) -> Any:
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, Decimal):
        return float(value)
    if hasattr(value, "__str__") and not isinstance(value, bytes):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def encode(value: Any, *, in_order: bool = False) -> bytes:
    """UTF-8 JSON; datetimes as `time_text` gives them, decimals as numbers, lazy text as text.

    `in_order` sorts the keys, whose order means nothing and is not what PostgreSQL keeps.
    """
    ordered = orjson.OPT_SORT_KEYS if in_order else 0
    return orjson.dumps(value, default=_default, option=orjson.OPT_PASSTHROUGH_DATETIME | ordered)


def read_back(value: Any) -> Any:
    """What a reader makes of the answer `value`; ours is not read strictly, nor refused for its depth."""
    return orjson.loads(encode(value))


class BadJson(ValueError):
    """The text is not JSON that the API takes; the message says why, `field` where, if it is at one place."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def decode(data: bytes) -> Any:
    """The value of strict JSON: no duplicate keys, no NaN, bounded depth, UTF-8. Raises BadJson."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadJson(f"The body is not UTF-8 (byte {error.start}).") from None
    odd: list[Odd] = []
    try:
        value = json.loads(
            text,
            object_pairs_hook=partial(_unique, odd),
            parse_constant=partial(_no_constant, odd),
            parse_float=partial(_finite, odd),
            parse_int=partial(_whole, odd),
        )
    except RecursionError:
        raise BadJson("The body is nested too deeply.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadJson(f"The body is not JSON: {error.msg} at {where}.") from None
    if nested_deeper(value, MOST_NESTED + 1):
        raise BadJson("The body is nested too deeply.")
    if odd:
        _refuse_odd(value)
    if "\\u" in text:
        _check_text(value)
    return value


def pretty(value: Any) -> str:
    """JSON for people."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def nested_deeper(value: Any, most: int) -> bool:
    """Whether lists and objects lie inside each other more than `most` levels deep."""
    level = [value]
    for _ in range(most):
        level = [child for item in level for child in _children(item)]
        if not level:
            return False
    return True


class Odd:
    """Stands for a value that is refused until all is read, and it is known where it was."""

    def __init__(self, among: list[Odd], reason: str, *keys: str) -> None:
        self.reason = reason
        self.keys = keys
        among.append(self)


def _unique(odd: list[Odd], pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        return Odd(odd, f"The key {twice[:100]!r} stands twice in one object.", twice[:100])
    return found


def _no_constant(odd: list[Odd], name: str) -> Any:
    return Odd(odd, f"{name} is not a JSON number.")


def _finite(odd: list[Odd], text: str) -> Any:
    number = float(text)
    # PostgreSQL gives a large number back as a whole one, however it was written.
    return number if abs(number) < LARGEST else Odd(odd, TOO_LARGE)


def _whole(odd: list[Odd], text: str) -> Any:
    return int(text) if len(text) <= 20 and abs(int(text)) < LARGEST else Odd(odd, TOO_LARGE)


def _refuse_odd(value: Any) -> None:
    for item, at in _places(value):
        if isinstance(item, Odd):
            raise BadJson(item.reason, _field((*at, *item.keys)))


def _check_text(value: Any) -> None:
    """Refuses what neither UTF-8 nor the database holds: NUL, and halves of surrogate pairs."""
    for item, at in _places(value):
        texts = [item] if isinstance(item, str) else item if isinstance(item, dict) else []
        if any(NOT_TEXT.search(text) for text in texts):
            raise BadJson("NUL and unpaired surrogates are not allowed.", _field(at))


def _places(value: Any) -> Iterator[tuple[Any, Place]]:
    """Everything in a value and where it is, level by level."""
    level: list[tuple[Any, Place]] = [(value, ())]
    while level:
        yield from level
        level = [(child, (*at, str(key))) for item, at in level for key, child in _parts(item)]


def _field(at: Place) -> str:
    """The name of a field, or a JSON Pointer where it is deeper."""
    return at[0] if len(at) == 1 else "".join(f"/{part}" for part in at)


def _parts(item: Any) -> Iterable[tuple[Any, Any]]:
    """What an object or a list holds, by key or position."""
    if isinstance(item, dict):
        return item.items()
    return enumerate(item) if isinstance(item, list) else ()


def _children(item: Any) -> list[Any]:
    inside = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
    return [child for child in inside if isinstance(child, dict | list)]
