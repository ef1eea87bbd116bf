"""Pictures of diagrams: right shapes, right geometry, nothing but text where text was given."""

from __future__ import annotations

import math
import time
import uuid
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from threatmodels.pictures.geometry import Box, Point, edge_of_box, edge_of_ellipse
from threatmodels.pictures.svg import Badge, diagram_svg
from threatmodels.pictures.text import width, wrap

SVG = "{http://www.w3.org/2000/svg}"
A, B, C, D = (str(uuid.UUID(int=n)) for n in range(1, 5))


def box(cell_id, kind, x=0, y=0, wide=120, high=80, label="x", **more):
    position, size = {"x": x, "y": y}, {"width": wide, "height": high}
    return {
        "id": cell_id,
        "type": kind,
        "position": position,
        "size": size,
        "properties": {"label": label},
        **more,
    }


def flow(cell_id, source, target, label="", **more):
    ends = [{"cell": end} if isinstance(end, str) else end for end in (source, target)]
    return {
        "id": cell_id,
        "type": "data_flow",
        "source": ends[0],
        "target": ends[1],
        "properties": {"label": label},
        **more,
    }


def drawn(cells, **how):
    return ET.fromstring(diagram_svg(cells, **how))


def group(root, cell_id):
    return next(g for g in root.iter(f"{SVG}g") if g.get("data-cell") == cell_id)


def texts(root):
    return [element.text for element in root.iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("kind", "element", "count"),
    [
        ("process", "ellipse", 1),
        ("datastore", "path", 2),
        ("external_entity", "rect", 1),
        ("trust_boundary", "rect", 1),
    ],
)
def test_each_type_has_its_shape(kind, element, count):
    found = group(drawn([box(A, kind, label="Shop")]), A)
    assert len(found.findall(f"{SVG}{element}")) == count
    assert texts(found) == ["Shop"]
    assert found.find(f"{SVG}title").text == "Shop"


def test_text_has_no_outline_and_an_unknown_type_is_a_box():
    assert group(drawn([box(A, "text")]), A).find(f"{SVG}rect") is None
    assert group(drawn([box(A, "cloud")]), A).find(f"{SVG}rect") is not None


def test_a_boundary_is_dashed_and_behind_everything():
    root = drawn(
        [box(A, "process", z=-5), box(B, "trust_boundary", z=9), box(C, "trust_boundary", wide=900, high=900)]
    )
    assert [g.get("data-cell") for g in root.iter(f"{SVG}g")] == [C, B, A]
    assert group(root, B).find(f"{SVG}rect").get("stroke-dasharray")


def test_a_boundary_that_is_a_line_is_drawn_as_one():
    cell = box(A, "trust_boundary")
    cell["properties"]["line"] = [{"x": 0, "y": 0}, {"x": 1, "y": 0.5}, {"x": 0, "y": 1}]
    found = group(drawn([cell]), A)
    assert found.find(f"{SVG}rect") is None
    assert found.find(f"{SVG}path").get("d").startswith("M0 0C")


def test_what_is_out_of_scope_is_dashed():
    plain, outside = (
        group(drawn([box(A, "process")]), A),
        group(drawn([box(A, "process", out_of_scope=True)]), A),
    )
    assert plain.find(f"{SVG}ellipse").get("stroke-dasharray") is None
    assert outside.find(f"{SVG}ellipse").get("stroke-dasharray")


def test_style_is_honoured_and_rubbish_in_it_is_not():
    style = {"fill": "#abc", "stroke": "green", "stroke_width": 4, "dash": "2 2"}
    ellipse = group(drawn([box(A, "process", style=style)]), A).find(f"{SVG}ellipse")
    assert [ellipse.get(n) for n in ("fill", "stroke", "stroke-width", "stroke-dasharray")] == [
        "#abc",
        "green",
        "4",
        "2 2",
    ]
    bad = group(drawn([box(A, "process", style={"fill": "url(#x)", "dash": "x"})]), A).find(f"{SVG}ellipse")
    assert "url" not in str(bad.attrib)


def path_of(root, cell_id):
    return group(root, cell_id).find(f"{SVG}path").get("d")


def test_a_flow_ends_on_the_outline_of_its_shapes():
    root = drawn([box(A, "process"), box(B, "external_entity", x=300), flow(C, A, B)])
    assert path_of(root, C) == "M120 40L300 40"
    assert len(group(root, C).findall(f"{SVG}polygon")) == 1
    both = drawn([box(A, "process"), box(B, "external_entity", x=300), flow(C, A, B, bidirectional=True)])
    assert len(group(both, C).findall(f"{SVG}polygon")) == 2


