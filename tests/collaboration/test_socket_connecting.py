"""Who gets in, by cookie or ticket, what they are sent first, and the codes of those who are refused."""

from __future__ import annotations

import threading
import uuid

import pytest

from tests.collaboration.served import CELLS, A, B
from tests.collaboration.tab import kind_of, open_tab, status_of
from threatmodels.operations import update


@pytest.fixture(scope="module")
def cookie(served):
    """The Cookie header of a browser in which the writer is signed in."""
    held = served.browser("writer").cookies
    return {"Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in held)}


def refused(tab):
    """The code of a socket that is closed at once, before anything is sent."""
    code = tab.closed()
    assert tab.seen == []
    return code


# -- cookie and Origin


def test_the_browsers_session_cookie_with_our_origin_opens_the_socket(served, drawing, cookie):
    tab = open_tab(served.url, drawing.id, headers=cookie, origin=served.url)
    listing = tab.until("participants_update")
    assert [one["user_internal_uuid"] for one in listing["participants"]] == [drawing.person("writer")]
    tab.close()


def test_odd_cookies_beside_ours_change_nothing(served, drawing, cookie):
    odd = {"Cookie": 'prefs={"a":1}; x[y]=1; a=b c; ' + cookie["Cookie"]}
    tab = open_tab(served.url, drawing.id, headers=odd, origin=served.url)
    tab.until("participants_update")
    tab.close()


@pytest.mark.asvs("v5.0.0-4.4.2")
@pytest.mark.parametrize(
    "origin",
    [None, "https://evil.example", "null", "http://localhost:1", "http://localhost.evil.example", "file://"],
)
def test_a_cookie_with_a_missing_or_foreign_origin_is_answered_403_before_the_upgrade(
    served, drawing, cookie, origin
):
    opening = lambda: open_tab(served.url, drawing.id, headers=cookie, origin=origin)  # noqa: E731
    assert status_of(opening) == 403


def test_the_origin_matters_only_with_a_cookie(served, drawing):
    ticket = served.ticket("writer")
    tab = open_tab(served.url, drawing.id, query=f"ticket={ticket}", origin="https://elsewhere.example")
    assert kind_of(tab.next()) == "diagram_state"
    tab.close()


def test_neither_cookie_nor_ticket_is_4401(served, drawing):
    assert refused(open_tab(served.url, drawing.id)) == 4401
    assert refused(open_tab(served.url, drawing.id, origin="https://evil.example")) == 4401


def test_a_cookie_that_is_nobodys_is_4401(served, drawing):
    cookies = {"Cookie": "; ".join(f"{name}=nonsense" for name in ("sessionid", "tmi_session"))}
    tab = open_tab(served.url, drawing.id, headers=cookies, origin=served.url)
    assert refused(tab) == 4401


def test_an_address_without_a_socket_and_a_foreign_host_are_403(served, drawing, cookie):
    assert status_of(lambda: open_tab(served.url, f"{drawing.id}/more", headers=cookie)) == 403
    foreign = {"headers": cookie, "origin": "http://evil.example", "host": "evil.example"}
    assert status_of(lambda: open_tab(served.url, drawing.id, **foreign)) == 403


# -- tickets


@pytest.mark.asvs("v5.0.0-4.4.3")
def test_a_ticket_opens_one_socket_and_no_second(served, drawing):
    ticket = served.ticket("writer")
    drawing.join(ticket=ticket)
    assert refused(drawing.open(ticket=ticket)) == 4401


def test_a_ticket_is_spent_atomically(served, drawing):
    ticket, codes = served.ticket("writer"), []
    start = threading.Barrier(4)

    def try_it():
        start.wait()
        tab = drawing.open(ticket=ticket)
        try:
            tab.until("diagram_state", timeout=10)
            codes.append("in")
        except AssertionError:
            codes.append(tab.code)

    threads = [threading.Thread(target=try_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes, key=str) == [4401, 4401, 4401, "in"]


@pytest.mark.parametrize("ticket", ["", "nonsense", "%00", "x" * 3000])
def test_a_ticket_that_is_none_is_4401(served, drawing, ticket):
    assert refused(open_tab(served.url, drawing.id, query=f"ticket={ticket}")) == 4401


@pytest.mark.asvs("v5.0.0-4.4.4")
def test_a_ticket_of_a_sign_in_that_has_ended_is_4401(served, drawing):
    mine = served.token("writer")
    ticket = served.ticket_of(mine["access_token"])
    served.site._send("POST", "/auth/revoke", {"token": mine["refresh_token"]}, {})
    assert refused(drawing.open(ticket=ticket)) == 4401


# -- which diagram


def test_who_may_not_see_the_diagram_gets_4404_as_if_there_were_none(served, drawing):
    assert refused(drawing.open("outsider")) == 4404
    for unknown in (uuid.uuid4(), "nonsense", "%00"):
        tab = open_tab(served.url, unknown, query=f"ticket={served.ticket('writer')}")
        assert refused(tab) == 4404


def test_a_deleted_diagram_is_4404(served, drawing):
    served.api("owner", "DELETE", drawing.at)
    assert refused(drawing.open("owner")) == 4404


def test_a_reader_may_connect_and_watch(drawing):
    reader, writer = drawing.join("reader"), drawing.join("writer")
    writer.edit(update(B, {"z": 3}))
    assert reader.until("diagram_operation")["operation"]["cells"] == [update(B, {"z": 3})]


# -- what is sent first


def test_on_joining_diagram_state_comes_first_and_participants_update_second(drawing):
    tab = drawing.open("writer")
    state, listing = tab.next(), tab.next()
    assert (kind_of(state), kind_of(listing)) == ("diagram_state", "participants_update")
    assert (state["diagram_id"], state["update_vector"], state["cells"]) == (drawing.id, 1, CELLS)
    (me,) = listing["participants"]
    writer = drawing.person("writer")
    assert set(me) == {
        "user_internal_uuid",
        "name",
        "color",
        "role",
        "is_host",
        "is_presenter",
        "joined_at",
    }
    assert (me["user_internal_uuid"], me["name"], me["role"]) == (writer, "Writer", "writer")
    assert (me["is_host"], me["is_presenter"]) == (True, True)
    assert (listing["host"], listing["current_presenter"]) == (writer, writer)


def test_the_diagram_of_whoever_joins_later_has_what_was_done_before(drawing):
    first = drawing.join("writer")
    done = first.edit(update(B, {"properties": {"label": "Till"}}))
    state = drawing.open("second").next()
    assert state["update_vector"] == done["sequence_number"] == 2
    assert state["cells"][1]["properties"] == {"label": "Till"}


@pytest.fixture
def busy(served, draw):
    """A diagram of forty cells with three operations after the first."""
    cells = [*CELLS, *({**CELLS[1], "id": str(uuid.UUID(int=number))} for number in range(1, 38))]
    made = draw(served, cells)
    tab = made.join("second")
    made.edits = [tab.edit(update(B, {"z": number})) for number in (1, 2, 3)]
    return made


def test_with_since_the_missed_operations_come_instead_of_the_diagram(busy):
    tab = busy.open("writer", since=2)
    assert [tab.next() for _ in range(3)][:2] == busy.edits[1:]
    assert kind_of(tab.seen[2]) == "participants_update"


def test_with_since_from_before_the_server_kept_anything_the_log_is_read(served, busy):
    # Nobody is there for so long that the process forgets the diagram.
    busy.close()
    until_forgotten = busy.open("writer", since=4)
    assert kind_of(until_forgotten.next()) == "sync_status"
    tab = busy.open("writer", since=1)
    assert [tab.next() for _ in range(3)] == busy.edits


def test_with_since_and_nothing_missed_sync_status_comes(busy):
    tab = busy.open("writer", since=4)
    status, listing = tab.next(), tab.next()
    assert (kind_of(status), status["update_vector"]) == ("sync_status", 4)
    assert set(status) == {"message_type", "update_vector", "timestamp"}
    assert kind_of(listing) == "participants_update"


@pytest.mark.parametrize(
    "since", ["5", "999999999999999999999999", "-1", "", "abc", "1.5", "٣", "0x1", " 1", "1e0"]
)
def test_with_since_ahead_or_malformed_the_diagram_comes(busy, since):
    tab = busy.open("writer", since=since)
    assert kind_of(tab.next()) == "diagram_state"
    assert tab.seen[0]["update_vector"] == 4
    assert kind_of(tab.next()) == "participants_update"


def test_with_since_the_diagram_comes_when_it_is_fewer_bytes(served, draw):
    drawing = draw(served, [CELLS[1]])
    tab = drawing.join("writer")
    for number in range(6):
        tab.edit(update(B, {"z": number}))
    assert kind_of(drawing.open("second", since=1).next()) == "diagram_state"


# -- joining and leaving


def test_the_others_get_join_and_participants_update_when_somebody_joins(drawing):
    writer = drawing.join("writer")
    drawing.join("second")
    joined = writer.until("join")
    assert joined["user_internal_uuid"] == drawing.person("second")
    both = {drawing.person("writer"), drawing.person("second")}
    listing = writer.until("participants_update")
    assert {one["user_internal_uuid"] for one in listing["participants"]} == both


def test_the_others_get_leave_and_participants_update_when_somebody_leaves(drawing):
    writer, second = drawing.join("writer"), drawing.join("second")
    writer.until("join")
    second.close()
    assert writer.until("leave")["user_internal_uuid"] == drawing.person("second")
    assert len(writer.until("participants_update")["participants"]) == 1


def test_a_person_with_two_tabs_joins_once_and_leaves_once(drawing):
    writer = drawing.join("writer")
    one, other = drawing.join("second"), drawing.join("second")
    writer.until("join")
    one.close()
    drawing.join("reader")
    # When the reader's coming is told, the first tab's going would have been.
    writer.people(lambda told: len(told["participants"]) == 3)
    other.close()
    writer.until("leave")
    writer.people(lambda told: len(told["participants"]) == 2)
    second = drawing.person("second")
    moves = [m["event"] for m in writer.seen if m.get("event") and m["user_internal_uuid"] == second]
    assert moves == ["join", "leave"]


def test_nobody_is_told_of_their_own_joining(drawing):
    writer = drawing.join("writer")
    drawing.join("reader")
    writer.people(lambda told: len(told["participants"]) == 2)
    mine = drawing.person("writer")
    assert [m for m in writer.seen if m.get("event") == "join" and m["user_internal_uuid"] == mine] == []


def test_colours_tell_people_apart_and_are_the_same_for_everybody(drawing):
    tabs = [drawing.join(name) for name in ("writer", "second", "reader", "owner")]
    told = [tab.people(lambda m: len(m["participants"]) == 4) for tab in tabs[:3]] + [
        m for m in tabs[3].seen if kind_of(m) == "participants_update"
    ]
    colours = [{p["user_internal_uuid"]: p["color"] for p in one["participants"]} for one in told]
    assert all(one == colours[0] for one in colours)
    assert len(set(colours[0].values())) == 4


def test_the_participants_are_told_with_the_role_each_has(drawing):
    for name in ("writer", "reader"):
        drawing.join(name)
    listing = next(m for m in reversed(drawing.join("owner").seen) if kind_of(m) == "participants_update")
    assert [one["role"] for one in listing["participants"]] == ["writer", "reader", "owner"]


# -- too many


def test_the_sixth_connection_of_a_person_is_4429_and_the_others_stay(drawing):
    tabs = [drawing.join("writer") for _ in range(5)]
    assert refused(drawing.open("writer")) == 4429
    assert tabs[0].edit(update(A, {"z": 1}))["message_type"] == "diagram_operation"
    tabs[4].close()
    tabs[0].send("sync_request", update_vector=-1)
    tabs[0].until("diagram_state")
    drawing.join("second")
    drawing.join("writer")


def test_connections_opened_at_once_are_not_more_than_allowed(served, drawing):
    tickets = [served.ticket("writer") for _ in range(12)]
    tabs, start = [], threading.Barrier(12)

    def try_it(ticket):
        start.wait()
        tabs.append(drawing.open(ticket=ticket))

    threads = [threading.Thread(target=try_it, args=[ticket]) for ticket in tickets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    codes = []
    for tab in tabs:
        try:
            tab.until("participants_update", timeout=5)
        except AssertionError:
            codes.append(tab.code)
    assert codes == [4429] * 7
