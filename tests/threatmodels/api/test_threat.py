"""Threats: where they are, and their score."""

from __future__ import annotations

import json

import pytest

from threatmodels.actions.diagram import create_diagram
from threatmodels.actions.record import delete_record, restore_record
from threatmodels.models import Diagram

JSON_PATCH = "application/json-patch+json"
HIGH = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
LOW = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"


def box(number):
    place = {"position": {"x": 0, "y": 0}, "size": {"width": 80, "height": 60}}
    return {"id": f"00000000-0000-4000-8000-{number:012}", "type": "process", "properties": {}, **place}


@pytest.fixture
def base(threat_model):
    return f"/api/v1/threat_models/{threat_model.pk}/threats"


@pytest.fixture
def writer(api, cast):
    return api(cast.writer)


def made(client, base, **fields):
    answer = client.post(base, {"name": "Theft", **fields}, format="json")
    assert answer.status_code == 201, answer.content
    return f"{base}/{answer.json()['data']['id']}"


def data(answer):
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


@pytest.fixture
def diagrams(cast, threat_model):
    return [
        create_diagram(threat_model=threat_model, actor=cast.owner, name=f"{n}", cells=[box(n)])
        for n in (1, 2)
    ]


@pytest.fixture
def hidden(writer, cast, base, diagrams):
    """A threat at an element of a diagram that was deleted since."""
    one = made(writer, base, diagram_id=str(diagrams[0].pk), cell_id=box(1)["id"])
    delete_record(diagrams[0], actor=cast.owner)
    shown = data(writer.get(one))
    assert (shown["diagram_id"], shown["cell_id"]) == (None, None)
    return one


@pytest.mark.parametrize("more", [{}, {"cell_id": None}, {"cell_id": box(2)["id"]}], ids=str)
def test_a_threat_leaves_a_deleted_diagram(writer, cast, diagrams, hidden, more):
    moved = data(writer.patch(hidden, {"diagram_id": str(diagrams[1].pk), **more}, format="json"))
    assert (moved["diagram_id"], moved["cell_id"]) == (str(diagrams[1].pk), more.get("cell_id"))
    restore_record(Diagram.objects.get(pk=diagrams[0].pk), actor=cast.owner)
    assert data(writer.get(hidden))["diagram_id"] == str(diagrams[1].pk)


def test_a_threat_that_is_put_back_as_it_was_shown_returns_with_its_diagram(writer, cast, diagrams, hidden):
    shown = data(writer.get(hidden))
    data(writer.put(hidden, {**shown, "name": "Burglary"}, format="json"))
    restore_record(Diagram.objects.get(pk=diagrams[0].pk), actor=cast.owner)
    back = data(writer.get(hidden))
    assert (back["name"], back["cell_id"]) == ("Burglary", box(1)["id"])


@pytest.mark.parametrize("way", ["merge", "json patch", "put"])
@pytest.mark.parametrize(
    "before", [{"cvss_vector": HIGH}, {"score": 5.0}, {}], ids=["vector", "score", "none"]
)
def test_a_new_vector_brings_its_score(writer, base, before, way):
    one = made(writer, base, **before)
    shown = data(writer.get(one))
    if way == "merge":
        changed = writer.patch(one, {"cvss_vector": LOW}, format="json")
    elif way == "put":
        changed = writer.put(one, {**shown, "cvss_vector": LOW}, format="json")
    else:
        patch = [{"op": "replace", "path": "/cvss_vector", "value": LOW}]
        changed = writer.patch(one, json.dumps(patch), content_type=JSON_PATCH)
    assert (data(changed)["cvss_vector"], data(changed)["score"]) == (LOW, 1.8)


def test_a_score_that_is_not_that_of_the_vector_is_refused(writer, base):
    one = made(writer, base, cvss_vector=HIGH)
    for body in ({"score": 5.0}, {"cvss_vector": LOW, "score": 5.0}, {"cvss_vector": HIGH, "score": 5.0}):
        refused = writer.patch(one, body, format="json")
        assert refused.status_code == 400, refused.content
        assert refused.json()["error"]["details"]["field"] == "score"
    assert data(writer.get(one))["score"] == 9.8
