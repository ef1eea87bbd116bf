"""An operation that somebody asked for is carried out whole, or refused with a reason and without a trace."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.threatmodels.drawing import IDS, STRANGER, box, diagrams, flow, many, operations, picture
from threatmodels.cells import LARGEST_CELL, MOST_CELLS, validate_cells
from threatmodels.editing import carry_out, keeping_hidden, naming_assets
from threatmodels.operations import Rejected, State, add, patch, remove, update

A, B, C, D = IDS[:4]
ASSET, OTHER_ASSET = "0190a000-0000-7000-8000-000000000001", "0190a000-0000-7000-8000-000000000002"
REASONS = {"validation_failed", "conflict_detected", "no_state_change", "too_large"}


@many
@given(diagrams(), st.lists(operations, max_size=5))
@example([box(A), box(B)], [patch([remove(A), add(box(A)), update(A, {"z": "low"})])])
def test_whatever_is_asked_the_diagram_stays_sound_and_a_refusal_leaves_no_trace(cells, wanted):
    state = State(cells)
    for operation in wanted:
        before = picture(State(state.listed()))
        if refused := _refused(state, operation):
            assert refused.reason in REASONS
            assert refused.message
            assert picture(state) == before
        assert picture(state) == picture(State(state.listed()))
        assert validate_cells(state.listed()) == []


def _refused(state, operation):
    try:
        carry_out(state, operation)
    except Rejected as error:
        return error
    return None


def refusal(cells, *wanted, assets=None):
    state = State(cells)
    with pytest.raises(Rejected) as caught:
        carry_out(state, patch(wanted), assets=assets)
    assert picture(state) == picture(State(cells))
    error = caught.value
    return error.reason, error.cell_ids, [pointer for _cell, pointer, _said in error.at]


@pytest.mark.parametrize(
    ("step", "cell_id", "pointer"),
    [
        (add({**box(C), "id": A}) | {"id": C}, C, "/id"),
        (update(A, {"id": B}), A, "/id"),
        (update(A, {"id": None}), A, "/id"),
        ({"id": "no uuid", "operation": "remove", "data": None}, "no uuid", "/id"),
        (add(box(A.upper())), A.upper(), "/id"),
        (update(A, {"type": "cloud"}), A, "/type"),
        (update(A, {"size": {"width": 39}}), A, "/size/width"),
        (update(A, {"position": None}), A, "/position"),
        (update(A, {"shape": "round"}), A, "/shape"),
        (update(A, {"properties": {"list": [None]}}), A, "/properties/list/0"),
        (update(A, {"properties": {"label": "a\u0000"}}), A, "/properties/label"),
        (update(A, {"parent": A}), A, "/parent"),
        (update(A, {"parent": C}), A, "/parent"),
        (update(D, {"source": {"cell": D}}), D, "/source/cell"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_cell_that_breaks_the_rules_fails_validation_at_its_place(step, cell_id, pointer):
    cells = [box(A), box(B, parent=A), box(C, "text"), flow(D, A, B)]
    reason, ids, pointers = refusal(cells, step)
    assert (reason, ids, pointers[0]) == ("validation_failed", [cell_id], pointer)


def test_a_cell_in_a_circle_of_parents_is_refused():
    cells = [box(A), box(B, parent=A), box(C, parent=B)]
    assert refusal(cells, update(A, {"parent": C})) == ("validation_failed", [A], ["/parent"])


@pytest.mark.parametrize(
    ("step", "pointer"),
    [
        (add(flow(C, A, STRANGER)), "/target/cell"),
        (add(flow(C, STRANGER, A)), "/source/cell"),
        (add(box(C, parent=STRANGER)), "/parent"),
    ],
)
def test_a_reference_to_a_missing_cell_is_a_conflict(step, pointer):
    assert refusal([box(A)], step) == ("conflict_detected", [C], [pointer])


def test_references_are_checked_at_the_end_of_the_operation():
    state = State([box(A)])
    carry_out(state, patch([add(flow(C, A, B)), add(box(B, parent=D)), add(box(D))]))
    assert list(state.cells) == [A, C, B, D]


def test_a_cell_that_becomes_a_flow_must_have_no_flows_and_no_children():
    as_flow = {"type": "data_flow", "position": None, "size": None}
    as_flow |= {"source": {"x": 0, "y": 0}, "target": {"x": 9, "y": 9}}
    assert refusal([box(A), flow(C, A, A)], update(A, as_flow))[:2] == ("validation_failed", [C])
    assert refusal([box(A), box(B, parent=A)], update(A, as_flow))[:2] == ("validation_failed", [B])
    state = State([box(A)])
    carry_out(state, patch([update(A, as_flow)]))
    assert state.cells[A]["type"] == "data_flow"


def test_two_new_cells_cannot_share_an_id_in_different_letters():
    assert refusal([], add(box(A)), add(box(A.upper())))[0] == "validation_failed"


def test_one_wrong_step_refuses_all_of_them():
    assert refusal([box(A)], update(A, {"z": 3}), add(box(B)), update(C, {"z": 1}))[0] == "conflict_detected"


def test_a_cell_of_more_than_32_kib_is_too_large():
    just = "y" * (LARGEST_CELL - 400)
    carry_out(State([box(A)]), patch([update(A, {"properties": {"label": just}})]))
    more = update(A, {"properties": {"label": "y" * LARGEST_CELL}})
    assert refusal([box(A)], more)[:2] == ("too_large", [A])


def test_a_cell_that_grows_bit_by_bit_is_refused_when_it_is_too_large():
    state, half = State([box(A)]), "y" * (LARGEST_CELL // 2)
    carry_out(state, patch([update(A, {"properties": {"one": half}})]))
    with pytest.raises(Rejected) as caught:
        carry_out(state, patch([update(A, {"properties": {"two": half}})]))
    assert caught.value.reason == "too_large"
    assert set(state.cells[A]["properties"]) == {"label", "one"}


def test_a_cell_more_than_10_000_is_too_large_and_a_full_diagram_can_still_be_changed():
    ids = [f"00000000-0000-4000-8000-{number:012}" for number in range(MOST_CELLS)]
    state = State([box(cell_id) for cell_id in ids])
    with pytest.raises(Rejected) as caught:
        carry_out(state, patch([add(box(A))]))
    assert caught.value.reason == "too_large"
    assert A not in state.cells
    carry_out(state, patch([update(ids[0], {"z": 1})]))
    carry_out(state, patch([remove(ids[1]), add(box(A))]))
    assert len(state.cells) == MOST_CELLS


def test_a_cell_names_only_assets_of_its_model():
    naming = update(A, {"data_asset_ids": [ASSET]})
    assert refusal([box(A)], naming, assets=set()) == ("validation_failed", [A], ["/data_asset_ids/0"])
    state = State([box(A)])
    carry_out(state, patch([naming]), assets={ASSET})
    assert state.cells[A]["data_asset_ids"] == [ASSET]


def test_a_cell_keeps_an_asset_that_is_gone_until_it_is_taken_out():
    state = State([box(A, data_asset_ids=[ASSET])])
    carry_out(state, patch([update(A, {"data_asset_ids": [ASSET, OTHER_ASSET]})]), assets={OTHER_ASSET})
    assert state.cells[A]["data_asset_ids"] == [ASSET, OTHER_ASSET]


@pytest.mark.parametrize("given_ids", [None, []], ids=["taken away", "emptied"])
def test_who_does_not_see_a_deleted_asset_does_not_take_it_out(given_ids):
    state = State([box(A, data_asset_ids=[ASSET])])
    kept = keeping_hidden(patch([update(A, {"data_asset_ids": given_ids})]), state, {ASSET})
    assert kept["cells"] == [update(A, {"data_asset_ids": [ASSET]})]
    untouched = patch([update(A, {"z": 1})])
    assert keeping_hidden(untouched, state, {ASSET}) == untouched


@pytest.mark.parametrize(
    ("step", "names"),
    [
        (add(box(A, data_asset_ids=[ASSET])), True),
        (update(A, {"data_asset_ids": None}), True),
        (update(A, {"z": 1}), False),
        (remove(A), False),
    ],
)
def test_an_operation_that_names_assets_is_told_apart(step, names):
    assert naming_assets(patch([step])) is names


def test_an_operation_costs_its_own_size_and_not_the_diagrams():
    # Counted, not timed: the cells that are looked at are those that the operation concerns.
    class Counting(dict):
        reads = 0

        def __getitem__(self, key):
            Counting.reads += 1
            return super().__getitem__(key)

        def __iter__(self):
            Counting.reads += len(self)
            return super().__iter__()

        def values(self):
            Counting.reads += len(self)
            return super().values()

        def items(self):
            Counting.reads += len(self)
            return super().items()

    state = State([box(f"00000000-0000-4000-8000-{number:012}") for number in range(5000)])
    state.cells = Counting(state.cells)
    first, second = list(dict.keys(state.cells))[:2]
    Counting.reads = 0
    carry_out(state, patch([update(first, {"z": 1}), add(flow(A, first, second)), remove(second)]))
    assert 0 < Counting.reads < 50


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({"position": {"x": 1e300}}, "/position/x"),
        ({"properties": {"label": "a\0b"}}, "/properties/label"),
        ({"properties": {"label": "x" * 40_000}}, ""),
        ({"type": "cloud"}, "/type"),
    ],
)
def test_what_a_later_step_of_the_operation_puts_right_is_refused_all_the_same(data, pointer):
    right = {"type": "process", "position": {"x": 1}, "properties": {"label": "b"}}
    reason, cell_ids, pointers = refusal([box(A)], update(A, data), update(A, right))
    assert reason == ("too_large" if pointer == "" else "validation_failed")
    assert cell_ids == [A]
    assert pointer in pointers
