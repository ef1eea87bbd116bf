"""The other engine, and two processes that serve one diagram: what one takes, the other tells."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from tests.collaboration.served import CELLS, A, B, D
from tests.collaboration.tab import kind_of, open_tab, status_of
from tests.threatmodels.drawing import STRANGER, box
from threatmodels.operations import add, remove, update

HALF_MIB = 512 * 1024


@pytest.fixture
def drawing(served_by_two, draw):
    return draw(served_by_two)


def process_of(served, tab):
    """The id of the web process that holds the other end of a socket."""
    port = tab.connection.socket.getsockname()[1]
    for child in psutil.Process(served.site.process.pid).children(recursive=True):
        try:
            ends = child.net_connections("tcp")
        except psutil.Error:
            continue
        if any(end.raddr and end.raddr.port == port for end in ends):
            return child.pid
    raise AssertionError("no process holds this socket")


def apart(drawing, *names):
    """A socket for each name, no two neighbours at the same process."""
    tabs = []
    for name in names:
        for _ in range(40):
            tab = drawing.join(name)
            if not tabs or process_of(drawing.served, tab) != process_of(drawing.served, tabs[-1]):
                tabs.append(tab)
                break
            tab.close()
        else:
            raise AssertionError("all sockets came to one process")
    return tabs


# -- a core of the protocol at the other engine


def test_joining_editing_and_leaving_are_the_same_at_the_other_engine(drawing):
    writer = drawing.open("writer")
    state, listing = writer.next(), writer.next()
    assert (kind_of(state), kind_of(listing)) == ("diagram_state", "participants_update")
    assert state["cells"] == CELLS
    second = drawing.join("second")
    writer.until("join")
    done = writer.edit(update(B, {"z": 1}))
    assert second.until("diagram_operation") == done
    assert writer.edit(update(STRANGER, {"z": 1}))["reason"] == "conflict_detected"
    second.close()
    writer.until("leave")


def test_refusals_are_the_same_at_the_other_engine(served_by_two, drawing):
    for tab, code in (
        (open_tab(served_by_two.url, drawing.id), 4401),
        (drawing.open("outsider"), 4404),
    ):
        assert (tab.closed(), tab.seen) == (code, [])
    headers = {
        "Cookie": "; ".join(f"{one.name}={one.value}" for one in served_by_two.browser("writer").cookies)
    }
    foreign = lambda: open_tab(  # noqa: E731
        served_by_two.url, drawing.id, headers=headers, origin="https://evil.example"
    )
    assert status_of(foreign) == 403
    open_tab(served_by_two.url, drawing.id, headers=headers, origin=served_by_two.url).until("diagram_state")


def test_close_codes_are_the_same_at_the_other_engine(drawing):
    malformed, large, ending = (drawing.join(name) for name in ("second", "reader", "owner"))
    for _ in range(20):
        malformed.send_text("nonsense")
    assert malformed.closed() == 4400
    large.send_text('{"message_type": "undo_request", "x": "' + "x" * 65_536 + '"}')
    assert large.closed() == 4413
    ending.send("end_session")
    assert ending.closed() == 4410


# -- two processes


def test_both_processes_see_each_others_edits_in_one_order(drawing):
    one, other = apart(drawing, "writer", "second")
    for number in range(10):
        one.ask(update(B, {"properties": {"one": number}}))
        other.ask(update(B, {"properties": {"other": number}}))
    told = [[tab.until("diagram_operation") for _ in range(20)] for tab in (one, other)]
    assert told[0] == told[1]
    assert [message["sequence_number"] for message in told[0]] == list(range(2, 22))
    assert drawing.cells()[B]["properties"] == {"label": "x", "one": 9, "other": 9}


def test_a_conflict_between_processes_is_decided_by_the_database(drawing):
    one, other = apart(drawing, "writer", "second")
    one.ask(remove(B))
    other.ask(update(B, {"z": 1}))
    answers = [tab.until("diagram_operation", "operation_rejected") for tab in (one, other)]
    told = one.fence()
    removed = {m["sequence_number"] for m in [*one.seen] if kind_of(m) == "diagram_operation"}
    assert removed in ({2}, {2, 3}), told
    assert B not in drawing.cells()
    assert kind_of(answers[0]) == "diagram_operation"


def test_a_resend_to_another_process_is_recognised(drawing):
    one, other = apart(drawing, "writer", "writer")
    done = one.edit(add(box(D)))
    assert other.edit(add(box(D)), operation_id=done["operation_id"]) == done
    assert drawing.vector() == 2


def test_join_and_leave_are_told_across_processes_once_for_tabs_at_both(drawing):
    watching, first, other = apart(drawing, "writer", "second", "second")
    first.close()
    other.close()
    watching.until("leave")
    moves = [m["event"] for m in watching.seen if m.get("user_internal_uuid") == drawing.person("second")]
    # While a tab was found at the right process, others came and went.
    assert moves[0] == "join"
    assert moves == ["join", "leave"] * (len(moves) // 2)


def test_participants_are_the_same_at_both_processes(drawing):
    one, other = apart(drawing, "writer", "second")
    both = {drawing.person("writer"), drawing.person("second")}
    listed = []
    for tab in (one, other):
        # Until nobody has anything more to tell of sockets that were closed on the way here.
        with suppress(TimeoutError):
            while True:
                tab.next(1.5)
        known = [m for m in tab.seen if kind_of(m) == "participants_update"][-1]
        assert {p["user_internal_uuid"] for p in known["participants"]} == both
        listed.append({key: known[key] for key in ("participants", "host", "current_presenter")})
    assert listed[0] == listed[1]


def test_presence_and_presenting_cross_processes(drawing):
    host, other = apart(drawing, "writer", "second")
    other.send("cursor", cursor_position={"x": 3, "y": 4})
    assert host.until("cursor")["user_internal_uuid"] == drawing.person("second")
    other.send("presenter_request")
    host.until("presenter_request_event")
    host.send("change_presenter", new_presenter=drawing.person("second"))
    other.until("current_presenter", current_presenter=drawing.person("second"))
    other.send("presenter_viewport", x=1, y=2, zoom=2)
    host.until("presenter_viewport")
    host.send("presenter_denied", user_internal_uuid=drawing.person("second"))
    other.until("presenter_denied")


def test_removal_and_the_end_cross_processes_with_who_did_it(drawing):
    host, removed = apart(drawing, "writer", "second")
    host.send("remove_participant", user_internal_uuid=drawing.person("second"))
    assert removed.closed(3) == 4403
    host, reader = apart(drawing, "writer", "reader")
    host.send("end_session")
    assert reader.closed(3) == 4410
    assert reader.seen[-1]["user_internal_uuid"] == drawing.person("writer")
    assert reader.seen[-1]["message"] == "The session was ended."


def test_a_rest_write_reaches_the_sockets_of_both_processes(served_by_two, drawing):
    tabs = apart(drawing, "writer", "second")
    for z in (1, 2, 3):
        served_by_two.api("owner", "PATCH", f"{drawing.at}/cells/{A}", {"z": z})
    for tab in tabs:
        assert [tab.until("diagram_operation")["sequence_number"] for _ in range(3)] == [2, 3, 4]


@pytest.mark.asvs("v5.0.0-8.3.2", "v5.0.0-7.4.1")
def test_a_sign_out_and_a_role_taken_away_reach_both_processes(served_by_two, drawing):
    mine = served_by_two.token("second")
    tabs = [drawing.join(ticket=served_by_two.ticket_of(mine["access_token"])) for _ in range(4)]
    reader = drawing.join("reader")
    served_by_two.site._send("POST", "/auth/revoke", {"token": mine["refresh_token"]}, {})
    assert [tab.closed(2) for tab in tabs] == [4401] * 4
    served_by_two.api("owner", "DELETE", drawing.entry("reader"))
    assert reader.closed(2) == 4403


def test_an_operation_that_redis_lost_is_noticed_and_fetched_from_the_log(served_by_two, drawing):
    one, other = apart(drawing, "writer", "second")
    served_by_two.redis.client_kill_filter(_type="pubsub")
    done = one.edit(update(B, {"z": 1}))
    assert other.until("diagram_operation", timeout=4) == done
    assert one.edit(update(B, {"z": 2}))["sequence_number"] == 3
    assert other.until("diagram_operation", timeout=4)["sequence_number"] == 3


def test_a_deleted_asset_of_which_nobody_was_told_vanishes_at_the_next_look(served_by_two, drawing):
    assets = f"{drawing.path}/assets"
    asset = served_by_two.api("owner", "POST", assets, {"name": "Cards", "type": "data"})["id"]
    tabs = apart(drawing, "writer", "second")
    tabs[0].edit(update(B, {"data_asset_ids": [asset]}))
    for deleted_at, named in (("now()", []), ("NULL", [asset])):
        served_by_two.sql(f"UPDATE assets SET deleted_at = {deleted_at} WHERE id = %s", asset)
        for tab in tabs:
            assert tab.until("diagram_state", timeout=4)["cells"][1]["data_asset_ids"] == named


# -- silence, and readers who are slow


def test_silence_and_hours_without_a_message_are_4408(served_by_two, drawing):
    # This server's patience: four seconds without any frame, twelve without a message.
    watching = drawing.join("reader")
    where = urlsplit(served_by_two.url)
    silent = socket.create_connection((where.hostname, where.port), timeout=10)
    silent.sendall(
        (
            f"GET /ws/diagrams/{drawing.id}?ticket={served_by_two.ticket('writer')} HTTP/1.1\r\n"
            f"Host: {where.netloc}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ).encode()
    )
    begun = time.monotonic()
    heard = b""
    while chunk := silent.recv(65536):
        heard += chunk
    assert b"\x88\x02" + (4408).to_bytes(2, "big") in heard
    assert 3 <= time.monotonic() - begun < 9
    # Its pongs have kept the other one.
    assert watching.closed(16) == 4408
    assert time.monotonic() - begun > 9


def test_a_reader_who_takes_nothing_is_closed_with_1013_and_slows_nobody(served, draw):
    big = [box(f"00000000-0000-4000-8000-{n:012}", properties={"label": "y" * 30_000}) for n in range(6)]
    drawing = draw(served, big)
    writer, asleep = drawing.join("writer"), drawing.open("second")
    # What the systems on both sides hold back is not the server's to see.
    asleep.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    cell_id = big[0]["id"]
    sent = 0
    while sent < 11 * 1024 * 1024:
        text = f"{sent:08}" + "z" * 30_000
        begun = time.monotonic()
        answer = writer.edit(update(cell_id, {"properties": {"label": text}}))
        assert answer["message_type"] == "diagram_operation"
        assert time.monotonic() - begun < 2
        time.sleep(1 / 48)
        sent += len(text)
    assert asleep.closed(20) == 1013
    again = drawing.join("second")
    assert again.seen[0]["cells"][0]["properties"]["label"] == text


def test_a_diagram_takes_no_more_connections_than_allowed(served_by_two, drawing):
    # This server's limit is ten.
    there = [
        drawing.join(name) for name in ("owner", "owner", "owner", "owner", "writer", "writer", "writer")
    ]
    there += [drawing.join(name) for name in ("writer", "second", "second")]
    time.sleep(1)  # until both processes know of all
    assert drawing.open("reader").closed(5) == 4429
    assert there[0].edit(update(B, {"z": 7}))["message_type"] == "diagram_operation"


def test_the_end_of_a_sign_in_is_the_end_of_it_at_both_processes(served_by_two, drawing):
    """Its sockets and its tokens, wherever they are; another sign-in of the person goes on."""
    tokens = served_by_two.token("second")
    held = []
    for _ in range(40):
        held.append(drawing.join(ticket=served_by_two.ticket_of(tokens["access_token"])))
        if len({process_of(served_by_two, tab) for tab in held}) == 2:
            break
        if len(held) == 3:  # far from the limit of a person, whatever the other process knows of
            held.pop().close()
    other = drawing.join("second")
    assert len({process_of(served_by_two, tab) for tab in held}) == 2
    given = {"token": tokens["refresh_token"]}
    requests.post(f"{served_by_two.url}/api/v1/auth/revoke", json=given, timeout=20)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    # Each on a connection of its own: either process is asked.
    answers = [requests.get(f"{served_by_two.url}/api/v1/me", headers=bearer, timeout=20) for _ in range(10)]
    assert {answer.status_code for answer in answers} == {401}
    assert [tab.closed(1.5) for tab in held] == [4401] * len(held)
    assert other.edit(update(B, {"z": 1}))["message_type"] == "diagram_operation"
