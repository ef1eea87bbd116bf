"""The log of a diagram: many operations in one commit, repetition, copies that lag, undo and redo."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext

from collaboration import log
from collaboration.log import Repeated, Submission
from tests.threatmodels.drawing import IDS, box, flow
from threatmodels.actions.diagram import create_diagram
from threatmodels.actions.operation import change_cell, revert_to, write_cells
from threatmodels.actions.record import create_record, delete_record
from threatmodels.models import Asset, Diagram, DiagramOperation
from threatmodels.operations import Rejected, State, add, by_id, patch, remove, update
from tmi.lib.errors import NotFound

A, B, C, D, E = IDS[:5]


@pytest.fixture
def diagram(cast, threat_model):
    cells = [box(A, "trust_boundary"), box(B), flow(C, A, B)]
    return create_diagram(threat_model=threat_model, actor=cast.owner, name="Main", cells=cells)


@pytest.fixture
def replica(diagram):
    return log.load(diagram.pk)


def by(person, *steps, operation_id=None, base=None):
    return Submission(operation_id or uuid.uuid4(), person.pk, patch(steps), base)


def appended(replica, *submissions):
    """The outcome, once it is certain that the copy is what the database says."""
    outcome = log.append(replica, submissions)
    assert len(outcome.results) == len(submissions)
    assert_like_the_database(replica)
    return outcome


def assert_like_the_database(replica):
    fresh = log.load(replica.diagram_id)
    assert (replica.state.listed(), replica.vector) == (fresh.state.listed(), fresh.vector)
    rows = list(DiagramOperation.objects.filter(diagram=replica.diagram_id).order_by("sequence_number"))
    assert [row.sequence_number for row in rows] == list(range(1, replica.vector + 1))
    state = State()
    for row in rows:
        state.apply(row.operation)
    assert state.listed() == replica.state.listed()


def do(replica, person, *steps):
    """One accepted operation; its row."""
    (row,) = appended(replica, by(person, *steps)).news
    return row


def reasons(outcome):
    return [one and (one.reason if isinstance(one, Rejected) else "again") for one in outcome.results]


# -- appending


def test_a_copy_of_a_diagram_has_its_cells_at_its_vector(diagram, replica):
    assert replica.vector == 1
    assert list(replica.state.cells) == [A, B, C]


def test_operations_that_wait_together_are_kept_in_one_statement_in_their_order(cast, replica):
    wanted = [by(cast.writer, update(B, {"z": n})) for n in range(50)]
    with CaptureQueriesContext(connection) as queries:
        outcome = log.append(replica, wanted)
    assert len([query for query in queries if "SAVEPOINT" not in query["sql"]]) == 1
    assert [row.operation_id for row in outcome.news] == [one.operation_id for one in wanted]
    assert [row.sequence_number for row in outcome.news] == list(range(2, 52))
    assert reasons(outcome) == [None] * 50
    assert_like_the_database(replica)


def test_what_is_refused_stops_nothing_else_of_its_batch(cast, replica):
    outcome = appended(
        replica,
        by(cast.writer, update(B, {"z": 1})),
        by(cast.writer, update(D, {"z": 1})),
        by(cast.owner, update(B, {"z": 1})),
        by(cast.owner, update(B, {"type": "cloud"})),
        by(cast.owner, update(B, {"z": 2})),
    )
    assert reasons(outcome) == [None, "conflict_detected", "no_state_change", "validation_failed", None]
    assert [row.sequence_number for row in outcome.news] == [2, 3]


def test_an_operation_touches_its_diagram_and_model(cast, diagram, replica):
    before = diagram.threat_model.modified_at
    do(replica, cast.writer, update(B, {"z": 1}))
    diagram.refresh_from_db()
    assert diagram.update_vector == 2
    assert diagram.threat_model.__class__.objects.get(pk=diagram.threat_model_id).modified_at > before


def test_a_base_that_is_ahead_is_a_conflict_unless_the_copy_lags(cast, diagram, replica):
    assert reasons(appended(replica, by(cast.writer, update(B, {"z": 1}), base=2))) == ["conflict_detected"]
    other = log.load(diagram.pk)
    do(other, cast.owner, update(A, {"z": 1}))
    outcome = appended(replica, by(cast.writer, update(B, {"z": 1}), base=2))
    assert (reasons(outcome), [row.sequence_number for row in outcome.news]) == ([None], [2, 3])


def test_an_asset_of_another_model_or_none_fails_validation(cast, threat_model, replica):
    asset = create_record(Asset, threat_model=threat_model, actor=cast.owner, name="Cards", type="data")
    assert reasons(
        appended(
            replica,
            by(cast.writer, update(B, {"data_asset_ids": [str(uuid.uuid4())]})),
            by(cast.writer, update(B, {"data_asset_ids": [str(asset.pk)]})),
        )
    ) == ["validation_failed", None]


def test_what_a_person_cannot_see_of_a_deleted_asset_stays(cast, diagram, threat_model, replica):
    asset = create_record(Asset, threat_model=threat_model, actor=cast.owner, name="Cards", type="data")
    do(replica, cast.writer, update(B, {"data_asset_ids": [str(asset.pk)]}))
    delete_record(asset, actor=cast.owner)
    replica = log.load(diagram.pk)
    assert replica.hidden == {str(asset.pk)}
    appended(replica, by(cast.writer, update(B, {"data_asset_ids": [], "z": 1})))
    assert replica.state.cells[B]["data_asset_ids"] == [str(asset.pk)]


# -- the same again


def test_the_same_operation_in_a_later_batch_is_answered_with_the_accepted_one(cast, replica):
    first = by(cast.writer, update(B, {"z": 1}))
    (row,) = appended(replica, first).news
    do(replica, cast.owner, update(B, {"z": 2}))
    outcome = appended(replica, first)
    assert outcome.news == []
    (again,) = outcome.results
    assert isinstance(again, Repeated)
    assert (again.accepted.operation_id, again.accepted.sequence_number) == (row.operation_id, 2)
    assert again.accepted.operation == row.operation
    assert replica.state.cells[B]["z"] == 2


def test_the_same_operation_twice_in_one_batch_is_kept_once(cast, replica):
    one = by(cast.writer, add(box(D)))
    outcome = appended(replica, one, by(cast.owner, update(B, {"z": 1})), one)
    assert reasons(outcome) == [None, None, "again"]
    assert outcome.results[2].accepted.sequence_number == 2


def test_a_repetition_among_new_operations_stops_none_of_them(cast, replica):
    first = by(cast.writer, update(B, {"z": 1}))
    appended(replica, first)
    do(replica, cast.owner, update(B, {"z": 5}))
    outcome = appended(replica, by(cast.owner, add(box(D))), first, by(cast.owner, update(D, {"z": 2})))
    assert reasons(outcome) == [None, "again", None]
    assert [row.sequence_number for row in outcome.news] == [4, 5]


def test_a_repetition_whose_content_no_longer_fits_is_still_a_repetition(cast, replica):
    first = by(cast.writer, update(B, {"z": 1}))
    appended(replica, first)
    do(replica, cast.owner, remove(B))
    assert reasons(appended(replica, first)) == ["again"]


@pytest.mark.parametrize("together", [False, True], ids=["later", "in one batch"])
def test_the_same_id_from_somebody_else_or_with_other_content_is_a_conflict(cast, replica, together):
    first = by(cast.writer, update(B, {"z": 1}))
    others = [
        by(cast.owner, update(B, {"z": 1}), operation_id=first.operation_id),
        by(cast.writer, update(B, {"z": 2}), operation_id=first.operation_id),
        by(cast.writer, update(B, {"z": 1.0}), operation_id=uuid.uuid4()),
    ]
    if together:
        assert reasons(appended(replica, first, *others))[1:3] == ["conflict_detected"] * 2
    else:
        appended(replica, first)
        assert reasons(appended(replica, *others))[:2] == ["conflict_detected"] * 2
    assert replica.state.cells[B]["z"] == 1


def test_the_same_id_at_another_diagram_is_another_operation(cast, threat_model, replica):
    twin = create_diagram(threat_model=threat_model, actor=cast.owner, name="Twin", cells=[box(B)])
    one = by(cast.writer, update(B, {"z": 1}))
    assert reasons(appended(replica, one)) == reasons(appended(log.load(twin.pk), one)) == [None]


def test_an_id_whose_operation_was_refused_is_free(cast, replica):
    wanted = uuid.uuid4()
    appended(replica, by(cast.writer, update(D, {"z": 1}), operation_id=wanted))
    assert reasons(appended(replica, by(cast.owner, add(box(D)), operation_id=wanted))) == [None]


def test_the_order_of_keys_is_no_other_content(cast, replica):
    first = by(cast.writer, update(B, {"z": 1, "position": {"x": 1, "y": 2}}))
    appended(replica, first)
    again = by(
        cast.writer, update(B, {"position": {"y": 2, "x": 1}, "z": 1}), operation_id=first.operation_id
    )
    assert reasons(appended(replica, again)) == ["again"]


# -- copies that lag


def test_a_copy_that_lags_hears_what_it_missed_before_its_own(cast, diagram, replica):
    other = log.load(diagram.pk)
    theirs = do(other, cast.owner, update(A, {"z": 1}))
    outcome = appended(replica, by(cast.writer, update(B, {"z": 1})))
    assert [row.sequence_number for row in outcome.news] == [2, 3]
    assert outcome.news[0].operation_id == theirs.operation_id


def test_a_refusal_by_a_copy_that_lags_is_thought_over(cast, diagram, replica):
    do(log.load(diagram.pk), cast.owner, add(box(D)))
    outcome = appended(replica, by(cast.writer, update(D, {"z": 1})))
    assert reasons(outcome) == [None]


def test_an_acceptance_by_a_copy_that_lags_is_thought_over(cast, diagram, replica):
    do(log.load(diagram.pk), cast.owner, remove(B))
    outcome = appended(replica, by(cast.writer, update(B, {"z": 1})))
    assert reasons(outcome) == ["conflict_detected"]
    assert [row.sequence_number for row in outcome.news] == [2]


def test_a_repetition_at_a_copy_that_lags_comes_after_what_it_missed(cast, diagram, replica):
    one = by(cast.writer, update(B, {"z": 1}))
    appended(log.load(diagram.pk), by(cast.owner, add(box(D))), one)
    outcome = appended(replica, one)
    assert (reasons(outcome), [row.sequence_number for row in outcome.news]) == (["again"], [2, 3])


def test_two_copies_in_turn_stay_the_same(cast, diagram):
    copies = [log.load(diagram.pk), log.load(diagram.pk)]
    for number in range(12):
        log.append(
            copies[number % 2], [by(cast.writer, update(B, {"properties": {str(number % 3): number}}))]
        )
    for copy in copies:
        log.catch_up(copy)
        assert_like_the_database(copy)


def test_catching_up_brings_what_others_wrote_and_nothing_twice(cast, diagram, replica):
    other = log.load(diagram.pk)
    for number in range(3):
        do(other, cast.owner, update(A, {"z": number}))
    assert [row.sequence_number for row in log.catch_up(replica)] == [2, 3, 4]
    assert log.catch_up(replica) == []
    assert_like_the_database(replica)


def test_a_copy_loaded_anew_brings_what_was_not_told(cast, diagram, replica):
    for number in range(3):
        do(replica, cast.owner, update(A, {"z": number}))
    fresh, missed = log.reload(diagram.pk, 2)
    assert (fresh.vector, [row.sequence_number for row in missed]) == (4, [3, 4])


@pytest.mark.django_db(transaction=True)
def test_threads_with_copies_of_their_own_lose_double_and_reorder_nothing(cast, diagram):
    people, each = [cast.owner, cast.writer, cast.owner, cast.writer], 12
    outcomes, failures = [[] for _ in people], []
    start = threading.Barrier(len(people))

    def edit(index):
        try:
            copy = log.load(diagram.pk)
            start.wait()
            for number in range(each):
                wanted = by(people[index], update(B, {"properties": {f"k{index}": number}}))
                outcomes[index].append(log.append(copy, [wanted]))
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=edit, args=[index]) for index in range(len(people))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    replica = log.load(diagram.pk)
    assert replica.vector == 1 + len(people) * each
    assert_like_the_database(replica)
    assert replica.state.cells[B]["properties"] == {"label": "x"} | {
        f"k{i}": each - 1 for i in range(len(people))
    }
    for told in outcomes:
        numbers = [row.sequence_number for outcome in told for row in outcome.news]
        assert numbers == list(range(2, 2 + len(numbers)))


# -- deletion meanwhile


@pytest.mark.parametrize("what", ["diagram", "model"])
def test_a_deleted_diagram_or_model_takes_no_more_operations(cast, diagram, replica, what):
    with connection.cursor() as cursor:
        table, pk = (
            ("diagrams", diagram.pk) if what == "diagram" else ("threat_models", diagram.threat_model_id)
        )
        cursor.execute(f"UPDATE {table} SET deleted_at = now() WHERE id = %s", [pk])
    with pytest.raises(NotFound):
        log.append(replica, [by(cast.writer, update(B, {"z": 1}))])
    for gone in (
        lambda: log.take_back(log.load(diagram.pk), cast.owner.pk, "undo"),
        lambda: log.load(diagram.pk),
    ):
        with pytest.raises(NotFound):
            gone()
    assert DiagramOperation.objects.filter(diagram=diagram).count() == 1


# -- undo and redo


def undo(replica, person, kind="undo"):
    _news, undone = log.take_back(replica, person.pk, kind)
    assert_like_the_database(replica)
    return undone


def messages(replica, person, *kinds):
    return [undo(replica, person, kind).message for kind in kinds]


def test_undo_is_a_new_operation_that_names_the_old_one(cast, replica):
    row = do(replica, cast.writer, update(B, {"z": 1}))
    news, undone = log.take_back(replica, cast.writer.pk, "undo")
    assert (undone.message, undone.undone_operation_id) == ("done", row.operation_id)
    (new,) = news
    assert (new.operation_id, new.undo_of, new.sequence_number) == (undone.operation_id, row.operation_id, 3)
    assert new.operation["cells"] == [update(B, {"z": None})]


def test_each_persons_latest_first(cast, replica):
    do(replica, cast.writer, update(A, {"z": 1}))
    do(replica, cast.writer, update(B, {"z": 2}))
    do(replica, cast.owner, update(A, {"position": {"x": 5}}))
    assert messages(replica, cast.writer, "undo") == ["done"]
    assert ("z" in replica.state.cells[A], "z" in replica.state.cells[B]) == (True, False)
    assert messages(replica, cast.writer, "undo", "undo") == ["done", "no_operations_to_undo"]
    assert replica.state.cells[A]["position"]["x"] == 5


def test_redo_brings_back_in_reverse_order_and_can_be_undone_again(cast, replica):
    for z in (1, 2):
        do(replica, cast.writer, update(B, {"z": z}))
    messages(replica, cast.writer, "undo", "undo")
    seen = []
    for kind in ("redo", "redo", "undo", "redo", "undo", "undo", "redo"):
        assert undo(replica, cast.writer, kind).message == "done"
        seen.append(replica.state.cells[B].get("z"))
    assert seen == [1, 2, 1, 2, 1, None, 1]
    assert messages(replica, cast.writer, "redo", "redo") == ["done", "no_operations_to_redo"]


def test_a_new_edit_clears_the_persons_redo_and_nobody_elses(cast, replica):
    do(replica, cast.writer, update(A, {"z": 1}))
    do(replica, cast.owner, update(B, {"z": 1}))
    undo(replica, cast.writer)
    undo(replica, cast.owner)
    do(replica, cast.writer, update(C, {"properties": {"label": "new"}}))
    assert messages(replica, cast.writer, "redo") == ["no_operations_to_redo"]
    assert messages(replica, cast.owner, "redo") == ["done"]


def test_the_inverse_touches_only_what_the_operation_touched(cast, replica):
    do(replica, cast.writer, update(B, {"properties": {"label": "mine"}, "position": {"x": 5}}))
    do(replica, cast.owner, update(B, {"properties": {"colour": "red"}, "position": {"y": 7}}))
    assert undo(replica, cast.writer).message == "done"
    assert replica.state.cells[B] == box(
        B, properties={"label": "x", "colour": "red"}, position={"x": 0, "y": 7}
    )


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ([update(B, {"z": 1})], [update(B, {"z": 2})]),
        ([update(B, {"properties": {"label": "a"}})], [update(B, {"properties": {"label": "b"}})]),
        ([update(B, {"properties": {"deep": {"k": 1}}})], [update(B, {"properties": {"deep": {"k": 2}}})]),
        ([update(B, {"properties": {"deep": {"k": 1}}})], [update(B, {"properties": {"deep": None}})]),
        ([update(B, {"z": 1})], [remove(B)]),
        ([add(box(D))], [update(D, {"z": 1})]),
        ([add(box(D))], [add(flow(E, D, B))]),
        ([add(box(D))], [update(B, {"parent": D})]),
        ([add(box(D))], [remove(D)]),
        ([remove(C)], [remove(B)]),
        ([remove(B)], [remove(A)]),
    ],
    ids=[
        "same property",
        "same label",
        "same inner key",
        "what lies above",
        "cell gone",
        "new cell changed",
        "flow attached",
        "child put in",
        "new cell gone",
        "end of a removed flow gone",
        "other end of its flow gone",
    ],
)
def test_what_somebody_else_has_since_changed_is_left_alone(cast, replica, mine, theirs):
    row = do(replica, cast.writer, *mine)
    do(replica, cast.owner, *theirs)
    before = by_id(replica.state.listed())
    undone = undo(replica, cast.writer)
    assert (undone.message, undone.operation_id) == ("changed_by_others", None)
    assert undone.undone_operation_id == row.operation_id
    assert by_id(replica.state.listed()) == before


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ([update(B, {"z": 1})], [update(B, {"position": {"x": 1}})]),
        ([update(B, {"properties": {"a": 1}})], [update(B, {"properties": {"b": 1}})]),
        ([update(B, {"position": {"x": 1}})], [update(B, {"position": {"y": 1}})]),
        ([update(B, {"z": 1})], [update(A, {"z": 2})]),
        ([add(box(D))], [add(flow(E, A, B))]),
        ([remove(C)], [update(B, {"z": 1})]),
    ],
    ids=["other property", "other inner key", "other axis", "other cell", "flow elsewhere", "end changed"],
)
def test_what_others_did_elsewhere_is_no_obstacle(cast, replica, mine, theirs):
    do(replica, cast.writer, *mine)
    do(replica, cast.owner, *theirs)
    assert undo(replica, cast.writer).message == "done"


def test_ones_own_later_changes_are_no_obstacle(cast, replica):
    do(replica, cast.writer, add(box(D)))
    do(replica, cast.writer, add(flow(E, D, B)))
    do(replica, cast.writer, update(D, {"z": 1}))
    assert messages(replica, cast.writer, "undo", "undo", "undo") == ["done"] * 3
    assert set(replica.state.cells) == {A, B, C}


def test_the_next_request_goes_on_to_the_one_before_and_never_comes_back(cast, diagram, replica):
    do(replica, cast.writer, update(A, {"z": 1}))
    do(replica, cast.writer, update(B, {"z": 1}))
    do(replica, cast.owner, update(B, {"z": 2}))
    assert messages(replica, cast.writer, "undo", "undo", "undo") == [
        "changed_by_others",
        "done",
        "no_operations_to_undo",
    ]
    # Another process, another connection: the same.
    assert messages(log.load(diagram.pk), cast.writer, "undo", "redo") == ["no_operations_to_undo", "done"]


def test_a_redo_that_others_have_overtaken_is_left_alone(cast, replica):
    do(replica, cast.writer, update(B, {"z": 1}))
    undo(replica, cast.writer)
    do(replica, cast.owner, update(B, {"z": 5}))
    assert messages(replica, cast.writer, "redo", "redo") == ["changed_by_others", "no_operations_to_redo"]
    assert replica.state.cells[B]["z"] == 5


def test_undoing_a_removal_brings_flows_and_children_back(cast, replica):
    do(replica, cast.writer, update(B, {"parent": A}))
    before = by_id(replica.state.listed())
    do(replica, cast.writer, remove(A))
    assert set(replica.state.cells) == {B}
    assert undo(replica, cast.writer).message == "done"
    assert by_id(replica.state.listed()) == before


def test_rest_writes_and_reverts_are_undone_like_all_others(cast, diagram):
    change_cell(diagram, actor=cast.writer, cell_id=B, change=lambda old: {**old, "z": 1})
    write_cells(diagram, actor=cast.writer, cells=[box(A), box(B, z=1)])
    revert_to(diagram, actor=cast.writer, sequence_number=1)
    replica = log.load(diagram.pk)
    states = []
    for _ in range(3):
        assert undo(replica, cast.writer).message == "done"
        states.append(by_id(replica.state.listed()))
    assert states[0] == {A: box(A), B: box(B, z=1)}
    assert states[1] == {A: box(A, "trust_boundary"), B: box(B, z=1), C: flow(C, A, B)}
    assert states[2] == {A: box(A, "trust_boundary"), B: box(B), C: flow(C, A, B)}


def test_the_cells_a_diagram_was_created_with_are_undone_by_their_author_alone(cast, replica):
    assert messages(replica, cast.writer, "undo") == ["no_operations_to_undo"]
    assert messages(replica, cast.owner, "undo") == ["done"]
    assert replica.state.listed() == []


def test_a_restored_cell_does_not_name_an_asset_that_is_gone_for_good(cast, threat_model, diagram, replica):
    asset = create_record(Asset, threat_model=threat_model, actor=cast.owner, name="Cards", type="data")
    do(replica, cast.writer, update(B, {"data_asset_ids": [str(asset.pk)]}))
    do(replica, cast.writer, remove(B))
    Asset.objects.filter(pk=asset.pk).delete()
    assert undo(replica, cast.writer).message == "done"
    assert replica.state.cells[B]["data_asset_ids"] == []


def test_undo_goes_up_to_100_operations_back(cast, diagram, replica):
    log.append(replica, [by(cast.writer, update(B, {"z": n})) for n in range(101)])
    answers = [log.take_back(replica, cast.writer.pk, "undo")[1].message for _ in range(101)]
    assert answers == ["done"] * 100 + ["no_operations_to_undo"]
    assert replica.state.cells[B]["z"] == 0
    answers = [log.take_back(replica, cast.writer.pk, "redo")[1].message for _ in range(101)]
    assert answers == ["done"] * 100 + ["no_operations_to_redo"]
    assert replica.state.cells[B]["z"] == 100
    assert_like_the_database(replica)


def test_undo_by_a_copy_that_lags_sees_what_others_have_changed(cast, diagram, replica):
    do(replica, cast.writer, update(B, {"z": 1}))
    do(log.load(diagram.pk), cast.owner, update(B, {"z": 2}))
    news, undone = log.take_back(replica, cast.writer.pk, "undo")
    assert undone.message == "changed_by_others"
    assert [row.sequence_number for row in news] == [3]


def test_what_the_database_cannot_hold_is_refused_alone(cast, replica, monkeypatch):
    def held(diagram_id, vector, entries, now):
        if any(entry.applied.operation["cells"][0]["data"].get("z") == 2 for entry in entries):
            raise DataError
        return write(diagram_id, vector, entries, now)

    write = log.log.write
    monkeypatch.setattr(log.log, "write", held)
    outcome = appended(replica, *(by(cast.writer, update(B, {"z": n})) for n in (1, 2, 3)))
    assert reasons(outcome) == [None, "validation_failed", None]
    assert [row.sequence_number for row in outcome.news] == [2, 3]
    assert_like_the_database(replica)


def test_after_a_hundred_undone_and_done_again_a_hundred_can_be_undone_again(cast, replica):
    log.append(replica, [by(cast.writer, update(B, {"z": n})) for n in range(110)])
    for kind in ("undo", "redo", "undo"):
        answers = [log.take_back(replica, cast.writer.pk, kind)[1].message for _ in range(101)]
        assert answers == ["done"] * 100 + [f"no_operations_to_{kind}"]
    assert replica.state.cells[B]["z"] == 9


# -- the checkpoint


def test_a_checkpoint_never_goes_back(cast, diagram, replica):
    from threatmodels.log import checkpoint

    do(replica, cast.writer, update(B, {"z": 1}))
    checkpoint(diagram.pk, replica.vector, replica.state.listed())
    checkpoint(diagram.pk, 1, [])
    stored = Diagram.objects.get(pk=diagram.pk)
    assert (stored.cells_vector, stored.cells) == (2, replica.state.listed())
    assert_like_the_database(log.load(diagram.pk))
