"""Presence, the presenter, the host, removal and the end of a session, as sockets see them."""

from __future__ import annotations

import time
import urllib.error
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.collaboration.served import A, B
from tests.collaboration.tab import kind_of, open_tab
from threatmodels.operations import update


@pytest.fixture
def writer(drawing):
    """The host and presenter."""
    return drawing.join("writer")


@pytest.fixture
def second(drawing, writer):
    return drawing.join("second")


@pytest.fixture
def reader(drawing, writer, second):
    tab = drawing.join("reader")
    for other in (writer, second):
        other.people(lambda told: len(told["participants"]) == 3)
    return tab


def participant(told, user_id):
    return next((one for one in told["participants"] if one["user_internal_uuid"] == user_id), None)


@pytest.mark.parametrize("_again", range(3))
def test_whoever_comes_in_is_told_only_of_those_whom_their_list_does_not_name(drawing, _again):
    with ThreadPoolExecutor(4) as pool:
        tabs = list(pool.map(drawing.join, ("writer", "second", "owner", "reader")))
    time.sleep(0.5)  # comings are told a tenth of a second apart
    for tab in tabs:
        tab.fence()
        [first, *_] = [message for message in tab.seen if kind_of(message) == "participants_update"]
        listed = {one["user_internal_uuid"] for one in first["participants"]}
        joined = {message["user_internal_uuid"] for message in tab.seen if kind_of(message) == "join"}
        assert not joined & listed


# -- presence


def test_a_cursor_is_relayed_to_the_others_with_the_persons_id(drawing, writer, second, reader):
    reader.send("cursor", cursor_position={"x": 1.5, "y": -2})
    for tab in (writer, second):
        told = tab.until("cursor")
        assert set(told) == {"message_type", "user_internal_uuid", "cursor_position", "timestamp"}
        assert told["user_internal_uuid"] == drawing.person("reader")
        assert told["cursor_position"] == {"x": 1.5, "y": -2}
    assert reader.fence() == []


def test_a_selection_is_relayed_to_the_others_with_the_persons_id(drawing, writer, second):
    second.send("selection", selected_cells=[A, B])
    told = writer.until("selection")
    assert set(told) == {"message_type", "user_internal_uuid", "selected_cells", "timestamp"}
    assert (told["user_internal_uuid"], told["selected_cells"]) == (drawing.person("second"), [A, B])


def test_cursors_come_at_most_thirty_times_a_second_and_later_ones_replace_earlier_ones(writer, second):
    seconds, sent = 1.0, 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sent += 1
        second.send("cursor", cursor_position={"x": sent, "y": 0})
        time.sleep(0.004)
    second.send("cursor", cursor_position={"x": -1, "y": 0})
    writer.until("cursor", cursor_position={"x": -1, "y": 0})
    places = [m["cursor_position"]["x"] for m in writer.seen if kind_of(m) == "cursor"]
    assert sent > 60
    assert 3 < len(places) <= 30 * seconds + 3
    assert places[:-1] == sorted(places[:-1])


def test_presence_is_never_stored(drawing, writer, second):
    second.send("cursor", cursor_position={"x": 1, "y": 1})
    second.send("selection", selected_cells=[A])
    writer.until("selection")
    late = drawing.join("owner")
    assert {"cursor", "selection"}.isdisjoint(kind_of(message) for message in [*late.seen, *late.fence()])
    assert drawing.vector() == 1


# -- presenting


def test_presenter_cursor_selection_and_viewport_are_the_presenters(drawing, writer, second):
    writer.send("presenter_cursor", cursor_position={"x": 1, "y": 2})
    writer.send("presenter_selection", selected_cells=[B])
    writer.send("presenter_viewport", x=1.5, y=2, zoom=0.5)
    me = drawing.person("writer")
    told = {
        kind: second.until(kind) for kind in ("presenter_cursor", "presenter_selection", "presenter_viewport")
    }
    assert {one["user_internal_uuid"] for one in told.values()} == {me}
    assert set(told["presenter_selection"]) == {
        "message_type",
        "user_internal_uuid",
        "selected_cells",
        "timestamp",
    }
    viewport = told["presenter_viewport"]
    assert (viewport["x"], viewport["y"], viewport["zoom"]) == (1.5, 2, 0.5)


