"""The language of conditions: what it says, and that it says nothing else."""

from __future__ import annotations

import pytest

from threatmodels.knowledge.conditions import BadCondition, parse

NAMES = {"type": str, "crosses": bool, "inbound": int}
FACTS = {
    "type": "process",
    "crosses": True,
    "inbound": 2,
    "words": {"web", "shop"},
    "source": {"type": "datastore"},
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ("crosses", True),
        ("not crosses", False),
        ("crosses and inbound > 1", True),
        ("crosses and inbound > 2", False),
        ("inbound == 3 or type == 'process'", True),
        ("type in ['datastore', 'process']", True),
        ("type not in ['process']", False),
        ("source.type == 'datastore'", True),
        ("target.type == 'datastore'", False),
        ("target.crosses", False),
        ("mentions('SHOP', 'bank')", True),
        ("mentions('bank')", False),
        ("not (crosses and mentions('shop'))", False),
    ],
)
def test_condition_holds_or_does_not(text, holds):
    assert parse(text, facts=NAMES)(FACTS) is holds


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('id')",
        "type.__class__",
        "source.source.type",
        "().__class__",
        "lambda: 1",
        "[x for x in type]",
        "f'{type}'",
        "type[0] == 'p'",
        "inbound + 1 > 2",
        "inbound ** 9 == 1",
        "1 < inbound < 3",
        "crosses if crosses else crosses",
        "unknown_fact",
        "source.unknown",
        "mentions(type)",
        "mentions('a', key='b')",
        "other('a')",
        "inbound > 'two'",
        "type < 3",
        "inbound in 'abc'",
        "type in [type]",
        "(crosses := True)",
        "crosses;crosses",
        "1.5 > inbound",
        "b'x' == type",
        "not " * 120 + "crosses",
        "(" * 300 + "crosses" + ")" * 300,
        "crosses and " * 60 + "crosses",
        "and",
    ],
)
def test_everything_else_is_refused_when_it_is_read(text):
    if text.startswith("not "):
        assert parse(text, facts=NAMES)(FACTS) is True
        return
    with pytest.raises(BadCondition):
        parse(text, facts=NAMES)
