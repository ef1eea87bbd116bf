"""YAML that strangers wrote: plain values only, aliases counted, and with one clear error."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
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
# Each value but the first follows one of these, or an alias repeats it.
BEFORE_VALUES = ("[", "{", ",", ":", *(f"{sign}{space}" for sign in "-?" for space in " \t\n\r"))


def load_yaml(text: str, limits: Limits) -> tuple[Any, bool]:
    """The value of the first document, as JSON could say it, and whether there are more; keys are text.

    Raises UnreadableFile for what is no YAML, for tags of other languages, and beyond the limits.
    """
    # An upper bound that costs nothing, for events are slow.
    if sum(map(text.count, BEFORE_VALUES)) > limits.max_values:
        raise _too_many(limits)
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


@dataclass(slots=True)
class Part:
    """A value, or a list or mapping while its items come. `weight` counts the values, `height` the levels of
    all that is in it; keys count for nothing."""

    anchor: str | None
    value: Any
    weight: int = 1
    height: int = 0
    has_keys: bool = False

    @property
    def awaits_key(self) -> bool:
        return self.has_keys and len(self.value) % 2 == 0


@dataclass(slots=True)
class Composer:
    """Builds values from events: a loop, not a recursion, so that depth and size can be watched."""

    limits: Limits
    _resolve: Callable[..., str] = field(default_factory=lambda: Resolver().resolve)
    _constructor: SafeConstructor = field(default_factory=SafeConstructor)
    _anchors: dict[str, Part] = field(default_factory=dict)
    _open: list[Part] = field(default_factory=list)
    _done: list[Any] = field(default_factory=list)
    # How many values there are so far; aliases repeat theirs.
    _count: int = 0

    def value_of(self, events: Iterator[yaml.Event]) -> tuple[Any, bool]:
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                weight = 0 if self._open and self._open[-1].awaits_key else 1
                self._counted(weight)
                self._put(Part(event.anchor, self._scalar(event), weight))
            elif isinstance(event, yaml.AliasEvent):
                self._put(self._alias(event))
            elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
                self._counted(1)
                self._begin(event)
            elif isinstance(event, yaml.SequenceEndEvent):
                self._put(self._open.pop())
            elif isinstance(event, yaml.MappingEndEvent):
                part = self._open.pop()
                part.value = _mapping(part.value)
                self._put(part)
            elif isinstance(event, yaml.DocumentEndEvent):
                break
        more = isinstance(next(events, None), yaml.DocumentStartEvent)
        return (self._done[0] if self._done else None), more

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        if event.tag is not None and event.tag not in {f"{TAG}map", f"{TAG}seq", "!"}:
            raise UnreadableFile(NOT_PLAIN)
        self._open.append(
            Part(event.anchor, [], height=1, has_keys=isinstance(event, yaml.MappingStartEvent))
        )
        if len(self._open) > self.limits.max_depth:
            raise self._too_deep()

    def _put(self, part: Part) -> None:
        if part.anchor is not None:
            self._anchors[part.anchor] = part
        if not self._open:
            self._done.append(part.value)
            return
        around = self._open[-1]
        around.value.append(part.value)
        around.weight += part.weight
        around.height = max(around.height, part.height + 1)
        if around.height > self.limits.max_depth:
            raise self._too_deep()

    def _alias(self, event: yaml.AliasEvent) -> Part:
        named = self._anchors.get(event.anchor or "")
        if named is None:
            raise UnreadableFile("The file refers to an anchor that it does not have.")
        weight = max(1, named.weight)
        self._counted(weight)
        return Part(None, named.value, weight, named.height)

    def _counted(self, more: int) -> None:
        self._count += more
        if self._count > self.limits.max_values:
            raise _too_many(self.limits)

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
        return UnreadableFile(f"The file is nested more than {self.limits.max_depth} levels deep.")


def _too_many(limits: Limits) -> UnreadableFile:
    return UnreadableFile(f"The file holds more than {limits.max_values} values.")


def _mapping(items: list[Any]) -> dict[str, Any]:
    pairs = list(zip(items[::2], items[1::2], strict=True))
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key == MERGE:
            for base in value if isinstance(value, list) else [value]:
                found |= base if isinstance(base, dict) else {}
    found |= {_key(key): value for key, value in pairs if key != MERGE}
    return found


def _key(key: Any) -> str:
    if isinstance(key, dict | list):
        raise UnreadableFile("The file has a list or a mapping as a key.")
    return "" if key is None else str(key)