def test_from_anyone_else_they_are_ignored(writer, second):
    second.send("presenter_cursor", cursor_position={"x": 1, "y": 2})
    second.send("presenter_selection", selected_cells=[B])
    second.send("presenter_viewport", x=1, y=2, zoom=1)
    second.send("cursor", cursor_position={"x": 9, "y": 9})
    writer.until("cursor")
    assert not [kind for kind in writer.kinds() if kind.startswith("presenter_")]
    assert "error" not in [kind_of(message) for message in second.fence()]


def test_a_presenter_request_goes_to_the_host_and_the_host_lets_them_present(drawing, writer, second, reader):
    second.send("presenter_request")
    asked = writer.until("presenter_request_event")
    assert set(asked) == {"message_type", "user_internal_uuid", "timestamp"}
    assert asked["user_internal_uuid"] == drawing.person("second")
    writer.send("change_presenter", new_presenter=asked["user_internal_uuid"])
    for tab in (writer, second, reader):
        assert tab.until("current_presenter")["current_presenter"] == drawing.person("second")
        told = tab.people(lambda m: m["current_presenter"] == drawing.person("second"))
        assert participant(told, drawing.person("second"))["is_presenter"]
        assert not participant(told, drawing.person("writer"))["is_presenter"]
    assert "presenter_request_event" not in reader.kinds()
    second.send("presenter_cursor", cursor_position={"x": 1, "y": 2})
    assert reader.until("presenter_cursor")["user_internal_uuid"] == drawing.person("second")


def test_the_hosts_own_presenter_request_is_granted_at_once(drawing, writer, second):
    writer.send("change_presenter", new_presenter=drawing.person("second"))
    writer.until("current_presenter", current_presenter=drawing.person("second"))
    writer.send("presenter_request")
    for tab in (writer, second):
        tab.until("current_presenter", current_presenter=drawing.person("writer"))
    assert "presenter_request_event" not in writer.kinds()


def test_the_host_denies_and_the_requester_alone_is_told(drawing, writer, second, reader):
    second.send("presenter_request")
    writer.until("presenter_request_event")
    writer.send("presenter_denied", user_internal_uuid=drawing.person("second"))
    denied = second.until("presenter_denied")
    assert set(denied) == {"message_type", "user_internal_uuid", "timestamp"}
    assert "presenter_denied" not in [kind_of(message) for message in [*reader.fence(), *writer.fence()]]


@pytest.mark.parametrize("message", ["change_presenter", "presenter_denied", "remove_participant"])
def test_only_the_host_changes_the_presenter_denies_and_removes(drawing, writer, second, message):
    field = "new_presenter" if message == "change_presenter" else "user_internal_uuid"
    second.send(message, **{field: drawing.person("second")})
    assert second.until("error")["code"] == "PERMISSION_DENIED"
    assert {kind_of(m) for m in writer.fence()} <= {"join", "participants_update"}


def test_somebody_who_is_not_here_cannot_present(drawing, writer):
    writer.send("change_presenter", new_presenter=drawing.person("second"))
    assert writer.until("error")["code"] == "NOT_FOUND"


def test_a_presenter_who_leaves_hands_back_to_the_host(drawing, writer, second):
    writer.send("change_presenter", new_presenter=drawing.person("second"))
    second.until("current_presenter")
    second.close()
    writer.until("current_presenter", current_presenter=drawing.person("writer"))


def test_when_the_host_who_presents_leaves_nobody_presents(writer, second):
    writer.close()
    assert second.until("current_presenter")["current_presenter"] is None
    second.people(lambda told: told["current_presenter"] is None)


