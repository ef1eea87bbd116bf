"""What is offered, what is not offered again, and what the diagram itself says."""

from __future__ import annotations

import pytest

from tests.threatmodels.interchange.samples import SAMPLES, content, sound_reading
from tests.threatmodels.knowledge.scene import box, flow
from threatmodels.cells import label
from threatmodels.demo.loader import demo_document
from threatmodels.knowledge.engine import Known, suggestions
from threatmodels.knowledge.facts import DiagramFacts
from threatmodels.knowledge.hygiene import CHECKS, hygiene
from threatmodels.knowledge.packs import builtin_packs

STRIDE = builtin_packs()["stride"]
A, B, C, ZONE, INNER = (f"00000000-0000-4000-8000-00000000000{n}" for n in range(1, 6))
FLOW = "00000000-0000-4000-8000-0000000000f1"


def shop(**of_flow):
    return [
        box(ZONE, "trust_boundary", {"label": "Ours"}, (300, 0), (400, 300)),
        box(A, "external_entity", {"label": "Customer"}, (0, 50)),
        box(B, "process", {"label": "Shop", "is_web_application": True}, (350, 50)),
        flow(FLOW, A, B, {"label": "Order"}, **of_flow),
    ]


def ids(found):
    return [(one.rule_id, one.cell_id) for one in found]


def test_the_same_is_offered_in_the_same_order_each_time():
    cells = shop()
    first = ids(suggestions(cells, [STRIDE]))
    assert first
    assert ids(suggestions(cells, [STRIDE])) == first
    shuffled = cells[::-1]
    assert sorted(ids(suggestions(shuffled, [STRIDE]))) == sorted(first)


def test_nothing_is_offered_twice():
    for diagram in demo_document().diagrams:
        found = suggestions(diagram.cells, builtin_packs().values())
        assert len(set(ids(found))) == len(found)
        assert len({(one.cell_id, one.name.lower()) for one in found}) == len(found)


def test_titles_name_the_element_and_leave_no_gap():
    for diagram in demo_document().diagrams:
        for one in suggestions(diagram.cells, builtin_packs().values()):
            assert "{" not in one.name + one.description + one.mitigation
            assert len(one.name) <= 200


def test_what_was_decided_is_not_offered_again():
    found = suggestions(shop(), [STRIDE])
    rest = suggestions(shop(), [STRIDE], known=Known(rules={(found[0].rule_id, found[0].cell_id)}))
    assert ids(rest) == ids(found[1:])


def test_a_category_that_does_not_apply_is_not_offered():
    known = Known(categories={("spoofing", B)})
    found = suggestions(shop(), [STRIDE], known=known)
    assert found
    assert not [one for one in found if one.cell_id == B and one.category == "Spoofing"]


def test_a_weakness_that_a_threat_has_already_is_not_offered():
    known = Known(weaknesses={("tampering", "CWE-79", B)})
    before, after = (ids(suggestions(shop(), [STRIDE], known=k)) for k in (None, known))
    assert set(before) - set(after) == {("stride/script-in-page", B)}


def test_rules_that_are_off_are_silent():
    off = {"stride/script-in-page"}
    assert ("stride/script-in-page", B) not in ids(suggestions(shop(), [STRIDE], off=off))


def test_elements_out_of_scope_get_nothing():
    cells = shop()
    cells[2]["out_of_scope"] = True
    assert B not in {one.cell_id for one in suggestions(cells, [STRIDE])}


@pytest.mark.parametrize(
    "label", ["{element}{source}", "<script>alert(1)</script>", "a\nb", "🔥" * 300, "م" * 10_000]
)
def test_any_label_is_put_into_the_title_as_text(label):
    cells = shop()
    cells[2]["properties"]["label"] = label
    found = [one for one in suggestions(cells, [STRIDE]) if one.cell_id == B]
    assert found
    assert all(len(one.name) <= 200 and "\n" not in one.name for one in found)


def test_empty_and_strange_diagrams_give_nothing_and_do_not_fail():
    assert suggestions([], [STRIDE]) == []
    loose = [
        {
            "id": FLOW,
            "type": "data_flow",
            "properties": {},
            "source": {"x": 1, "y": 2},
            "target": {"x": 3, "y": 4},
        }
    ]
    assert suggestions(loose, builtin_packs().values()) == []


# -- boundaries


@pytest.mark.parametrize(
    ("inside", "crosses"), [((350, 50), True), ((10, 100), False)], ids=["inside", "outside"]
)
def test_a_flow_crosses_a_boundary_around_one_end(inside, crosses):
    cells = shop()
    cells[2]["position"] = {"x": inside[0], "y": inside[1]}
    assert DiagramFacts(cells).facts[FLOW]["crosses"] is crosses


def test_a_parent_counts_where_the_place_does_not_tell():
    cells = shop()
    cells[2] |= {"position": {"x": 5000, "y": 0}, "parent": ZONE}
    assert DiagramFacts(cells).facts[FLOW]["crosses"]


