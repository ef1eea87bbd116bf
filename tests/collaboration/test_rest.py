"""Sessions over REST, each answer held against the OpenAPI document."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from collaboration.actions.session import (
    Ending,
    end_sessions_of,
    end_stale_sessions,
    keep_alive,
    leave_session,
    states_of,
)
from collaboration.models import CollaborationSession, SessionParticipant
from threatmodels.actions.diagram import create_diagram


@pytest.fixture
def address(threat_model, cast):
    diagram = create_diagram(threat_model=threat_model, actor=cast.owner, name="Overview")
    return f"/api/v1/threat_models/{threat_model.pk}/diagrams/{diagram.pk}/collaborate"


def test_a_session_is_started_joined_read_and_ended(api, cast, address):
    owner, reader = api(cast.owner), api(cast.reader)
    assert owner.get(address).json()["data"] is None
    begun = owner.post(address)
    assert begun.status_code == 201
    assert begun.json()["data"]["host_id"] == str(cast.owner.pk)
    joined = reader.post(address)
    assert joined.status_code == 200
    there = {one["user_id"] for one in reader.get(address).json()["data"]["participants"]}
    assert there == {str(cast.owner.pk), str(cast.reader.pk)}
    listed = reader.get("/api/v1/me/sessions").json()["data"]
    assert begun.json()["data"]["id"] in [one["id"] for one in listed]
    assert reader.delete(address).status_code == 403
    assert owner.delete(address).status_code == 204
    assert owner.delete(address).status_code == 404
    assert owner.get(address).json()["data"] is None


def test_who_is_there_although_it_was_noted_that_they_had_left_is_among_the_participants_again(
    api, cast, address
):
    owner = api(cast.owner)
    session = UUID(owner.post(address).json()["data"]["id"])
    leave_session(session, [cast.owner.pk])
    assert owner.get(address).json()["data"]["participants"] == []
    for here in ([cast.owner.pk], [cast.owner.pk, uuid4()]):
        keep_alive({session: here, uuid4(): here})
        (there,) = owner.get(address).json()["data"]["participants"]
        assert there["user_id"] == str(cast.owner.pk)
    owner.delete(address)
    keep_alive({session: [cast.owner.pk]})
    assert not SessionParticipant.objects.filter(session=session, left_at=None).exists()


def ending(session):
    return states_of([session])[session].ended


def test_who_has_missed_the_end_of_a_session_finds_out_how_it_ended(api, cast, threat_model, address):
    owner = api(cast.owner)

    def begin():
        return UUID(owner.post(address).json()["data"]["id"])

    session = begin()
    assert ending(session) is None
    owner.delete(address)
    assert ending(session) == Ending(cast.owner.pk, "The session was ended.")
    history = owner.get(f"/api/v1/threat_models/{threat_model.pk}/history").json()["data"]
    assert (history[0]["entity_type"], history[0]["action"]) == ("collaboration_session", "end")
    session, hour = begin(), timedelta(hours=1)
    leave_session(session, [cast.owner.pk])
    CollaborationSession.objects.filter(pk=session).update(active_at=timezone.now() - hour)
    end_stale_sessions()
    assert ending(session) == Ending(None, "Nobody had been there for a while.")
    session = begin()
    past = {"created_at": timezone.now() - 2 * hour, "expires_at": timezone.now() - hour}
    CollaborationSession.objects.filter(pk=session).update(**past)
    assert ending(session) == Ending(None, "The session has expired.")
    session = begin()
    owner.delete(address.removesuffix("/collaborate"))
    end_sessions_of([CollaborationSession.objects.get(pk=session).diagram_id])
    assert ending(session) == Ending(None, "The diagram was deleted.")


def test_who_has_no_role_finds_no_session(api, cast, address):
    for method in ("get", "post", "delete"):
        assert getattr(api(cast.outsider), method)(address).status_code == 404
        assert getattr(api(None), method)(address).status_code == 401


def test_the_messages_of_sockets_are_an_asyncapi_document(api, db):
    answer = api(None).get("/api/v1/asyncapi.json")
    assert answer.status_code == 200
    assert answer.json()["asyncapi"] == "3.0.0"
