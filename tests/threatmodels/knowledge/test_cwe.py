"""The list of weaknesses."""

from __future__ import annotations

import pytest

from threatmodels.knowledge.cwe import search, weaknesses
from threatmodels.knowledge.packs import builtin_packs


def test_the_list_is_whole_and_in_order():
    numbers = list(weaknesses())
    assert len(numbers) > 900
    assert numbers == sorted(set(numbers))
    assert weaknesses()[79].name.startswith("Improper Neutralization of Input During Web Page Generation")


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("CWE-352", 352),
        ("79", 79),
        ("sql injection", 89),
        ("Cross-Site Request", 352),
        ("hard-coded cred", 798),
    ],
)
def test_weaknesses_are_found_by_number_and_by_words(words, number):
    assert number in [one.number for one in search(words)]


@pytest.mark.parametrize("words", ["", "   ", "nothing is called like this", "\x00"])
def test_what_fits_nothing_finds_nothing(words):
    assert search(words) == []


def test_a_page_of_them_is_enough():
    assert len(search("improper")) == 20


def test_rules_name_weaknesses_that_there_are():
    named = {(p.key, r.id, number) for p in builtin_packs().values() for r in p.rules for number in r.cwe}
    assert {one for one in named if one[2] not in weaknesses()} == set()