def test_a_flow_between_nested_zones_crosses_the_inner_one():
    cells = [*shop(), box(INNER, "trust_boundary", {"label": "Core"}, (340, 40), (150, 100))]
    cells.append(box(C, "process", {"label": "Edge"}, (550, 200)))
    cells.append(flow("00000000-0000-4000-8000-0000000000f2", C, B))
    facts = DiagramFacts(cells)
    assert facts.crossed(cells[-1]) == {INNER}
    assert facts.crossed(cells[3]) == {ZONE, INNER}


def beside_a_line(*line, bend=(), to=(350, 50)):
    """Customer on the left, shop on the right; the line's box lies over both, and the shop is put into it."""
    shape = {"label": "Internet", "line": [{"x": x, "y": y} for x, y in line]}
    cells = [*shop(vertices=[{"x": x, "y": y} for x, y in bend])]
    cells[0] = box(ZONE, "trust_boundary", shape, (-100, 0), (800, 300))
    cells[2] |= {"position": {"x": to[0], "y": to[1]}, "parent": ZONE}
    return cells


@pytest.mark.parametrize(
    ("cells", "crosses"),
    [
        (beside_a_line((0.4, 0), (0.4, 1)), True),
        (beside_a_line((0.4, 0), (0.5, 0.2), (0.4, 1)), True),
        (beside_a_line((0.2, 0.8), (0.8, 0.9)), False),
        (beside_a_line((0.4, 0.5), (0.4, 1)), False),
        (beside_a_line((0.4, 0.5), (0.4, 1), bend=[(220, 200)]), True),
        (beside_a_line((0.9, 0), (0.9, 1)), False),
        (beside_a_line((0.9, 80 / 300), (0.95, 80 / 300)), False),
    ],
    ids=["between", "bowed", "below", "short", "bent", "beyond", "further-along"],
)
def test_a_boundary_that_is_a_line_is_crossed_where_the_flow_meets_it(cells, crosses):
    facts = DiagramFacts(cells)
    assert facts.crossed(cells[3]) == ({ZONE} if crosses else set())
    assert facts.enclosing[B] == set()


@pytest.mark.parametrize(
    ("sample", "crossing"),
    [
        ("tm7/MTMT_simple_line_boundary.tm7.gz", {"API Request", "API Response"}),
        (
            "threat-dragon-v1/demo-threat-model.json",
            {"Web Request", "Web Response", "Put Message", "Message", "Queries", "Web App Query Results"}
            | {"Worker Queries", "Worker Query Results"},
        ),
    ],
)
def test_lines_of_other_tools_are_crossed(sample, crossing):
    diagram = sound_reading(content(SAMPLES / sample)).document.diagrams[0]
    facts = DiagramFacts(diagram.cells)
    assert {" ".join(label(flow).split()) for flow in facts.flows if facts.crossed(flow)} == crossing
    offered = {one.rule_id for one in suggestions(diagram.cells, [STRIDE])}
    assert offered & {"stride/flow-altered-on-the-way", "stride/flow-read-across-boundary"}


# -- hygiene


def findings(cells):
    return {(one.check, one.cell_id) for one in hygiene(cells)}


OUTWARD = {"source": {"cell": B}, "target": {"cell": A}, "bidirectional": False}
HYGIENE = {
    "flow-without-label": (lambda c: c[3]["properties"].update(label=" "), FLOW),
    "flow-without-end": (lambda c: c[3].update(target={"x": 1, "y": 1}), FLOW),
    "element-without-label": (lambda c: c[2]["properties"].update(label=""), B),
    "element-not-connected": (lambda c: c.append(box(C, "process", {"label": "Lonely"}, (400, 200))), C),
    "same-name": (lambda c: c.append(box(C, "process", {"label": "shop"}, (400, 200))), C),
    "store-never-written": (lambda c: c[2].update(type="datastore") or c[3].update(OUTWARD), B),
    "store-never-read": (lambda c: c[2].update(type="datastore") or c[3].update(bidirectional=False), B),
    "no-process-between": (lambda c: c[2].update(type="external_entity"), FLOW),
    "external-crosses-nothing": (lambda c: c[2].update(position={"x": 0, "y": 200}), FLOW),
    "boundary-empty": (lambda c: c[2].update(position={"x": 0, "y": 200}), ZONE),
    "process-without-input": (lambda c: c[3].update(OUTWARD), B),
    "process-without-output": (lambda c: c[3].update(bidirectional=False), B),
    "scope-without-reason": (lambda c: c[1].update(out_of_scope=True), A),
}


def test_every_check_is_tried():
    assert sorted(HYGIENE) == sorted(CHECKS)


@pytest.mark.parametrize("check", HYGIENE)
def test_finding_is_there_when_the_model_breaks_and_not_before(check):
    change, cell_id = HYGIENE[check]
    sound = shop(bidirectional=True)
    assert findings(sound) == set()
    change(sound)
    assert (check, cell_id) in findings(sound)
