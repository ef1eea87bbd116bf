"""JSON that strangers wrote: bounded, finite, and with one clear error."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.limits import Limits


def load_json(text: str, limits: Limits) -> tuple[Any, list[str]]:
    """The value, and the keys that one object has twice; of those the last counts, as in JavaScript.

    Raises UnreadableFile for what is no JSON, for NaN and infinities, and beyond the limits.
    """
    _refuse_many_values(text, limits)
    twice: list[str] = []
    value = _parse(text, twice)
    _refuse_deep_nesting(value, limits)
    return value, twice


def _refuse_many_values(text: str, limits: Limits) -> None:
    # An upper bound that costs nothing: each value but the first follows one of these characters.
    if sum(map(text.count, "{[,")) > limits.max_values:
        raise UnreadableFile(f"The file holds more than {limits.max_values} values.")


def _parse(text: str, twice: list[str]) -> Any:
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) < len(items):
            times = Counter(key for key, _ in items)
            twice.extend(key for key in found if times[key] > 1)
        return found

    try:
        return json.loads(
            text, object_pairs_hook=pairs, parse_float=_finite, parse_constant=_refuse_constant, strict=False
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UnreadableFile(f"The file is not valid JSON (at {where}).") from error
    except RecursionError as error:
        raise UnreadableFile("The file is nested too deeply.") from error
    except ValueError as error:  # an integer of thousands of digits
        raise UnreadableFile("The file holds a number that is too long.") from error


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise UnreadableFile("The file holds a number that is too large.")
    return number


def _refuse_constant(text: str) -> None:
    raise UnreadableFile(f"The file holds {text}, which is not a number in JSON.")


def _refuse_deep_nesting(value: Any, limits: Limits) -> None:
    level = _containers([value])
    for _ in range(limits.max_depth):
        level = _containers(child for parent in level for child in _children(parent))
        if not level:
            return
    raise UnreadableFile(f"The file is nested more than {limits.max_depth} levels deep.")


def _containers(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, dict | list)]


def _children(container: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container