def test_a_presenter_with_another_tab_has_not_left(drawing, writer, second):
    other = drawing.join("writer")
    writer.close()
    other.send("presenter_cursor", cursor_position={"x": 1, "y": 2})
    second.until("presenter_cursor")
    assert "current_presenter" not in second.kinds()


# -- the host


def test_a_session_that_only_readers_watch_has_no_host(drawing):
    told = drawing.join("reader").seen[-1]
    assert (told["host"], told["current_presenter"]) == (None, None)
    assert not participant(told, drawing.person("reader"))["is_host"]


def test_whoever_joins_first_as_a_writer_is_host_and_presents(drawing):
    reader = drawing.join("reader")
    drawing.join("second")
    drawing.join("owner")
    second = drawing.person("second")
    told = reader.people(lambda m: len(m["participants"]) == 3)
    assert (told["host"], told["current_presenter"]) == (second, second)


def test_when_the_host_leaves_the_longest_present_writer_becomes_host(drawing, writer):
    reader, second = drawing.join("reader"), drawing.join("second")
    drawing.join("owner")
    left = time.monotonic()
    writer.close()
    told = reader.people(lambda m: m["host"] == drawing.person("second"))
    # The grace that this server is configured with.
    assert time.monotonic() - left >= 0.9
    assert participant(told, drawing.person("second"))["is_host"]
    second.send("remove_participant", user_internal_uuid=drawing.person("reader"))
    assert reader.closed() == 4403


def test_a_host_who_may_only_read_any_more_is_none(served, drawing, writer):
    reader = drawing.join("reader")
    served.api("owner", "PATCH", drawing.entry("writer"), {"role": "reader"})
    writer.people(lambda m: participant(m, drawing.person("writer"))["role"] == "reader", timeout=SOON)
    writer.send("remove_participant", user_internal_uuid=drawing.person("reader"))
    assert writer.until("error")["code"] == "PERMISSION_DENIED"
    told = reader.people(lambda m: m["host"] is None)
    assert told["current_presenter"] in (None, drawing.person("writer"))


def test_a_host_who_comes_back_in_time_stays_host(drawing, writer, second):
    writer.close()
    second.until("leave")
    again = drawing.join("writer")
    time.sleep(1.5)
    assert again.seen[-1]["host"] == drawing.person("writer")
    told = [m for m in again.fence() + second.fence() if kind_of(m) == "participants_update"]
    assert {m["host"] for m in told} <= {drawing.person("writer")}


# -- removal


def test_the_host_removes_a_person_from_this_session_with_all_tabs(drawing, writer, second, reader):
    other = drawing.join("second")
    writer.send("remove_participant", user_internal_uuid=drawing.person("second"))
    assert (second.closed(), other.closed()) == (4403, 4403)
    assert reader.until("leave")["user_internal_uuid"] == drawing.person("second")
    reader.people(lambda told: participant(told, drawing.person("second")) is None)


def test_who_was_removed_is_barred_by_socket_and_by_rest_but_may_still_write_by_rest(
    served, drawing, writer, second
):
    writer.send("remove_participant", user_internal_uuid=drawing.person("second"))
    second.closed()
    back = drawing.open("second")
    assert (back.closed(), back.seen) == (4403, [])
    with pytest.raises(urllib.error.HTTPError, match="403"):
        served.api("second", "POST", f"{drawing.at}/collaborate")
    served.api("second", "PATCH", f"{drawing.at}/cells/{B}", {"z": 4})
    assert writer.until("diagram_operation")["user_internal_uuid"] == drawing.person("second")


def test_who_was_removed_stays_out_after_redis_was_lost(served, drawing, writer, second):
    writer.send("remove_participant", user_internal_uuid=drawing.person("second"))
    second.closed()
    served.redis.flushall()
    assert drawing.open("second").closed() == 4403


def test_the_next_session_is_open_to_who_was_removed_from_the_last(drawing, writer, second):
    writer.send("remove_participant", user_internal_uuid=drawing.person("second"))
    second.closed()
    writer.send("end_session")
    assert writer.closed() == 4410
    drawing.join("second")


