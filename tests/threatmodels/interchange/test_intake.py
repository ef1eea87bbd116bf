"""Taking foreign values into our fields."""

from __future__ import annotations

import pytest

from threatmodels.choices import THREAT_TYPES
from threatmodels.interchange.categories import SPELLINGS
from threatmodels.interchange.geometry import Box, Point, box_around, fractions_of, points_of
from threatmodels.interchange.intake import Intake
from threatmodels.interchange.plain import number, snake_case
from threatmodels.interchange.report import ImportReport


def test_categories_are_those_that_the_pages_offer() -> None:
    offered = {framework.value: [name for name, _ in types] for framework, types in THREAT_TYPES.items()}
    assert {framework: list(names) for framework, names in SPELLINGS.items()} == offered


def test_no_framework_has_two_categories_of_one_spelling() -> None:
    for names in SPELLINGS.values():
        spellings = [spelling.casefold() for others in names.values() for spelling in others]
        assert len(set(spellings)) == len(spellings)


@pytest.fixture
def intake() -> Intake:
    return Intake(ImportReport("test"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("isALog", "is_a_log"),
        ("handlesCardPayment", "handles_card_payment"),
        ("threatTop", "threat_top"),
        ("Business Criticality!", "business_criticality"),
        ("x-y", "x-y"),
        ("日本", "unnamed"),
        ("", "unnamed"),
    ],
)
def test_key_becomes_snake_case(given: str, expected: str) -> None:
    assert snake_case(given) == expected


@pytest.mark.parametrize("given", [True, None, "", "x", "nan", "inf", 1e7, -1e7, 10**400, [], "1" * 31])
def test_what_is_no_coordinate_is_none(given: object) -> None:
    assert number(given) is None


def test_metadata_is_sound_whatever_comes(intake: Intake) -> None:
    entries = [
        ("Ünï köde", 1),
        ("a", " "),
        ("b", None),
        ("b", []),
        ("c", {"x": None}),
        ("d", False),
        ("d", "2"),
    ]
    found = intake.metadata(entries, element="model")
    assert found == {"n_k_de": "1", "c": "{}", "d": "false", "d_2": "2"}


def test_metadata_ends_after_a_hundred_entries(intake: Intake) -> None:
    found = intake.metadata(((f"k{i}", i) for i in range(150)), element="model")
    assert len(found) == 100
    assert [finding.element for finding in intake.report.left_out] == ["model"]


def test_long_metadata_is_cut_and_kept_whole(intake: Intake) -> None:
    found = intake.metadata([("k" * 200, "x" * 70_000)], element="model")
    [(key, value)] = found.items()
    assert (len(key) <= 128, len(value)) == (True, 65_535)
    assert intake.notes[0].content == "x" * 70_000


def test_text_longer_than_a_note_is_kept_in_parts(intake: Intake) -> None:
    intake.prose("x" * 600_000, element="model", field="description", limit=10)
    assert [len(note.content) for note in intake.notes] == [262_144, 262_144, 75_712]
    assert intake.notes[2].name == "Full text of the description of model (3 of 3)"


def test_what_is_no_text_is_left_out_with_a_finding(intake: Intake) -> None:
    assert intake.line(["a"], element="model", field="owner", limit=10) == ""
    assert [str(finding) for finding in intake.report.left_out] == ["model: Its owner is not text."]


def test_number_is_taken_as_text(intake: Intake) -> None:
    assert intake.line(7, element="model", field="owner", limit=10) == "7"


def test_points_come_back_from_their_fractions() -> None:
    points = [Point(12.5, -3), Point(400, 77.25), Point(99, 1)]
    box = box_around(points).grown()
    fractions = [Point(f["x"], f["y"]) for f in fractions_of(box, points)]
    back = points_of(box, fractions)
    assert [(p.x, p.y) for p in back] == [pytest.approx((p.x, p.y)) for p in points]


def test_box_that_is_large_enough_does_not_move() -> None:
    assert Box(1, 2, 40, 30).grown() == Box(1, 2, 40, 30)
    assert Box(0, 0, 20, 100).grown() == Box(-10, 0, 40, 100)
