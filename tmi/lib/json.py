"""JSON as the API writes and reads it."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

MOST_NESTED = 100


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


def encode(value: Any) -> bytes:
    """UTF-8 JSON; datetimes as `time_text` gives them, decimals as numbers, lazy text as text."""
    return orjson.dumps(value, default=_default, option=orjson.OPT_PASSTHROUGH_DATETIME)


class BadJson(ValueError):
    """The text is not JSON that the API takes; the message says why."""


def decode(data: bytes) -> Any:
    """The value of strict JSON: no duplicate keys, no NaN, bounded depth, UTF-8. Raises BadJson."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadJson(f"The body is not UTF-8 (byte {error.start}).") from None
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
    except RecursionError:
        raise BadJson("The body is nested too deeply.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadJson(f"The body is not JSON: {error.msg} at {where}.") from None
    _check_depth(value)
    return value


def pretty(value: Any) -> str:
    """JSON for people."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise BadJson(f"The key {twice[:100]!r} stands twice in one object.")
    return found


def _no_constant(name: str) -> Any:
    raise BadJson(f"{name} is not a JSON number.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BadJson("A number is too large.")
    return number


def _whole(text: str) -> int:
    if len(text) > 20:
        raise BadJson("A number is too large.")
    return int(text)


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MOST_NESTED + 1):
        level = [child for item in level for child in _children(item)]
        if not level:
            return
    raise BadJson("The body is nested too deeply.")


def _children(item: Any) -> list[Any]:
    inside = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
    return [child for child in inside if isinstance(child, dict | list)]
