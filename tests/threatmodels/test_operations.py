"""What operations do to cells, and what takes them back: for any diagram and any operations."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.threatmodels.drawing import IDS, STRANGER, box, diagrams, flow, operations, picture, some
from threatmodels.cells import validate_cells
from threatmodels.editing import carry_out
from threatmodels.operations import (
    Rejected,
    State,
    add,
    by_id,
    difference,
    merge,
    patch,
    remove,
    replacing,
    replay,
    same,
    update,
)

A, B, C, D, E = IDS[:5]


def accepted(state, wanted):
    """What was applied of those operations that the rules of cells allow."""
    done = []
    for operation in wanted:
        try:
            done.append(carry_out(state, operation))
        except Rejected:
            continue
    return done


# -- for any diagram


@some
@given(diagrams())
def test_the_diagrams_of_these_tests_are_sound(cells):
    assert validate_cells(cells) == []


@some
@given(diagrams(), operations)
def test_an_operation_and_then_its_inverse_is_nothing(cells, operation):
    state = State(cells)
    for applied in accepted(state, [operation]):
        state.apply(applied.inverse)
    assert same(by_id(state.listed()), by_id(cells))


@some
@given(diagrams(), operations)
def test_an_inverse_and_then_its_inverse_is_the_operation(cells, operation):
    state = State(cells)
    for applied in accepted(state, [operation]):
        after = by_id(state.listed())
        back = state.apply(applied.inverse)
        state.apply(back.inverse)
        assert same(by_id(state.listed()), after)


@some
@given(diagrams(), st.lists(operations, max_size=5))
@example([box(A), box(B)], [patch([remove(A), add(box(A, z=1))])])
def test_operations_taken_back_in_reverse_leave_cells_order_and_references_as_they_were(cells, wanted):
    state = State(cells)
    for applied in reversed(accepted(state, wanted)):
        state.take_back(applied)
    assert picture(state) == picture(State(cells))


@some
@given(diagrams(), operations)
@example([box(A), box(B)], patch([remove(A), add(box(A, z=1))]))
def test_a_refused_operation_leaves_cells_order_and_references_as_they_were(cells, operation):
    state = State(cells)
    broken = patch([*operation["cells"], update(STRANGER, {"z": 1})])
    with pytest.raises(Rejected):
        carry_out(state, broken)
    assert picture(state) == picture(State(cells))


@some
@given(diagrams(), st.lists(operations, max_size=6))
def test_a_state_is_always_like_one_that_is_built_anew_from_its_cells(cells, wanted):
    state = State(cells)
    for operation in wanted:
        accepted(state, [operation])
        assert picture(state) == picture(State(state.listed()))


@some
@given(diagrams(), st.lists(operations, max_size=6), st.data())
def test_a_checkpoint_and_the_operations_after_it_are_the_diagram(cells, wanted, data):
    state = State(cells)
    checkpoints, log = [state.listed()], []
    for operation in wanted:
        for applied in accepted(state, [operation]):
            log.append(json.loads(json.dumps(applied.operation)))
            checkpoints.append(state.listed())
    at = data.draw(st.integers(0, len(log)))
    assert replay(checkpoints[at], log[at:]) == state.listed()


@some
@given(diagrams(), st.lists(operations, max_size=6), st.data())
def test_inverses_lead_back_to_every_earlier_diagram(cells, wanted, data):
    state = State(cells)
    before, log = [by_id(state.listed())], []
    for operation in wanted:
        for applied in accepted(state, [operation]):
            log.append(applied.inverse)
            before.append(by_id(state.listed()))
    at = data.draw(st.integers(0, len(log)))
    assert same(by_id(replay(state.listed(), reversed(log[at:]))), before[at])


@some
@given(diagrams(), st.lists(st.tuples(st.integers(0, 2), operations), max_size=9), st.data())
def test_any_interleaving_of_several_authors_converges_for_everybody(cells, written, data):
    # The server takes them in one order; it sends what it applied; each replica lags as it likes.
    server = State(cells)
    log = [applied.operation for applied in accepted(server, [operation for _author, operation in written])]
    replicas = [State(copy.deepcopy(cells)) for _ in range(3)]
    reached = [0, 0, 0]
    while any(at < len(log) for at in reached):
        behind = [index for index, at in enumerate(reached) if at < len(log)]
        one = data.draw(st.sampled_from(behind))
        replicas[one].apply(log[reached[one]])
        reached[one] += 1
    for replica in replicas:
        assert picture(replica) == picture(server)


@some
@given(diagrams(), operations)
def test_what_was_applied_has_no_step_without_effect(cells, operation):
    state = State(cells)
    for applied in accepted(State(cells), [operation]):
        for step in applied.operation["cells"]:
            assert state.apply(patch([step])).operation["cells"] == [step]


@some
@given(diagrams(), operations)
def test_the_cells_that_were_handed_in_are_never_changed(cells, operation):
    kept_cells, kept_operation = copy.deepcopy(cells), copy.deepcopy(operation)
    accepted(State(cells), [operation])
    assert (cells, operation) == (kept_cells, kept_operation)


@some
@given(diagrams(), diagrams())
def test_replacing_turns_any_diagram_into_any_other(old, new):
    wanted = replacing(by_id(old), by_id(new))
    state = State(old)
    if wanted["cells"]:
        state.apply(wanted)
    assert same(by_id(state.listed()), by_id(new))


@some
@given(diagrams(), diagrams())
def test_a_difference_merged_into_the_old_cell_is_the_new_cell(old, new):
    for one, other in zip(old, new, strict=False):
        assert same(merge(one, difference(one, other)), other)
        assert difference(one, one) == {}


# -- JSON Merge Patch


@pytest.mark.parametrize(
    ("target", "merge_patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_the_examples_of_rfc_7396_hold(target, merge_patch, result):
    assert merge(target, merge_patch) == result


def test_the_example_of_a_document_in_rfc_7396_holds():
    document = {
        "title": "Goodbye!",
        "author": {"givenName": "John", "familyName": "Doe"},
        "tags": ["example", "sample"],
        "content": "This will be unchanged",
    }
    merge_patch = {
        "title": "Hello!",
        "phoneNumber": "+01-123-456-7890",
        "author": {"familyName": None},
        "tags": ["example"],
    }
    assert merge(document, merge_patch) == {
        "title": "Hello!",
        "author": {"givenName": "John"},
        "tags": ["example"],
        "content": "This will be unchanged",
        "phoneNumber": "+01-123-456-7890",
    }


def test_true_is_not_one():
    state = State([box(A, properties={"k": 1})])
    applied = state.apply(patch([update(A, {"properties": {"k": True}})]))
    assert applied.operation["cells"] == [update(A, {"properties": {"k": True}})]
    assert state.cells[A]["properties"]["k"] is True


def test_two_people_who_change_different_properties_of_a_cell_both_win():
    state = State([box(A)])
    state.apply(patch([update(A, {"position": {"x": 5}})]))
    state.apply(patch([update(A, {"position": {"y": 7}, "properties": {"label": "Till"}})]))
    assert state.cells[A] == box(A, position={"x": 5, "y": 7}, properties={"label": "Till"})


def test_on_one_property_the_later_operation_wins():
    state = State([box(A)])
    for label in ("first", "second"):
        state.apply(patch([update(A, {"properties": {"label": label}})]))
    assert state.cells[A]["properties"] == {"label": "second"}


# -- refusals


def refusal(cells, *wanted):
    state = State(cells)
    with pytest.raises(Rejected) as caught:
        state.apply(patch(wanted))
    assert picture(state) == picture(State(cells))
    return caught.value.reason, caught.value.cell_ids


def test_updating_a_cell_that_is_gone_is_a_conflict():
    assert refusal([box(A)], update(B, {"z": 1})) == ("conflict_detected", [B])


def test_adding_an_id_that_exists_with_other_content_is_a_conflict():
    assert refusal([box(A)], add(box(A, z=4))) == ("conflict_detected", [A])


@pytest.mark.parametrize(
    "step",
    [add(box(A)), update(A, {"z": None}), update(A, {}), remove(B), update(A, {"position": {"x": 0.0}})],
)
def test_what_changes_nothing_is_refused_as_no_state_change(step):
    assert refusal([box(A)], step) == ("no_state_change", [])


@pytest.mark.parametrize(
    "wanted",
    [
        [add(box(C)), remove(C)],
        [update(A, {"z": 1}), update(A, {"z": None})],
        [remove(B), add(box(B, parent=A))],
        [remove(A), add(box(A)), update(B, {"parent": A})],
    ],
    ids=str,
)
def test_steps_that_cancel_each_other_are_no_state_change_and_leave_the_order(wanted):
    assert refusal([box(A), box(B, parent=A)], *wanted)[0] == "no_state_change"


# -- removal


def test_removing_a_cell_removes_its_flows_and_takes_its_children_out_of_it_in_the_same_operation():
    cells = [
        box(A, "trust_boundary"),
        box(B, parent=A),
        flow(C, A, B),
        flow(D, B, {"x": 1, "y": 2}),
        flow(E, A, A),
    ]
    state = State(cells)
    applied = state.apply(patch([remove(A)]))
    assert sorted(applied.operation["cells"], key=lambda step: step["id"]) == [
        remove(A),
        update(B, {"parent": None}),
        remove(C),
        remove(E),
    ]
    assert state.listed() == [box(B), cells[3]]


def test_what_is_inside_a_removed_cells_child_stays_inside_it():
    state = State([box(A), box(B, parent=A), box(C, parent=B)])
    state.apply(patch([remove(A)]))
    assert state.listed() == [box(B), box(C, parent=B)]


def test_a_removed_flow_takes_nothing_with_it():
    state = State([box(A), box(B), flow(C, A, B)])
    assert state.apply(patch([remove(C)])).operation["cells"] == [remove(C)]
    assert state.listed() == [box(A), box(B)]


def test_the_inverse_of_a_removal_brings_flows_and_parents_back():
    cells = [box(A), box(B, parent=A), flow(C, A, B)]
    state = State(cells)
    state.apply(state.apply(patch([remove(A)])).inverse)
    assert by_id(state.listed()) == by_id(cells)


def test_an_update_keeps_the_place_of_a_cell_and_an_added_cell_comes_last():
    state = State([box(A), box(B)])
    state.apply(patch([update(A, {"z": 1}), add(box(C))]))
    assert [cell["id"] for cell in state.listed()] == [A, B, C]
