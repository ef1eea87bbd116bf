"""Editing over the socket: what is accepted, what is refused and how, repetition, syncing, undo and redo."""

from __future__ import annotations

import json
import uuid

import pytest

from tests.collaboration.served import CELLS, A, B, C, D
from tests.collaboration.tab import kind_of
from tests.threatmodels.drawing import STRANGER, box, flow
from threatmodels.operations import add, remove, update

REJECTED = {
    "message_type",
    "operation_id",
    "reason",
    "message",
    "update_vector",
    "affected_cells",
    "requires_resync",
    "timestamp",
}


def rejected(answer, reason, **more):
    """Holds a rejection against its reason and exact keys; the cells it names."""
    assert kind_of(answer) == "operation_rejected", answer
    assert set(answer) == REJECTED | ({"retry_after_ms"} if reason == "rate_limited" else set())
    assert answer["reason"] == reason
    assert answer["message"]
    assert answer["requires_resync"] is (reason == "conflict_detected")
    assert more.items() <= answer.items()
    return answer["affected_cells"]


@pytest.fixture
def writer(drawing):
    return drawing.join("writer")


@pytest.fixture
def second(drawing, writer):
    tab = drawing.join("second")
    writer.people(lambda told: len(told["participants"]) == 2)
    return tab


# -- what is accepted


def test_an_accepted_operation_goes_to_all_and_to_the_sender_alike(drawing, writer, second):
    wanted = [add(box(D)), update(B, {"properties": {"label": "Till"}}), remove(C)]
    mine = writer.edit(*wanted, base_vector=1)
    theirs = second.until("diagram_operation")
    assert mine == theirs
    assert mine["user_internal_uuid"] == drawing.person("writer")
    assert mine["sequence_number"] == 2
    assert mine["operation"] == {"type": "patch", "cells": wanted}


def test_sequence_numbers_are_the_update_vector_without_gaps(drawing, writer, second):
    for number in range(1, 6):
        (writer if number % 2 else second).ask(update(B, {"z": number}))
    for tab in (writer, second):
        got = [tab.until("diagram_operation")["sequence_number"] for _ in range(5)]
        assert got == [2, 3, 4, 5, 6]
    assert drawing.vector() == 6


def test_an_operation_is_in_the_database_before_anybody_is_told(served, drawing, writer):
    done = writer.edit(update(B, {"z": 1}))
    rows = served.sql(
        "SELECT operation_id::text, sequence_number FROM diagram_operations WHERE diagram_id = %s"
        " ORDER BY sequence_number DESC LIMIT 1",
        drawing.id,
    )
    assert rows == [(done["operation_id"], done["sequence_number"])]


def test_person_number_and_time_of_an_operation_are_the_servers_and_ignored_if_sent(drawing, writer):
    forged = {
        "user_internal_uuid": drawing.person("owner"),
        "sequence_number": 99,
        "timestamp": "1999-01-01T00:00:00.000Z",
        "more": True,
    }
    done = writer.edit(update(B, {"z": 1}), **forged)
    assert (done["user_internal_uuid"], done["sequence_number"]) == (drawing.person("writer"), 2)
    assert not done["timestamp"].startswith("1999")


@pytest.mark.parametrize("more", [{}, {"base_vector": 0}, {"base_vector": None}, {"base_vector": 1}])
def test_base_vector_may_be_missing_or_old(writer, more):
    writer.edit(update(B, {"z": 1}))
    assert writer.edit(update(B, {"z": 2}), **more)["sequence_number"] == 3


def test_base_vector_ahead_of_the_server_is_a_conflict(writer):
    rejected(writer.edit(update(B, {"z": 1}), base_vector=2), "conflict_detected", update_vector=1)


def test_the_id_inside_an_added_cell_may_be_left_out_or_must_be_equal(writer):
    cell = {key: value for key, value in box(D).items() if key != "id"}
    assert writer.edit({"id": D, "operation": "add", "data": cell})["operation"]["cells"] == [add(box(D))]
    other = {"id": STRANGER, "operation": "add", "data": box(D)}
    assert rejected(writer.edit(other), "validation_failed") == [STRANGER]