def test_an_owner_cannot_be_removed(drawing, writer):
    owner = drawing.join("owner")
    writer.send("remove_participant", user_internal_uuid=drawing.person("owner"))
    assert writer.until("error")["code"] == "PERMISSION_DENIED"
    assert owner.edit(update(B, {"z": 1}))["message_type"] == "diagram_operation"


def test_somebody_who_is_not_here_cannot_be_removed(drawing, writer):
    writer.send("remove_participant", user_internal_uuid=drawing.person("outsider"))
    assert writer.until("error")["code"] == "NOT_FOUND"


# -- the end


@pytest.mark.parametrize("name", ["writer", "owner"])
def test_the_host_and_owners_end_the_session_for_everybody(drawing, writer, second, reader, name):
    ending = writer if name == "writer" else drawing.join("owner")
    ending.send("end_session")
    for tab in {writer, second, reader, ending}:
        assert tab.closed() == 4410
        ended = tab.seen[-1]
        assert (ended["event"], ended["user_internal_uuid"]) == ("session_ended", drawing.person(name))
        assert ended["message"]


@pytest.mark.parametrize("name", ["second", "reader"])
def test_others_cannot_end_the_session(drawing, writer, second, reader, name):
    tab = {"second": second, "reader": reader}[name]
    tab.send("end_session")
    assert tab.until("error")["code"] == "PERMISSION_DENIED"
    assert writer.edit(update(B, {"z": 1}))["message_type"] == "diagram_operation"


def test_a_session_ended_by_rest_ends_for_everybody(served, drawing, writer, second):
    served.api("owner", "DELETE", f"{drawing.at}/collaborate")
    for tab in (writer, second):
        assert tab.closed(2) == 4410
        assert tab.seen[-1]["user_internal_uuid"] == drawing.person("owner")


def test_after_the_end_a_new_session_begins_with_the_diagram_as_it_was(drawing, writer, second):
    second.edit(update(B, {"z": 1}))
    writer.send("end_session")
    second.closed()
    again = drawing.join("second")
    assert again.seen[0]["cells"][1]["z"] == 1
    assert again.seen[1]["host"] == drawing.person("second")


def test_a_session_ends_at_expires_at(served, drawing, writer):
    served.sql(
        "UPDATE collaboration_sessions SET created_at = now() - interval '2 days', expires_at = now()"
        " - interval '1 second' WHERE diagram_id = %s",
        drawing.id,
    )
    assert writer.closed(4) == 4410
    assert (writer.seen[-1]["event"], writer.seen[-1]["user_internal_uuid"]) == ("session_ended", None)
    assert "expired" in writer.seen[-1]["message"]


def test_whoever_was_not_told_of_the_end_is_told_how_it_came(served, drawing, writer):
    served.sql("UPDATE collaboration_sessions SET ended_at = now() WHERE diagram_id = %s", drawing.id)
    assert writer.closed(4) == 4410
    assert (writer.seen[-1]["event"], writer.seen[-1]["user_internal_uuid"]) == ("session_ended", None)
    assert writer.seen[-1]["message"] == "Nobody had been there for a while."


def test_a_session_ends_when_nobody_has_been_there_for_five_minutes(served, drawing, writer):
    session = served.api("owner", "GET", f"{drawing.at}/collaborate")["id"]
    writer.close()
    again = drawing.join("writer")
    assert served.api("owner", "GET", f"{drawing.at}/collaborate")["id"] == session
    again.close()
    there = "SELECT count(*) FROM session_participants WHERE session_id = %s AND left_at IS NULL"
    while served.sql(there, session) != [(0,)]:
        time.sleep(0.05)
    # The server writes that somebody was there right after it writes that they have left.
    time.sleep(0.3)
    served.sql(
        "UPDATE collaboration_sessions SET active_at = now() - interval '301 seconds' WHERE id = %s", session
    )
    drawing.join("second")
    assert served.api("owner", "GET", f"{drawing.at}/collaborate")["id"] != session
    (ended,) = served.sql("SELECT ended_at IS NOT NULL FROM collaboration_sessions WHERE id = %s", session)
    assert ended == (True,)