def test_a_flow_takes_its_port_its_vertices_and_its_free_end():
    cells = [
        box(A, "process"),
        flow(C, {"cell": A, "port": "bottom"}, {"x": 60, "y": 300}, vertices=[{"x": 60, "y": 200}]),
    ]
    assert path_of(drawn(cells), C).startswith("M60 80")
    assert path_of(drawn(cells), C).endswith("L60 300")


def test_parallel_flows_and_loops_are_drawn_apart():
    root = drawn([box(A, "process"), box(B, "process", x=300), flow(C, A, B), flow(D, B, A)])
    assert path_of(root, C) != path_of(root, D)
    assert "L60 0" in path_of(drawn([box(A, "process"), flow(C, A, A)]), C)


@pytest.mark.parametrize(
    "label",
    ["<script>alert(1)</script>", "\u202eabc ]]> &amp;", "متجر", "📦" * 30, "x" * 10_000, "a\x00b\ud800"],
)
def test_any_label_is_text(label):
    root = drawn([box(A, "process", label=label), flow(C, A, {"x": 500, "y": 0}, label=label)], title=label)
    assert not [element for element in root.iter() if "script" in element.tag]
    assert all(width(text, 12) <= 150 for text in texts(root))


def test_a_badge_tells_number_and_severity_by_shape():
    root = drawn([box(A, "process")], badges={A: Badge(3, "high"), B: Badge(1, "low")})
    assert "3" in texts(root)
    assert root.findall(f"{SVG}polygon")
    assert "1" not in texts(root)


def test_the_picture_holds_everything_and_an_empty_diagram_is_a_picture():
    root = drawn([box(A, "process", x=-500, y=-20), flow(C, A, {"x": 900, "y": 700})])
    left, top, wide, high = map(float, root.get("viewBox").split())
    assert left < -500
    assert top < -20
    assert left + wide > 900
    assert top + high > 700
    assert float(drawn([]).get("width")) > 0


BROKEN = [
    None,
    3,
    {},
    {"id": A},
    {"id": A, "type": "process"},
    {"id": A, "type": "process", "position": {"x": "a", "y": 1}, "size": {}},
    flow(C, A, B),
    flow(C, {}, {"x": 1}),
    box(A, "process", wide=-1),
]


def test_broken_cells_are_left_out():
    assert list(drawn(BROKEN).iter(f"{SVG}g")) == []


coordinates = st.floats(-1e6, 1e6)
ids = st.sampled_from([A, B, C, D])


@st.composite
def any_cells(draw):
    kinds = st.sampled_from(
        ["process", "datastore", "external_entity", "trust_boundary", "text", "data_flow"]
    )
    ends = st.one_of(
        ids.map(lambda i: {"cell": i}), st.builds(lambda x, y: {"x": x, "y": y}, coordinates, coordinates)
    )
    cell = st.builds(
        lambda i, k, x, y, w, h, t, s, e, b: {
            **box(i, k, x, y, w, h, t),
            "source": s,
            "target": e,
            "bidirectional": b,
        },
        ids,
        kinds,
        coordinates,
        coordinates,
        st.floats(40, 5000),
        st.floats(30, 5000),
        st.text(max_size=60),
        ends,
        ends,
        st.booleans(),
    )
    return draw(st.lists(cell, max_size=6))


@settings(max_examples=60, deadline=None)
@given(any_cells(), st.text(max_size=30))
def test_any_cells_give_well_formed_svg(cells, title):
    drawn(cells, title=title, theme="dark")


@given(st.floats(-500, 500), st.floats(-500, 500))
def test_edges_lie_on_the_outline(x, y):
    shape = Box(0, 0, 100, 60)
    outside = Point(x, y)
    edge = edge_of_ellipse(shape, outside)
    inside = math.hypot((x - 50) / 50, (y - 30) / 30) <= 1
    if not inside:
        assert math.isclose(math.hypot((edge.x - 50) / 50, (edge.y - 30) / 30), 1, abs_tol=1e-6)
    corner = edge_of_box(shape, outside)
    assert -1e-6 <= corner.x <= 100 + 1e-6
    assert -1e-6 <= corner.y <= 60 + 1e-6


def test_words_wrap_and_what_is_too_long_is_shortened():
    assert wrap("one two three", 60, 3, 13) == ["one two", "three"]
    assert wrap("x" * 100, 60, 2, 13)[-1].endswith("…")
    assert wrap("a\nb", 60, 3, 13) == ["a", "b"]
    assert wrap("", 60, 3, 13) == []


def test_a_thousand_cells_are_drawn_in_half_a_second():
    many = [
        box(str(uuid.UUID(int=n)), "process", x=n % 40 * 160, y=n // 40 * 120, label=f"Process {n}")
        for n in range(500)
    ]
    many += [
        flow(str(uuid.UUID(int=1000 + n)), many[n]["id"], many[n + 1]["id"], label="data") for n in range(499)
    ]
    started = time.process_time()
    diagram_svg(many)
    assert time.process_time() - started < 1.5
