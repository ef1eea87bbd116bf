"""The table of requirements says what the tests say."""

from __future__ import annotations

from tests.security import asvs


def test_the_page_is_current():
    """`python -m tests.security.asvs` writes it anew."""
    assert asvs.DOCUMENT.read_text(encoding="utf-8") == asvs.document()


def test_every_requirement_of_levels_1_and_2_is_listed_once():
    numbers = [one.number for one in asvs.requirements()]
    assert len(numbers) == len(set(numbers))
    assert [sum(one.level == level for one in asvs.requirements()) for level in (1, 2)] == [70, 183]


def test_every_marker_names_a_requirement_and_every_note_a_reason():
    known = {one.number: one for one in asvs.requirements()}
    assert set(asvs.proofs()) <= set(known)
    for one in known.values():
        assert not one.note or one.note.startswith(asvs.KINDS)
    contradictions = [number for number in asvs.proofs() if known[number].note]
    assert contradictions == []