def test_people_whom_nobody_could_note_for_five_minutes_are_still_in_their_session(served, drawing, writer):
    session = served.api("owner", "GET", f"{drawing.at}/collaborate")["id"]
    # So it looks when the database was away for so long.
    served.sql(
        "UPDATE collaboration_sessions SET active_at = now() - interval '301 seconds' WHERE id = %s", session
    )
    drawing.join("second")
    assert served.api("owner", "GET", f"{drawing.at}/collaborate")["id"] == session
    writer.fence()


# -- what changes outside reaches every socket within a second

SOON = 1.5  # a second, and what a busy machine takes for everything else


def test_a_role_lowered_is_told_and_the_person_can_no_longer_edit(served, drawing, writer, second):
    served.api("owner", "PATCH", drawing.entry("second"), {"role": "reader"})
    for tab in (writer, second):
        told = tab.people(
            lambda m: participant(m, drawing.person("second"))["role"] == "reader", timeout=SOON
        )
        assert told
    assert second.edit(update(B, {"z": 1}))["reason"] == "permission_denied"


def test_a_role_raised_is_told_and_the_person_can_edit(served, drawing, writer, reader):
    served.api("owner", "PATCH", drawing.entry("reader"), {"role": "writer"})
    writer.people(lambda m: participant(m, drawing.person("reader"))["role"] == "writer", timeout=SOON)
    assert reader.edit(update(B, {"z": 1}))["message_type"] == "diagram_operation"


@pytest.mark.asvs("v5.0.0-8.3.2")
def test_a_role_taken_away_closes_with_4403(served, drawing, writer, second):
    served.api("owner", "DELETE", drawing.entry("second"))
    assert second.closed(SOON) == 4403
    writer.people(lambda m: participant(m, drawing.person("second")) is None, timeout=SOON)
    assert drawing.open("second").closed() == 4404


def test_a_sign_out_closes_the_sockets_of_that_sign_in_and_no_others(served, drawing, writer):
    mine = served.token("second")
    tab, other = drawing.join(ticket=served.ticket_of(mine["access_token"])), drawing.join("second")
    served.site._send("POST", "/auth/revoke", {"token": mine["refresh_token"]}, {})
    assert tab.closed(SOON) == 4401
    assert other.edit(update(B, {"z": 1}))["message_type"] == "diagram_operation"


def test_a_sign_out_by_the_page_closes_the_browsers_socket(served, drawing):
    browser = served.browser("second")
    cookie = {"Cookie": "; ".join(f"{one.name}={one.value}" for one in browser.cookies)}
    tab = open_tab(served.url, drawing.id, headers=cookie, origin=served.url)
    tab.until("participants_update")
    sessions = browser.get(f"{served.url}/api/v1/me/sessions", timeout=20).json()["data"]
    current = next(one["id"] for one in sessions if one["current"])
    served.api("second", "DELETE", f"/me/sessions/{current}")
    assert tab.closed(SOON) == 4401


@pytest.mark.asvs("v5.0.0-7.4.2", "v5.0.0-8.3.2")
def test_a_deactivated_person_is_closed_with_4401(served, drawing, writer):
    drawing.share("leaver", "writer")
    tab = drawing.join("leaver")
    served.sql("UPDATE users SET is_active = false WHERE internal_uuid = %s", served.ids["leaver"])
    # Past the application, so that nobody announces it: it is found all the same.
    assert tab.closed(SOON) == 4401
    writer.until("leave")