def test_ids_in_capitals_are_told_and_kept_in_small_letters(drawing, writer, second):
    new, far = "0190abcd-0000-7000-8000-00000000abcd", "0190abcd-0000-7000-8000-00000000abce"
    cells = [box(new), flow(far, new, A)]
    capitals = [add({**box(new), "id": new.upper()}), add(flow(far.upper(), new.upper(), A.upper()))]
    writer.edit(*capitals)
    told = second.until("diagram_operation")
    assert told["operation"]["cells"] == [add(cell) for cell in cells]
    writer.edit(remove(new.upper()))
    assert {step["id"] for step in second.until("diagram_operation")["operation"]["cells"]} == {new, far}


def test_line_breaks_of_windows_are_told_and_kept_as_plain_ones(drawing, writer, second):
    for step in (add(box(D, properties={"label": "a\r\nb"})), update(B, {"properties": {"label": "a\r\nb"}})):
        writer.edit(step)
        told = second.until("diagram_operation")["operation"]["cells"]
        assert told[0]["data"]["properties"] == {"label": "a\nb"}
    assert {drawing.cells()[pk]["properties"]["label"] for pk in (B, D)} == {"a\nb"}


def test_two_people_who_change_different_properties_of_one_cell_both_win(drawing, writer, second):
    writer.ask(update(B, {"properties": {"label": "Till"}}), base_vector=1)
    second.ask(update(B, {"properties": {"colour": "red"}, "position": {"x": 9}}), base_vector=1)
    for tab in (writer, second):
        assert {tab.until("diagram_operation")["sequence_number"] for _ in range(2)} == {2, 3}
    cell = drawing.cells()[B]
    assert cell["properties"] == {"label": "Till", "colour": "red"}
    assert cell["position"] == {"x": 9, "y": 0}


def test_on_one_property_the_later_accepted_wins(drawing, writer, second):
    writer.ask(update(B, {"z": 1}))
    second.ask(update(B, {"z": 2}))
    told = [writer.until("diagram_operation") for _ in range(2)]
    assert drawing.cells()[B]["z"] == told[1]["operation"]["cells"][0]["data"]["z"]


def test_null_in_a_patch_removes_and_cells_never_contain_null(drawing, writer):
    writer.edit(update(B, {"properties": {"label": None, "list": [1]}}))
    assert drawing.cells()[B]["properties"] == {"list": [1]}
    nulls = [add(box(D, properties={"deep": {"a": None}})), update(B, {"properties": {"list": [None]}})]
    for step in nulls:
        assert rejected(writer.edit(step), "validation_failed") == [step["id"]]


def test_removing_a_cell_removes_its_flows_and_unparents_its_children_in_the_same_operation(drawing, writer):
    assert writer.edit(update(B, {"parent": A}))["sequence_number"] == 2
    done = writer.edit(remove(A))
    assert done["operation"]["cells"] == [remove(C), update(B, {"parent": None}), remove(A)]
    assert drawing.cells() == {B: box(B)}


def test_the_cells_of_one_operation_are_applied_in_order_and_references_checked_at_the_end(drawing, writer):
    writer.edit(add(flow(D, B, STRANGER)), add(box(STRANGER)), update(STRANGER, {"z": 4}))
    assert drawing.cells()[STRANGER]["z"] == 4
    assert drawing.cells()[D]["target"] == {"cell": STRANGER}


def test_an_operation_is_applied_whole_or_not_at_all(drawing, writer):
    answer = writer.edit(update(B, {"z": 5}), add(box(D)), add(flow(C, A, B, bidirectional=True)))
    assert rejected(answer, "conflict_detected", update_vector=1) == [C]
    assert drawing.cells() == {cell["id"]: cell for cell in CELLS}
    assert drawing.vector() == 1


# -- the same again


def test_an_operation_sent_again_is_not_applied_again_but_answered_to_the_sender_alone(
    drawing, writer, second
):
    done = writer.edit(update(B, {"z": 1}), operation_id=str(uuid.uuid4()))
    writer.edit(update(B, {"z": 2}))
    again = writer.edit(update(B, {"z": 1}), operation_id=done["operation_id"])
    assert again == done
    assert drawing.vector() == 3
    assert drawing.cells()[B]["z"] == 2
    assert [kind_of(message) for message in second.fence()].count("diagram_operation") == 2


def test_an_operation_sent_again_from_another_connection_is_recognised(drawing, writer):
    done = writer.edit(update(B, {"z": 1}))
    writer.drop()
    returned = drawing.join("writer", since=1)
    assert returned.edit(update(B, {"z": 1}), operation_id=done["operation_id"]) == done
    assert drawing.vector() == 2


