"""YAML that strangers wrote: plain values only, aliases counted, and with one clear error."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import yaml
from yaml.constructor import ConstructorError, SafeConstructor
from yaml.resolver import Resolver

from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.limits import Limits

TAG = "tag:yaml.org,2002:"
NOT_PLAIN = "The file holds a value with a YAML tag, which is not allowed."
# Dates stay as they are written; so does everything that is no number, truth value or null.
KNOWN = {f"{TAG}{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")}
MERGE = "<<"


def load_yaml(text: str, limits: Limits) -> Any:
    """The value of the first document, as JSON could say it; keys are text.

    Raises UnreadableFile for what is no YAML, for tags of other languages, and beyond the limits.
    """
    try:
        return Composer(limits).value_of(
            yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        )
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" (at line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise UnreadableFile(f"The file is not valid YAML{where}.") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise UnreadableFile("The file is not valid YAML.") from error


class Composer:
    """Builds values from events: a loop, not a recursion, so that depth and size can be watched."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._resolve: Callable[..., str] = Resolver().resolve
        self._constructor = SafeConstructor()
        self._anchors: dict[str, Any] = {}
        # How many values each container holds, all that is below it included; aliases repeat them.
        self._weights: dict[int, int] = {}
        self._heights: dict[int, int] = {}
        # Kept alive, for their ids are keys above.
        self._weighed_ones: list[Any] = []
        self._open: list[tuple[str | None, list[Any]]] = []
        self._done: list[Any] = []

    def value_of(self, events: Iterator[yaml.Event]) -> Any:
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                self._put(event.anchor, self._scalar(event))
            elif isinstance(event, yaml.AliasEvent):
                self._put(None, self._alias(event))
            elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
                self._begin(event)
            elif isinstance(event, yaml.SequenceEndEvent):
                anchor, items = self._open.pop()
                self._put(anchor, self._weighed(items, items))
            elif isinstance(event, yaml.MappingEndEvent):
                anchor, items = self._open.pop()
                self._put(anchor, self._mapping(items))
            elif isinstance(event, yaml.DocumentEndEvent):
                break
        return self._done[0] if self._done else None

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        if event.tag is not None and event.tag not in {f"{TAG}map", f"{TAG}seq", "!"}:
            raise UnreadableFile(NOT_PLAIN)
        self._open.append((event.anchor, []))
        if len(self._open) > self._limits.max_depth:
            raise self._too_deep()

    def _put(self, anchor: str | None, value: Any) -> None:
        if anchor is not None:
            self._anchors[anchor] = value
        (self._open[-1][1] if self._open else self._done).append(value)

    def _alias(self, event: yaml.AliasEvent) -> Any:
        if event.anchor not in self._anchors:
            raise UnreadableFile("The file refers to an anchor that it does not have.")
        return self._anchors[event.anchor]

    def _mapping(self, items: list[Any]) -> dict[str, Any]:
        pairs = list(zip(items[::2], items[1::2], strict=True))
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key == MERGE:
                for base in value if isinstance(value, list) else [value]:
                    found |= base if isinstance(base, dict) else {}
        found |= {_key(key): value for key, value in pairs if key != MERGE}
        self._weighed(found, list(found.values()))
        return found

    def _weighed(self, container: Any, items: list[Any]) -> Any:
        weight = 1 + sum(self._weights.get(id(item), 1) for item in items)
        height = 1 + max((self._heights.get(id(item), 0) for item in items), default=0)
        if weight > self._limits.max_values:
            raise UnreadableFile(f"The file holds more than {self._limits.max_values} values.")
        if height > self._limits.max_depth:
            raise self._too_deep()
        self._weights[id(container)], self._heights[id(container)] = weight, height
        self._weighed_ones.append(container)
        return container

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        tag = event.tag
        if tag in {None, "!"}:
            plain = event.implicit[0] and tag is None
            tag = self._resolve(yaml.ScalarNode, event.value, (plain, not plain))
        if tag not in KNOWN:
            raise UnreadableFile(NOT_PLAIN)
        if tag in {f"{TAG}{name}" for name in ("int", "float", "bool", "null")}:
            return self._plain(tag, event)
        return event.value

    def _plain(self, tag: str, event: yaml.ScalarEvent) -> Any:
        node = yaml.ScalarNode(tag, event.value)
        try:
            value = self._constructor.construct_object(node)
        except (ValueError, LookupError, TypeError, ConstructorError) as error:
            raise UnreadableFile("The file holds a number that cannot be read.") from error
        self._constructor.constructed_objects.clear()
        if isinstance(value, float) and not math.isfinite(value):
            raise UnreadableFile(f"The file holds {event.value}, which is not a number.")
        return value

    def _too_deep(self) -> UnreadableFile:
        return UnreadableFile(f"The file is nested more than {self._limits.max_depth} levels deep.")


def _key(key: Any) -> str:
    if isinstance(key, dict | list):
        raise UnreadableFile("The file has a list or a mapping as a key.")
    return "" if key is None else str(key)