@pytest.mark.parametrize("what", ["diagram", "model"])
def test_a_deleted_diagram_or_model_ends_the_session_with_4410(served, drawing, writer, reader, what):
    served.api("owner", "DELETE", drawing.at if what == "diagram" else drawing.path)
    for tab in (writer, reader):
        assert tab.closed(SOON) == 4410
        assert tab.seen[-1]["event"] == "session_ended"
        assert tab.seen[-1]["user_internal_uuid"] is None
        assert "deleted" in tab.seen[-1]["message"]


def test_an_edit_at_the_moment_of_the_deletion_changes_nothing(served, drawing, writer):
    served.sql("UPDATE diagrams SET deleted_at = now() WHERE id = %s", drawing.id)
    writer.ask(update(B, {"z": 1}))
    assert writer.closed(SOON) == 4410
    assert "diagram_operation" not in writer.kinds()
    assert served.sql("SELECT update_vector FROM diagrams WHERE id = %s", drawing.id) == [(1,)]


# -- the seed's keys in Redis


def test_the_seeds_keys_are_there_with_a_time_to_live_and_the_seeds_fields(served, drawing, writer, second):
    done = writer.edit(update(B, {"z": 1}))
    session = served.api("owner", "GET", f"{drawing.at}/collaborate")["id"]
    people = {drawing.person("writer"), drawing.person("second")}
    connections, presenter = f"ws:connections:{drawing.id}", f"ws:presenter:{drawing.id}"
    held, operations = f"collab:session:{session}", f"collab:operations:{session}"
    end = time.monotonic() + 5
    while served.redis.smembers(connections) != people and time.monotonic() < end:
        time.sleep(0.05)
    assert served.redis.smembers(connections) == people
    assert served.redis.get(presenter) == drawing.person("writer")
    fields = served.redis.hgetall(held)
    assert set(fields) == {"host_user_internal_uuid", "diagram_id", "participants"}
    assert (fields["host_user_internal_uuid"], fields["diagram_id"]) == (drawing.person("writer"), drawing.id)
    assert all(user_id in fields["participants"] for user_id in people)
    assert served.redis.llen(operations) == 1
    assert done["operation_id"] in served.redis.lindex(operations, 0)
    for key in (connections, presenter, held, operations):
        assert 0 < served.redis.ttl(key) <= 3600, key


def test_the_keys_follow_who_leaves_and_who_presents(served, drawing, writer, second):
    writer.close()
    second.until("current_presenter")
    connections, presenter = f"ws:connections:{drawing.id}", f"ws:presenter:{drawing.id}"
    end = time.monotonic() + 5
    while time.monotonic() < end and served.redis.smembers(connections) != {drawing.person("second")}:
        time.sleep(0.05)
    assert served.redis.smembers(connections) == {drawing.person("second")}
    assert served.redis.get(presenter) is None


def test_when_redis_is_emptied_presence_is_there_again_within_two_seconds(served, drawing, writer, second):
    served.redis.flushall()
    end = time.monotonic() + 2.5
    connections = f"ws:connections:{drawing.id}"
    while time.monotonic() < end and served.redis.scard(connections) != 2:
        time.sleep(0.05)
    assert served.redis.scard(connections) == 2
    second.send("cursor", cursor_position={"x": 4, "y": 2})
    writer.until("cursor")


# -- threats, which are no part of the cells


def test_everybody_is_told_once_that_threats_were_made_and_that_a_suggestion_was_dismissed(
    served, drawing, writer, second
):
    rows = [{"name": f"Threat {number}", "diagram_id": drawing.id, "cell_id": A} for number in range(5)]
    served.api("writer", "POST", f"{drawing.path}/threats/bulk", rows)
    for tab in (writer, second):
        told = tab.until("threats_changed")
        assert set(told) == {"message_type", "timestamp"}
        time.sleep(0.3)
        assert tab.fence() == []
    dismissed = {"suggestions": [{"cell_id": B, "category": "Spoofing"}], "reason": "Inside the building."}
    served.api("writer", "POST", f"{drawing.at}/suggestions/dismiss", dismissed)
    second.until("threats_changed")