def test_an_operation_sent_twice_at_once_is_applied_once(drawing, writer):
    wanted = str(uuid.uuid4())
    writer.ask(add(box(D)), operation_id=wanted)
    writer.ask(add(box(D)), operation_id=wanted)
    first, again = (writer.until("diagram_operation", operation_id=wanted) for _ in range(2))
    assert first == again
    assert drawing.vector() == 2


def test_an_operation_id_of_somebody_else_or_with_other_content_is_a_conflict(writer, second):
    taken = writer.edit(update(B, {"z": 1}))["operation_id"]
    second.until("diagram_operation")
    rejected(second.edit(update(B, {"z": 1}), operation_id=taken), "conflict_detected")
    rejected(writer.edit(update(B, {"z": 7}), operation_id=taken), "conflict_detected")


def test_an_id_whose_operation_was_rejected_may_be_used_again(writer):
    wanted = str(uuid.uuid4())
    rejected(writer.edit(update(STRANGER, {"z": 1}), operation_id=wanted), "conflict_detected")
    assert writer.edit(add(box(STRANGER)), operation_id=wanted)["sequence_number"] == 2


# -- every reason


@pytest.mark.parametrize(
    ("step", "cells"),
    [
        (update(STRANGER, {"z": 1}), [STRANGER]),
        (add(box(B, z=9)), [B]),
        (add(flow(D, A, STRANGER)), [D]),
        (update(B, {"parent": STRANGER}), [B]),
    ],
    ids=["cell gone", "id exists", "end missing", "parent missing"],
)
def test_conflict_detected_is_the_only_reason_that_requires_a_resync(writer, step, cells):
    assert rejected(writer.edit(step), "conflict_detected", update_vector=1) == cells


@pytest.mark.parametrize(
    "step",
    [
        update(B, {"type": "cloud"}),
        update(B, {"size": {"width": 1}}),
        update(B, {"parent": B}),
        add({"id": D, "type": "process"}),
        {"id": D, "operation": "add", "data": None},
        {"id": D, "operation": "add"},
        {"id": B, "operation": "update", "data": [1]},
        {"id": B, "operation": "update"},
        {"id": "no uuid", "operation": "remove", "data": None},
        {"id": 7, "operation": "remove"},
        "no object",
    ],
    ids=str,
)
def test_validation_failed(writer, step):
    rejected(writer.edit(step), "validation_failed", update_vector=1)


@pytest.mark.parametrize(
    "operation", [None, "patch", {}, {"type": 3, "cells": []}, {"type": "patch"}], ids=str
)
def test_an_operation_of_the_wrong_form_fails_validation(writer, operation):
    wanted = str(uuid.uuid4())
    writer.send("diagram_operation", operation_id=wanted, operation=operation)
    rejected(writer.until("operation_rejected", operation_id=wanted), "validation_failed")


@pytest.mark.parametrize("step", [update(B, {"properties": {"label": "x"}}), remove(STRANGER), add(box(B))])
def test_no_state_change_also_for_the_removal_of_what_is_gone(writer, step):
    assert rejected(writer.edit(step), "no_state_change", update_vector=1) == []


def test_permission_denied_for_a_reader(drawing, writer):
    rejected(drawing.join("reader").edit(update(B, {"z": 1})), "permission_denied", update_vector=1)
    assert drawing.vector() == 1


def test_empty_operation(writer):
    rejected(writer.edit(), "empty_operation")


def test_invalid_operation_type(writer):
    rejected(writer.edit({"id": B, "operation": "move", "data": {}}), "invalid_operation_type")
    wanted = str(uuid.uuid4())
    writer.send("diagram_operation", operation_id=wanted, operation={"type": "replace", "cells": [remove(B)]})
    rejected(writer.until("operation_rejected", operation_id=wanted), "invalid_operation_type")


def test_too_large_for_more_than_200_cells_at_once_and_for_a_cell_over_32_kib(writer):
    rejected(writer.edit(*[update(B, {"z": n}) for n in range(201)]), "too_large")
    assert writer.edit(*[update(B, {"z": n}) for n in range(200)])["sequence_number"] == 2
    heavy = update(B, {"properties": {"label": "y" * 33_000}})
    assert rejected(writer.edit(heavy), "too_large") == [B]


