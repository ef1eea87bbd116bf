"""Places for what has none: nothing overlaps, everything is inside what holds it, whatever the links are."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from threatmodels.interchange.geometry import Box
from threatmodels.interchange.layout import Item, arrange, detours


def meet(one: Box, other: Box) -> bool:
    return one.x < other.right and other.x < one.right and one.y < other.bottom and other.y < one.bottom


def holds(outer: Box, inner: Box) -> bool:
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and inner.right <= outer.right
        and inner.bottom <= outer.bottom
    )


@st.composite
def drawings(draw: st.DrawFn) -> tuple[list[Item], list[tuple[str, str]]]:
    """Up to thirty items, each inside an earlier one or inside none, and links of any kind."""
    number = draw(st.integers(0, 30))
    items = [
        Item(
            str(n),
            draw(st.integers(40, 300)),
            draw(st.integers(30, 200)),
            draw(st.none() | st.integers(0, n - 1).map(str)) if n else None,
        )
        for n in range(number)
    ]
    names = st.integers(0, number + 2).map(str)
    return items, draw(st.lists(st.tuples(names, names), max_size=40))


@settings(max_examples=200, deadline=None)
@given(drawings())
def test_nothing_overlaps_and_everything_is_inside_what_holds_it(
    drawing: tuple[list[Item], list[tuple[str, str]]],
) -> None:
    items, links = drawing
    boxes = arrange(items, links)
    assert set(boxes) == {item.key for item in items}
    for item in items:
        box = boxes[item.key]
        assert box.x >= 0
        assert box.y >= 0
        assert box.width >= item.width
        assert box.height >= item.height
        if item.inside is not None:
            assert holds(boxes[item.inside], box)
    for one, other in combinations(items, 2):
        if one.inside == other.inside:
            assert not meet(boxes[one.key], boxes[other.key])
    assert arrange(items, links) == boxes


def test_flows_go_from_left_to_right() -> None:
    items = [Item(key, 100, 60) for key in "dcba"]
    boxes = arrange(items, [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")])
    assert boxes["a"].right < boxes["b"].x < boxes["c"].x < boxes["d"].x


def test_a_circle_is_arranged_too() -> None:
    items = [Item(key, 100, 60) for key in "abc"]
    boxes = arrange(items, [("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")])
    assert boxes["a"].x < boxes["b"].x < boxes["c"].x


def test_a_flow_bends_around_what_stands_in_its_way() -> None:
    boxes = {"a": Box(0, 0, 100, 60), "b": Box(300, 0, 100, 60), "c": Box(600, 0, 100, 60)}
    bends = detours(boxes, [("a", "c"), ("a", "b"), ("c", "a")])
    assert set(bends) == {0, 2}
    assert all(not (0 <= bend.y <= 60) for bend in bends.values())
    assert bends[0] != bends[2]
