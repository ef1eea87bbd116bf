"""Symbolic names: those of the file that something came from, else made from what it is called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from threatmodels.interchange.document import Document
from threatmodels.interchange.plain import mapping
from threatmodels.interchange.tm_bom_words import NAME, symbolic

Item = tuple[str, object, object]


class Names:
    """The name of each cell, asset and threat by its id or key; names are unique within their kind."""

    def __init__(self, document: Document, own: str, prefix: str) -> None:
        self.cells: dict[str, str] = {}
        by_kind: dict[str, list[list[Item]]] = defaultdict(list)
        for diagram in document.diagrams:
            items: dict[str, list[Item]] = defaultdict(list)
            for cell in diagram.cells:
                given = mapping(cell["properties"].get(own)).get("id")
                items[cell["type"]].append((cell["id"], given, cell["properties"].get("label")))
            for kind, found in items.items():
                by_kind[kind].append(found)
        for groups in by_kind.values():
            self.cells |= named(groups)
        self.assets = named([[(a.key, a.metadata.get(f"{prefix}id"), a.name) for a in document.assets]])
        self.threats = named([[(t.key, t.metadata.get(f"{prefix}id"), t.name) for t in document.threats]])


def named(groups: Iterable[list[Item]]) -> dict[str, str]:
    """A name for each item (key, given name, label). The same given name in two groups is the same thing."""
    found: dict[str, str] = {}
    unnamed: list[Item] = []
    for group in groups:
        taken: set[str] = set()
        for key, given, label in group:
            if isinstance(given, str) and NAME.fullmatch(given) and given not in taken:
                taken.add(given)
                found[key] = given
            else:
                unnamed.append((key, given, label))
    used = set(found.values())
    for key, _given, label in unnamed:
        base = symbolic(label) if isinstance(label, str) else ""
        name, number = base or symbolic(key) or "unnamed", 1
        while name in used:
            number += 1
            name = f"{base or 'unnamed'}-{number}"
        used.add(name)
        found[key] = name
    return found