def test_rate_limited_says_when_to_try_again(writer):
    ids = [writer.ask(update(B, {"z": n})) for n in range(70)]
    answers = [
        writer.until("diagram_operation", "operation_rejected", where=lambda m: m["operation_id"] in ids)
        for _ in ids
    ]
    late = [one for one in answers if kind_of(one) == "operation_rejected"]
    assert len(answers) - len(late) >= 40
    assert late
    for one in late:
        rejected(one, "rate_limited")
        assert 0 < one["retry_after_ms"] <= 1000
    # Longer than what was sent before the refusal was heard is on its way.
    assert late[0]["retry_after_ms"] >= 100


def test_the_tabs_of_a_person_share_the_limit(drawing, writer):
    other = drawing.join("writer")
    for tab in (writer, other):
        ids = [tab.ask(update(B, {"z": n})) for n in range(40)]
        tab.mine = ids
    refused = 0
    for tab in (writer, other):
        for _ in tab.mine:
            answer = tab.until(
                "diagram_operation",
                "operation_rejected",
                where=lambda m, mine=tab.mine: m["operation_id"] in mine,
            )
            refused += kind_of(answer) == "operation_rejected"
    assert refused >= 15


def test_undo_and_redo_count_as_edits_for_the_limits(writer):
    for _ in range(60):
        writer.send("undo_request")
    answers = [writer.until("history_operation", "error") for _ in range(60)]
    limited = [one for one in answers if kind_of(one) == "error"]
    assert limited
    assert {one["code"] for one in limited} == {"RATE_LIMITED"}


# -- what is so broken that there is no operation


@pytest.mark.parametrize("wanted", [None, 7, "no uuid", {}], ids=str)
def test_a_message_so_broken_that_its_operation_id_cannot_be_read_gets_error(drawing, writer, wanted):
    writer.send("diagram_operation", operation_id=wanted, operation={"type": "patch", "cells": [remove(B)]})
    error = writer.until("error", "operation_rejected")
    assert kind_of(error) == "error"
    assert set(error) == {"message_type", "code", "message", "details", "timestamp"}
    assert error["details"]["field"] == "operation_id"
    assert drawing.vector() == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[]",
        "null",
        "7",
        "{}",
        '{"message_type": "dance"}',
        '{"message_type": ["cursor"]}',
        '{"message_type": "diagram_state", "cells": []}',
        '{"event": "session_ended", "message": "x"}',
        '{"message_type": "operation_rejected"}',
        '{"message_type": "cursor"}',
        '{"message_type": "cursor", "cursor_position": {"x": 1e999, "y": 0}}',
        '{"message_type": "cursor", "cursor_position": {"x": NaN, "y": 0}}',
        '{"message_type": "cursor", "cursor_position": {"x": 1' + "0" * 40 + ', "y": 0}}',
        '{"message_type": "presenter_viewport", "x": 0, "y": 0, "zoom": -1}',
        '{"message_type": "sync_request", "update_vector": "1"}',
        '{"message_type": "change_presenter", "new_presenter": "me"}',
        '{"message_type": "undo_request"' + " " * 10,
        "[" * 5000,
        '{"a": ' * 5000,
    ],
    ids=lambda text: text[:60],
)
def test_malformed_unknown_and_server_only_messages_get_error_and_change_nothing(drawing, writer, text):
    writer.send_text(text)
    error = writer.until("error")
    assert error["code"] in ("VALIDATION_ERROR", "UNKNOWN_MESSAGE")
    assert error["message"]
    assert writer.edit(update(B, {"z": 1}))["sequence_number"] == 2


