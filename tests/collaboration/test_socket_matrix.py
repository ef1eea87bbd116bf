"""Every message of a socket x everybody who could send it; a message without a row fails."""

from __future__ import annotations

import uuid

import pytest
import requests

from collaboration.protocol import FROM_CLIENTS
from tests.collaboration.served import A, B
from tests.collaboration.tab import kind_of
from threatmodels.operations import update

ANYBODY, WRITERS, HOST, PRESENTER = "anybody there", "writers", "the host", "the presenter"
WHO = {
    "diagram_operation": WRITERS,
    "undo_request": WRITERS,
    "redo_request": WRITERS,
    "sync_request": ANYBODY,
    "cursor": ANYBODY,
    "selection": ANYBODY,
    "presenter_request": ANYBODY,
    "presenter_cursor": PRESENTER,
    "presenter_selection": PRESENTER,
    "presenter_viewport": PRESENTER,
    "change_presenter": HOST,
    "presenter_denied": HOST,
    "remove_participant": HOST,
    "end_session": HOST,
}


def fields(message, drawing, whom):
    """What a message needs; those about people speak of `whom`."""
    about = {"user_internal_uuid": drawing.person(whom)}
    return {
        "diagram_operation": {
            "operation_id": str(uuid.uuid4()),
            "operation": {"type": "patch", "cells": [update(B, {"z": 9})]},
        },
        "sync_request": {"update_vector": 0},
        "cursor": {"cursor_position": {"x": 1, "y": 2}},
        "selection": {"selected_cells": [A]},
        "presenter_cursor": {"cursor_position": {"x": 1, "y": 2}},
        "presenter_selection": {"selected_cells": [A]},
        "presenter_viewport": {"x": 1, "y": 2, "zoom": 1},
        "change_presenter": {"new_presenter": drawing.person(whom)},
        "presenter_denied": about,
        "remove_participant": about,
    }.get(message, {})


def test_every_message_of_clients_has_a_row():
    assert set(WHO) == {*FROM_CLIENTS, "diagram_operation"}


@pytest.fixture
def drawing(served, draw):
    return draw(served)


@pytest.mark.asvs("v5.0.0-8.2.1", "v5.0.0-8.3.1")
def test_who_may_not_be_there_is_sent_nothing_and_heard_by_nobody(served, drawing):
    outsider = drawing.open("outsider")
    assert outsider.closed(5) == 4404
    assert outsider.seen == []
    elsewhere = drawing.open("writer", ticket="nonsense")
    assert elsewhere.closed(5) == 4401
    assert elsewhere.seen == []


@pytest.mark.asvs("v5.0.0-8.2.1", "v5.0.0-8.3.1")
def test_a_reader_and_a_writer_may_send_what_the_table_says(drawing):
    """The host writes and presents; the two others are tried with every message that is not theirs."""
    host, second, reader = drawing.join("writer"), drawing.join("second"), drawing.join("reader")
    for message, who in WHO.items():
        for name, tab in (("reader", reader), ("second", second)):
            if who == ANYBODY or (who == WRITERS and name == "second"):
                continue
            tab.send(message, **fields(message, drawing, "second"))
            if who == PRESENTER:
                # Of anybody else they are ignored.
                assert "error" not in {kind_of(one) for one in tab.fence()}, (message, name)
            else:
                refused = tab.until("error", "operation_rejected")
                code = refused.get("code") or refused["reason"]
                assert code.upper() == "PERMISSION_DENIED", (message, name)
    heard = {kind_of(one) for one in host.fence()}
    assert heard <= {"join", "participants_update"}
    assert drawing.vector() == 1
    for tab in (second, reader):
        for message in (message for message, who in WHO.items() if who == ANYBODY):
            tab.send(message, **fields(message, drawing, "second"))
            assert "error" not in {kind_of(one) for one in tab.fence()}, message
    assert host.edit(update(B, {"z": 1}))["message_type"] == "diagram_operation"


@pytest.mark.asvs("v5.0.0-7.4.2", "v5.0.0-8.3.2")
def test_a_deactivated_person_is_out_of_both_processes_within_a_second(served_by_two, draw):
    drawing = draw(served_by_two)
    drawing.share("leaver", "writer")
    tabs = [drawing.join("leaver") for _ in range(4)]
    token = served_by_two.token("leaver")["access_token"]
    switch = "UPDATE users SET is_active = %s WHERE internal_uuid = %s"
    # Past the application, so that nobody announces it: each process finds it by itself.
    served_by_two.sql(switch, False, served_by_two.ids["leaver"])
    try:
        assert [tab.closed(2) for tab in tabs] == [4401] * 4
        bearer = {"Authorization": f"Bearer {token}"}
        for _ in range(4):  # whichever process answers
            answer = requests.get(f"{served_by_two.url}/api/v1/me", headers=bearer, timeout=20)
            assert answer.status_code == 401
    finally:
        served_by_two.sql(switch, True, served_by_two.ids["leaver"])
