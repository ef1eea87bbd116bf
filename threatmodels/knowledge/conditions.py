"""The language of the conditions of rules: facts, and what may be said of them. Nothing is ever evaluated.

A condition is one expression: names of facts, numbers, text in quotes, `and`, `or`, `not`, comparisons
(`==`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `not in`), lists, `source.fact` and `target.fact` for the ends of a
flow, and `mentions("word", ...)`, which is true where name, technology or protocol has one of the words.
Everything else is refused when a condition is read, so that a rule that was taken in can always be asked.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Collection, Mapping
from typing import Any

Facts = Mapping[str, Any]
Condition = Callable[[Facts], bool]
_Value = Callable[[Facts], Any]

LONGEST = 500
ENDS = ("source", "target")
_COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, many: one in many,
    ast.NotIn: lambda one, many: one not in many,
}


class BadCondition(ValueError):
    """What is wrong with a condition, in a sentence."""


def parse(text: str, *, facts: Mapping[str, type]) -> Condition:
    """The condition as a function of the facts of an element.

    `facts` are the known names with their types. Raises BadCondition for all that is not in the language.
    """
    if len(text) > LONGEST:
        raise BadCondition(f"A condition has at most {LONGEST} characters.")
    try:
        tree = ast.parse(text.strip() or "True", mode="eval")
        value = _Reader(facts).value(tree.body)
    except (SyntaxError, MemoryError, RecursionError, ValueError) as error:
        if isinstance(error, BadCondition):
            raise
        raise BadCondition("This is no expression.") from None
    return lambda known: bool(value(known))


class _Reader:
    """Turns the nodes of the language into functions, and refuses all others."""

    def __init__(self, facts: Mapping[str, type]) -> None:
        self.facts = facts

    def value(self, node: ast.expr) -> _Value:
        reading: Mapping[type[ast.expr], Callable[[Any], _Value]] = {
            ast.BoolOp: self._bool,
            ast.UnaryOp: self._not,
            ast.Compare: self._compare,
            ast.Name: self._name,
            ast.Attribute: self._end,
            ast.Constant: self._constant,
            ast.List: self._list,
            ast.Call: self._mentions,
        }
        if type(node) not in reading:
            raise BadCondition(f"{type(node).__name__} is not part of the language.")
        return reading[type(node)](node)

    def _bool(self, node: ast.BoolOp) -> _Value:
        parts = [self.value(part) for part in node.values]
        if isinstance(node.op, ast.And):
            return lambda known: all(part(known) for part in parts)
        return lambda known: any(part(known) for part in parts)

    def _not(self, node: ast.UnaryOp) -> _Value:
        if not isinstance(node.op, ast.Not):
            raise BadCondition(f"{type(node.op).__name__} is not part of the language.")
        part = self.value(node.operand)
        return lambda known: not part(known)

    def _compare(self, node: ast.Compare) -> _Value:
        if len(node.ops) != 1 or type(node.ops[0]) not in _COMPARED:
            raise BadCondition("One comparison of two things at a time.")
        self._check_types(node)
        compare = _COMPARED[type(node.ops[0])]
        left, right = self.value(node.left), self.value(node.comparators[0])
        return lambda known: compare(left(known), right(known))

    def _check_types(self, node: ast.Compare) -> None:
        """What cannot be compared is refused here, so that no rule fails later."""
        left, right = self._type(node.left), self._type(node.comparators[0])
        if isinstance(node.ops[0], ast.In | ast.NotIn):
            inside = node.comparators[0]
            parts = {self._type(item) for item in inside.elts} if isinstance(inside, ast.List) else {None}
            if parts != {left}:
                raise BadCondition("`in` takes a list of things of the kind on its left.")
        elif left is not right or left is list or left is None:
            raise BadCondition("Both sides of a comparison must be of one kind: text, numbers or yes and no.")

    def _type(self, node: ast.expr) -> type | None:
        if isinstance(node, ast.Constant):
            return type(node.value)
        if isinstance(node, ast.Name):
            return self.facts.get(node.id)
        if isinstance(node, ast.Attribute):
            return self.facts.get(node.attr)
        return list if isinstance(node, ast.List) else None

    def _name(self, node: ast.Name) -> _Value:
        name = self._known(node.id)
        return lambda known: known[name]

    def _end(self, node: ast.Attribute) -> _Value:
        if not isinstance(node.value, ast.Name) or node.value.id not in ENDS:
            raise BadCondition("Only source and target have facts of their own.")
        end, name, kind = node.value.id, self._known(node.attr), self.facts[node.attr]
        return lambda known: known.get(end, {}).get(name, kind())

    def _known(self, name: str) -> str:
        if name not in self.facts:
            raise BadCondition(
                f"There is no fact called {name[:50]}. Known: {', '.join(sorted(self.facts))}."
            )
        return name

    def _constant(self, node: ast.Constant) -> _Value:
        if type(node.value) not in (str, int, bool):
            raise BadCondition("Text in quotes, whole numbers, True and False.")
        value = node.value
        return lambda _known: value

    def _list(self, node: ast.List) -> _Value:
        if not all(isinstance(item, ast.Constant) for item in node.elts):
            raise BadCondition("A list holds text and numbers.")
        items = [self._constant(item)({}) for item in node.elts if isinstance(item, ast.Constant)]
        return lambda _known: items

    def _mentions(self, node: ast.Call) -> _Value:
        if not isinstance(node.func, ast.Name) or node.func.id != "mentions" or node.keywords:
            raise BadCondition('The one function is mentions("word", ...).')
        wanted = frozenset(_word(one) for one in node.args)
        return lambda known: not wanted.isdisjoint(_words(known))


def _word(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.lower()
    raise BadCondition("mentions takes words in quotes.")


def _words(known: Facts) -> Collection[str]:
    found: Collection[str] = known.get("words", frozenset())
    return found
