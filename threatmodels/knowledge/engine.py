"""Suggestions: which rules apply to a diagram and are not dealt with yet. Pure and deterministic."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from threatmodels.knowledge.facts import AssetFacts, Cell, DiagramFacts, name_of
from threatmodels.knowledge.packs import Pack, Rule

LONGEST_NAME = 60
LONGEST_TITLE = 200
SEVERITIES = ("critical", "high", "medium", "low", "informational")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A threat that a rule finds at an element. The pair of `rule_id` and `cell_id` names it for good."""

    rule_id: str
    cell_id: str
    cell_name: str
    cell_type: str
    name: str
    category: str
    description: str
    mitigation: str
    severity: str
    cwe_ids: list[str] = field(default_factory=list)
    capec_ids: list[str] = field(default_factory=list)
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What is already said about an element: rules that were decided, categories that do not apply, and the
    weaknesses and names of its threats."""

    rules: Collection[tuple[str, str]] = frozenset()
    categories: Collection[tuple[str, str]] = frozenset()
    weaknesses: Collection[tuple[str, str, str]] = frozenset()
    names: Collection[tuple[str, str]] = frozenset()


def rule_key(pack: Pack, rule: Rule) -> str:
    """The name of a rule across packs."""
    return f"{pack.key}/{rule.id}"


def suggestions(
    cells: Sequence[Cell],
    packs: Iterable[Pack],
    *,
    assets: Mapping[str, AssetFacts] | None = None,
    off: Collection[str] = frozenset(),
    known: Known | None = None,
) -> list[Suggestion]:
    """What applies to a diagram, by element in its order, the worst first.

    Elements out of scope get none. `off` are keys of rules that are switched off. Dealt with is a rule whose
    weakness (CWE) the element has a threat of the same category for, or whose name is there already.
    """
    known = known or Known()
    diagram = DiagramFacts(cells, assets)
    found: list[Suggestion] = []
    for cell_id in diagram.facts:
        if not diagram.cells[cell_id].get("out_of_scope"):
            found += _at(diagram, cell_id, list(packs), off, known)
    return found


def _at(
    diagram: DiagramFacts, cell_id: str, packs: Sequence[Pack], off: Collection[str], known: Known
) -> list[Suggestion]:
    found: dict[str, Suggestion] = {}
    for pack, rule in _applying(diagram, cell_id, packs, off):
        made = _suggestion(diagram, cell_id, pack, rule)
        if not _is_known(made, known):
            found.setdefault(made.name.lower(), made)
    return sorted(found.values(), key=lambda one: SEVERITIES.index(one.severity))


def _applying(
    diagram: DiagramFacts, cell_id: str, packs: Sequence[Pack], off: Collection[str]
) -> Iterator[tuple[Pack, Rule]]:
    facts = diagram.facts[cell_id]
    for pack in packs:
        for rule in pack.rules:
            if facts["type"] in rule.applies_to and rule_key(pack, rule) not in off and rule.condition(facts):
                yield pack, rule


def _is_known(made: Suggestion, known: Known) -> bool:
    return (
        (made.rule_id, made.cell_id) in known.rules
        or (made.category.lower(), made.cell_id) in known.categories
        or (made.name.lower(), made.cell_id) in known.names
        or any((made.category.lower(), cwe, made.cell_id) in known.weaknesses for cwe in made.cwe_ids)
    )


def _suggestion(diagram: DiagramFacts, cell_id: str, pack: Pack, rule: Rule) -> Suggestion:
    cell, names = diagram.cells[cell_id], _names(diagram, cell_id)
    return Suggestion(
        rule_id=rule_key(pack, rule),
        cell_id=cell_id,
        cell_name=name_of(cell, diagram.cells),
        cell_type=cell["type"],
        name=filled(rule.title, names)[:LONGEST_TITLE],
        category=rule.category,
        description=filled(rule.description, names)[:2000],
        mitigation=filled(rule.mitigation, names),
        severity=rule.severity,
        cwe_ids=rule.cwe_ids,
        capec_ids=[f"CAPEC-{number}" for number in rule.capec],
        reference=rule.reference or _reference(rule) or pack.reference,
    )


def _reference(rule: Rule) -> str:
    if rule.cwe:
        return f"https://cwe.mitre.org/data/definitions/{rule.cwe[0]}.html"
    return f"https://capec.mitre.org/data/definitions/{rule.capec[0]}.html" if rule.capec else ""


def _names(diagram: DiagramFacts, cell_id: str) -> dict[str, str]:
    cell = diagram.cells[cell_id]
    ends = diagram.ends(cell) if cell["type"] == "data_flow" else {}
    called = {end: name_of(diagram.cells[pk], diagram.cells) for end, pk in ends.items()}
    names = {
        "source": "the sender",
        "target": "the receiver",
        **called,
        "element": name_of(cell, diagram.cells),
    }
    short = {name: _short(text) for name, text in names.items()}
    # A flow is called after what flows: in quotes it reads as a name.
    return short | ({"element": f"“{short['element']}”"} if cell["type"] == "data_flow" else {})


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1].rstrip()}…"


def filled(text: str, names: Mapping[str, str]) -> str:
    """With the names of an element and of the ends of a flow for {element}, {source} and {target}."""
    parts = text.split("{")
    done = [parts[0]]
    for part in parts[1:]:
        name, closed, rest = part.partition("}")
        done.append(names[name] + rest if closed and name in names else "{" + part)
    return "".join(done)
