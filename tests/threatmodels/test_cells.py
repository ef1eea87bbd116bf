"""The cell format: what is sound passes, what is wrong is named by its place."""

from __future__ import annotations

import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threatmodels.cells import CELL_TYPES, label, validate_cell, validate_cells

A, B, C = (str(uuid.UUID(int=n)) for n in (1, 2, 3))


def box(cell_id=A, kind="process", **more):
    geometry = {"position": {"x": 0, "y": 0}, "size": {"width": 100, "height": 60}}
    return {"id": cell_id, "type": kind, "properties": {"label": "x"}, **geometry, **more}


def flow(cell_id=C, source=None, target=None, **more):
    ends = {"source": source or {"cell": A}, "target": target or {"cell": B}}
    return {"id": cell_id, "type": "data_flow", "properties": {}, **ends, **more}


def test_a_sound_diagram_has_no_problems():
    cells = [
        box(A, "trust_boundary", size={"width": 500, "height": 400}),
        box(
            B,
            parent=A,
            z=3,
            style={"fill": "#abc", "stroke": "rebeccapurple", "stroke_width": 2, "dash": "4 2"},
            data_asset_ids=[C],
            out_of_scope=True,
            properties={"label": "Shop\nsecond line", "deep": {"list": [1, {"a": True}]}},
        ),
        flow(
            source={"cell": B, "port": "left"},
            target={"x": 1.5, "y": -2},
            vertices=[{"x": 1, "y": 2}],
            bidirectional=True,
        ),
    ]
    assert validate_cells(cells, asset_ids={C}) == []


def shortly(value):
    """The name of a case: the place of the problem; what is wrong there needs no name."""
    return value or "all" if isinstance(value, str) else "at"


def without(cell, name):
    return {key: value for key, value in cell.items() if key != name}


@pytest.mark.parametrize(
    ("cell", "pointer"),
    [
        ("text", ""),
        (None, ""),
        (without(box(), "id"), "/id"),
        (box("not-a-uuid"), "/id"),
        (box(A + "\n"), "/id"),
        (without(box(), "type"), "/type"),
        (box(kind="cloud"), "/type"),
        (without(box(), "properties"), "/properties"),
        (box(properties={"label": 3}), "/properties/label"),
        (box(properties={"a": None}), "/properties/a"),
        (box(properties={"a/b": [None]}), "/properties/a~1b/0"),
        (box(properties={"a": float("nan")}), "/properties/a"),
        (box(properties={"label": "nul\x00"}), "/properties/label"),
        (box(properties={"a": 2**70}), "/properties/a"),
        (box(properties={"a": object()}), "/properties/a"),
        (without(box(), "position"), "/position"),
        (box(position={"x": 0}), "/position/y"),
        (box(position={"x": 0, "y": "0"}), "/position/y"),
        (box(position={"x": 0, "y": float("inf")}), "/position/y"),
        (box(position={"x": 2e6, "y": 0}), "/position/x"),
        (box(position={"x": 10**400, "y": 0}), "/position/x"),
        (box(position={"x": float("nan"), "y": 0}), "/position/x"),
        (box(position={"x": True, "y": 0}), "/position/x"),
        (box(size={"width": 39, "height": 30}), "/size/width"),
        (box(size={"width": 40, "height": 29}), "/size/height"),
        (box(z=1.5), "/z"),
        (box(color="red"), "/color"),
        (box(source={"x": 0, "y": 0}), "/source"),
        (box(parent=None), "/parent"),
        (box(style={"fill": "url(#x)"}), "/style/fill"),
        (box(style={"fill": "#12345"}), "/style/fill"),
        (box(style={"fill": "#abc\n"}), "/style/fill"),
        (box(style={"stroke_width": -1}), "/style/stroke_width"),
        (box(style={"dash": "a"}), "/style/dash"),
        (box(style={"shadow": 1}), "/style/shadow"),
        (box(data_asset_ids=["x"]), "/data_asset_ids/0"),
        (box(out_of_scope="yes"), "/out_of_scope"),
        (box(properties={"a": "x" * 33_000}), ""),
        (flow(position={"x": 0, "y": 0}), "/position"),
        (without(flow(), "target"), "/target"),
        (flow(source={"cell": "x"}), "/source/cell"),
        (flow(source={"cell": A, "side": "left"}), "/source/side"),
        (flow(vertices=[{"x": 1}]), "/vertices/0/y"),
        (flow(bidirectional=1), "/bidirectional"),
    ],
    ids=shortly,
)
def test_what_is_wrong_with_a_cell_is_named(cell, pointer):
    problems = validate_cell(cell)
    assert [problem.pointer for problem in problems] == [pointer]
    assert problems[0].reason.endswith((".", "}"))


@pytest.mark.parametrize(
    ("cells", "pointer"),
    [
        ({}, ""),
        ([box(A), box(A)], "/1/id"),
        ([box(A[:-1] + "a"), box(A[:-1] + "A")], "/1/id"),
        ([box(A), flow()], "/1/target/cell"),
        ([box(A, parent=B)], "/0/parent"),
        ([box(A, parent=A)], "/0/parent"),
        ([box(A, parent=B), box(B, parent=A)], "/0/parent"),
        ([box(A, "text"), box(B, parent=A)], "/1/parent"),
        ([box(A, data_asset_ids=[B])], "/0/data_asset_ids/0"),
        ([box(A), box(B), flow(), flow(str(uuid.UUID(int=9)), source={"cell": C})], "/3/source/cell"),
    ],
    ids=shortly,
)
def test_what_cells_may_not_say_of_each_other_is_named(cells, pointer):
    assert [problem.pointer for problem in validate_cells(cells, asset_ids=set())] == [pointer]


@pytest.mark.parametrize("properties", [None, 3, [], {}, {"label": None}, {"label": ["x"]}], ids=str)
def test_a_cell_without_a_sound_label_has_an_empty_one(properties):
    assert label({"properties": properties}) == ""
    assert label(box(properties={"label": "Shop"})) == "Shop"


def test_nesting_is_bounded_without_recursion():
    deep: object = "x"
    for _ in range(100_000):
        deep = [deep]
    assert [p.pointer for p in validate_cell(box(properties={"a": deep}))] == ["/properties"]


def test_a_chain_of_ten_thousand_parents_is_sound():
    ids = [str(uuid.UUID(int=n)) for n in range(10_000)]
    cells = [box(ids[0])] + [box(cell_id, parent=ids[n]) for n, cell_id in enumerate(ids[1:])]
    started = time.process_time()
    assert validate_cells(cells) == []
    assert time.process_time() - started < 2
    assert validate_cells([*cells, box(str(uuid.uuid4()))])[0].reason.startswith("A diagram has at most")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
names = [
    "id",
    "type",
    "position",
    "size",
    "properties",
    "source",
    "target",
    "vertices",
    "style",
    "parent",
    "z",
]
cellish = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(names, json_values) | {"type": st.sampled_from(CELL_TYPES)}
)


@given(st.lists(cellish | json_values, max_size=4))
def test_any_value_is_judged_and_never_raises(cells):
    for problem in validate_cells(cells):
        assert problem.pointer == "" or problem.pointer.startswith("/")
        assert problem.reason