def test_bytes_that_are_no_message_get_error(writer):
    writer.connection.send(b"\xff\xfe\x00")
    assert writer.until("error")["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize("value", [r'"\ud800"', "1e999", "NaN"])
def test_an_operation_with_a_value_that_nothing_can_hold_is_refused_by_its_id(writer, value):
    operation_id = str(uuid.uuid4())
    steps = json.dumps([update(B, {"z": "here"})]).replace('"here"', value)
    told = f'"message_type": "diagram_operation", "operation_id": "{operation_id}"'
    writer.send_text(f'{{{told}, "operation": {{"type": "patch", "cells": {steps}}}}}')
    answer = writer.until("operation_rejected", "error")
    rejected(answer, "validation_failed", operation_id=operation_id)
    assert writer.edit(update(B, {"z": 1}))["sequence_number"] == 2


def test_twenty_malformed_messages_in_a_row_are_4400(writer):
    for _ in range(19):
        writer.send_text("nonsense")
    writer.send("cursor", cursor_position={"x": 1, "y": 2})
    for _ in range(19):
        writer.send_text("nonsense")
    writer.edit(update(B, {"z": 1}))
    for _ in range(20):
        writer.send_text("nonsense")
    assert writer.closed() == 4400
    assert writer.kinds().count("error") == 19 + 19 + 20


def test_a_message_too_large_is_4413(writer, second):
    filler = "x" * (65_536 - len('{"message_type": "undo_request", "x": ""}'))
    writer.send_text('{"message_type": "undo_request", "x": "' + filler + '"}')
    writer.until("history_operation")
    writer.send_text('{"message_type": "undo_request", "x": "' + filler + 'y"}')
    assert writer.closed() == 4413
    assert second.edit(update(B, {"z": 1}))["sequence_number"] == 2


def test_ten_bursts_beyond_the_limit_within_ten_seconds_are_4429(drawing, writer, second):
    text = json.dumps({"message_type": "undo_request"})
    for _ in range(900):
        try:
            writer.send_text(text)
        except Exception:
            break
    assert writer.closed(20) == 4429
    assert second.edit(update(B, {"z": 1}))["message_type"] == "diagram_operation"


# -- syncing


def test_sync_request_brings_the_missed_operations(writer, draw, served):
    cells = [*CELLS, *(box(str(uuid.UUID(int=number))) for number in range(1, 40))]
    tab = draw(served, cells).join("writer")
    done = [tab.edit(update(B, {"z": number})) for number in range(3)]
    tab.send("sync_request", update_vector=2)
    assert [tab.next(), tab.next()] == done[1:]


def test_sync_request_brings_the_diagram_if_that_is_fewer_bytes_or_the_vector_is_ahead(writer):
    for number in range(8):
        writer.edit(update(B, {"z": number}))
    for vector in (1, 10, 10**30, -1):
        writer.send("sync_request", update_vector=vector)
        state = writer.next()
        assert (kind_of(state), state["update_vector"]) == ("diagram_state", 9)
        assert state["cells"][1]["z"] == 7


def test_sync_request_brings_sync_status_when_up_to_date(writer):
    writer.send("sync_request", update_vector=1)
    assert writer.until("sync_status", "diagram_state")["update_vector"] == 1


def test_a_reader_may_sync(drawing):
    reader = drawing.join("reader")
    reader.send("sync_request", update_vector=1)
    reader.until("sync_status")


# -- undo and redo


def undone(tab, kind="undo"):
    tab.send(f"{kind}_request")
    answer = tab.until("history_operation")
    assert set(answer) == {
        "message_type",
        "operation_type",
        "message",
        "operation_id",
        "undone_operation_id",
        "timestamp",
    }
    assert answer["operation_type"] == kind
    return answer


def test_undo_and_redo_are_operations_that_everybody_gets(drawing, writer, second):
    done = writer.edit(update(B, {"z": 1}))
    answer = undone(writer)
    assert (answer["message"], answer["undone_operation_id"]) == ("done", done["operation_id"])
    second.until("diagram_operation", sequence_number=2)
    told = second.until("diagram_operation")
    assert (told["operation_id"], told["sequence_number"]) == (answer["operation_id"], 3)
    assert told["operation"]["cells"] == [update(B, {"z": None})]
    assert told["user_internal_uuid"] == drawing.person("writer")
    again = undone(writer, "redo")
    assert (again["message"], again["undone_operation_id"]) == ("done", done["operation_id"])
    assert second.until("diagram_operation")["operation"]["cells"] == [update(B, {"z": 1})]
    assert drawing.vector() == 4


def test_each_person_undoes_their_own_operations(drawing, writer, second):
    writer.edit(update(B, {"z": 1}))
    second.edit(update(A, {"z": 2}))
    undone(writer)
    cells = drawing.cells()
    assert ("z" in cells[B], cells[A]["z"]) == (False, 2)
    assert undone(writer)["message"] == "no_operations_to_undo"


def test_what_others_have_changed_since_is_left_alone_and_the_next_request_goes_on(drawing, writer, second):
    earlier = writer.edit(update(A, {"z": 5}))
    kept = writer.edit(update(B, {"properties": {"label": "mine"}}))
    second.edit(update(B, {"properties": {"label": "theirs"}}))
    answer = undone(writer)
    assert answer["message"] == "changed_by_others"
    assert (answer["operation_id"], answer["undone_operation_id"]) == (None, kept["operation_id"])
    assert drawing.cells()[B]["properties"]["label"] == "theirs"
    answer = undone(writer)
    assert (answer["message"], answer["undone_operation_id"]) == ("done", earlier["operation_id"])


def test_undo_reaches_back_over_reconnects_rest_writes_and_reverts(served, drawing):
    served.api("writer", "PATCH", f"{drawing.at}/cells/{B}", {"z": 1})
    tab = drawing.join("writer")
    tab.edit(update(B, {"z": 2}))
    tab.close()
    served.api("writer", "POST", f"{drawing.at}/operations/1/revert")
    tab = drawing.join("writer")
    expected = [2, 1, None]
    for z in expected:
        assert undone(tab)["message"] == "done"
        assert drawing.cells()[B].get("z") == z
    assert undone(tab)["message"] == "no_operations_to_undo"


def test_with_nothing_to_take_back_that_is_said(writer):
    for kind in ("undo", "redo"):
        answer = undone(writer, kind)
        assert answer["message"] == f"no_operations_to_{kind}"
        assert (answer["operation_id"], answer["undone_operation_id"]) == (None, None)


def test_a_reader_cannot_undo(drawing):
    reader = drawing.join("reader")
    reader.send("undo_request")
    assert reader.until("error")["code"] == "PERMISSION_DENIED"


# -- changes by REST reach live sockets


def test_a_rest_write_of_cells_reaches_live_editors_as_one_operation(served, drawing, writer):
    body = {"diagram_data": {"cells": [box(A, "trust_boundary", z=1), box(D)]}}
    served.api("owner", "PATCH", drawing.at, body)
    told = writer.until("diagram_operation")
    assert (told["user_internal_uuid"], told["sequence_number"]) == (drawing.person("owner"), 2)
    assert {step["id"]: step["operation"] for step in told["operation"]["cells"]} == {
        D: "add",
        A: "update",
        B: "remove",
        C: "remove",
    }


def test_a_rest_write_of_one_cell_and_a_revert_reach_live_editors_in_order(served, drawing, writer):
    served.api("owner", "PATCH", f"{drawing.at}/cells/{B}", {"z": 8})
    served.api("owner", "DELETE", f"{drawing.at}/cells/{A}")
    served.api("owner", "POST", f"{drawing.at}/operations/1/revert")
    told = [writer.until("diagram_operation") for _ in range(3)]
    assert [one["sequence_number"] for one in told] == [2, 3, 4]
    assert writer.edit(update(A, {"z": 1}))["sequence_number"] == 5


def test_a_rest_write_that_is_refused_reaches_nobody(served, drawing, writer):
    with pytest.raises(Exception, match="400"):
        served.api("owner", "PATCH", f"{drawing.at}/cells/{B}", {"type": "cloud"})
    assert writer.fence() == []


def test_the_picture_and_the_history_show_what_was_edited_at_once(served, drawing, writer):
    done = writer.edit(update(B, {"properties": {"label": "Till"}}))
    (latest, *_) = served.api("reader", "GET", f"{drawing.at}/operations")
    assert (latest["operation_id"], latest["operation"]) == (done["operation_id"], done["operation"])
    assert drawing.cells()[B]["properties"]["label"] == "Till"


def test_a_deleted_asset_vanishes_from_the_cells_of_live_editors_and_comes_back(served, drawing, writer):
    asset = served.api("owner", "POST", f"{drawing.path}/assets", {"name": "Cards", "type": "data"})["id"]
    writer.edit(update(B, {"data_asset_ids": [asset]}))
    served.api("owner", "DELETE", f"{drawing.path}/assets/{asset}")
    state = writer.until("diagram_state")
    assert state["cells"][1]["data_asset_ids"] == []
    served.api("owner", "POST", f"{drawing.path}/assets/{asset}/restore")
    assert writer.until("diagram_state")["cells"][1]["data_asset_ids"] == [asset]
