"""XML that strangers wrote: no entities, nothing fetched, bounded, and with one clear error."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.limits import Limits

TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


class TooDeep(Exception):
    """The parser hands it through to `load_xml`."""


class Builder(TreeBuilder):
    """Builds the tree but for the elements that are not wanted, and not deeper than it may."""

    def __init__(self, most: int, without: frozenset[str]) -> None:
        super().__init__()
        self._most = most
        self._without = without
        self._depth = 0
        self._skipping = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._depth += 1
        if self._depth > self._most:
            raise TooDeep
        if self._skipping or local(tag) in self._without:
            self._skipping += 1
            return Element(tag)
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        if self._skipping:
            self._skipping -= 1
            return Element(tag)
        return super().end(tag)

    def data(self, data: str, /) -> None:
        if not self._skipping:
            super().data(data)


def load_xml(text: str, limits: Limits, *, without: frozenset[str] = frozenset()) -> Element:
    """The root of a document, without the elements of those names and all that is in them.

    Raises UnreadableFile for what is no XML, for entities of its own, and beyond the limits.
    """
    if values_in(text) > limits.max_values:
        raise too_many(limits)
    parser = DefusedXMLParser(
        target=Builder(limits.max_depth, without),
        forbid_dtd=False,
        forbid_entities=True,
        forbid_external=True,
    )
    try:
        parser.feed(text)
        root: Element = parser.close()
    except ParseError as error:
        line, column = error.position
        raise UnreadableFile(f"The file is not valid XML (at line {line}, column {column + 1}).") from error
    except DefusedXmlException as error:
        raise UnreadableFile("The file declares XML entities, which are not allowed.") from error
    except TooDeep:
        raise UnreadableFile(f"The file is nested more than {limits.max_depth} levels deep.") from None
    return root


def values_in(text: str) -> int:
    """An upper bound that costs nothing: each element and each attribute has one of these characters."""
    return text.count("<") + text.count("=")


def too_many(limits: Limits) -> UnreadableFile:
    return UnreadableFile(f"The file holds more than {limits.max_values} values.")


def local(tag: object) -> str:
    """The name of a tag without its namespace."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(parent: Element | None, name: str) -> Iterator[Element]:
    """The children of a name, whatever their namespace."""
    return (child for child in (() if parent is None else parent) if local(child.tag) == name)


def child(parent: Element | None, *path: str) -> Element | None:
    """The first descendant along a path of names."""
    for name in path:
        parent = next(children(parent, name), None)
    return parent


def text_of(parent: Element | None, *path: str) -> str:
    """The text of the first descendant along a path, "" for none."""
    found = child(parent, *path)
    return "" if found is None else found.text or ""
