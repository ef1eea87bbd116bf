"""Diagrams: what of them clients write, and what a list of them costs."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from collaboration.models import CollaborationSession
from threatmodels import log
from threatmodels.actions.diagram import create_diagram
from threatmodels.actions.operation import change_cell

JSON_PATCH = "application/json-patch+json"


def box(number, label="Till"):
    place = {"position": {"x": 100 * number, "y": 0}, "size": {"width": 80, "height": 60}}
    cell_id = f"00000000-0000-4000-8000-{number:012}"
    return {"id": cell_id, "type": "process", "properties": {"label": label}, **place}


@pytest.fixture
def base(threat_model):
    return f"/api/v1/threat_models/{threat_model.pk}/diagrams"


@pytest.fixture
def writer(api, cast):
    return api(cast.writer)


@pytest.fixture
def diagram(cast, threat_model):
    return create_diagram(threat_model=threat_model, actor=cast.owner, name="Overview", cells=[box(1)])


def field_of(answer):
    assert answer.status_code == 400, answer.content
    return answer.json()["error"]["details"]["field"]


def test_a_diagram_may_say_its_type(writer, base):
    made = writer.post(base, {"name": "x", "type": "DFD-1.0.0"}, format="json")
    assert (made.status_code, made.json()["data"]["type"]) == (201, "DFD-1.0.0")
    assert writer.post(base, {"name": "x"}, format="json").json()["data"]["type"] == "DFD-1.0.0"
    one = f"{base}/{made.json()['data']['id']}"
    assert writer.patch(one, {"type": "DFD-1.0.0"}, format="json").status_code == 200
    assert field_of(writer.patch(one, {"type": "UML"}, format="json")) == "type"
    assert field_of(writer.post(base, {"name": "x", "type": None}, format="json")) == "type"


@pytest.mark.parametrize("name", ["cells", "metadata"])
def test_a_merge_patch_does_not_remove_what_every_diagram_has(writer, base, diagram, name):
    body = {"diagram_data": {name: None}}
    assert field_of(writer.patch(f"{base}/{diagram.pk}", body, format="json")) == f"/diagram_data/{name}"
    bulk = writer.patch(f"{base}/bulk", [{"id": str(diagram.pk), **body}], format="json")
    assert field_of(bulk) == f"/0/diagram_data/{name}"


@pytest.mark.parametrize("path", ["/diagram_data", "/diagram_data/cells", "/diagram_data/metadata", "/id"])
def test_a_json_patch_does_not_remove_what_every_diagram_has(writer, base, diagram, path):
    patch = json.dumps([{"op": "remove", "path": path}])
    refused = field_of(writer.patch(f"{base}/{diagram.pk}", patch, content_type=JSON_PATCH))
    assert refused in (path, path.removeprefix("/"))


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"cells": [], "bogus": 1}, "/diagram_data/bogus"),
        ({"cells": [], "metadata": {"version": "0"}}, "/diagram_data/metadata"),
        ({"cells": {}}, "/diagram_data/cells"),
        ({}, "/diagram_data/cells"),
        ([], "/diagram_data"),
    ],
)
def test_what_diagram_data_does_not_hold_is_refused(writer, base, diagram, data, field):
    assert field_of(writer.post(base, {"name": "x", "diagram_data": data}, format="json")) == field
    assert (
        field_of(writer.put(f"{base}/{diagram.pk}", {"name": "x", "diagram_data": data}, format="json"))
        == field
    )
    [bulk] = [writer.post(f"{base}/bulk", [{"name": "x", "diagram_data": data}], format="json")]
    assert field_of(bulk) == f"/0{field}"


def test_a_merge_patch_names_no_field_of_the_server(writer, base, diagram):
    one = f"{base}/{diagram.pk}"
    for data, field in (({"metadata": {"version": "7"}}, "metadata"), ({"bogus": 1}, "bogus")):
        assert field_of(writer.patch(one, {"diagram_data": data}, format="json")) == f"/diagram_data/{field}"


def test_what_get_gave_is_put_back_with_other_cells(writer, base, diagram):
    one = f"{base}/{diagram.pk}"
    shown = writer.get(one).json()["data"]
    data = {**shown["diagram_data"], "cells": [box(1), box(2, "Shelf")]}
    other = {**data["metadata"], "version": "99"}
    refused = writer.put(one, {**shown, "diagram_data": {**data, "metadata": other}}, format="json")
    assert field_of(refused) == "/diagram_data/metadata"
    changed = writer.put(one, {**shown, "diagram_data": data}, format="json")
    assert changed.status_code == 200, changed.content
    assert changed.json()["data"]["diagram_data"]["cells"] == data["cells"]
    assert changed.json()["data"]["update_vector"] == 2
    patch = [{"op": "replace", "path": "/diagram_data/cells/0/properties/label", "value": "Desk"}]
    patched = writer.patch(one, json.dumps(patch), content_type=JSON_PATCH).json()["data"]
    assert patched["diagram_data"]["cells"][0]["properties"] == {"label": "Desk"}


def test_a_list_with_cells_costs_as_many_queries_however_long_it_is(
    writer, base, cast, threat_model, monkeypatch
):
    monkeypatch.setattr(log, "LARGE", 0)  # nothing is written whole for an operation
    counts, wanted = [], []
    for number in range(3):
        made = create_diagram(threat_model=threat_model, actor=cast.owner, name=f"{number}", cells=[box(1)])
        for label in ("Shelf", f"Door {number}"):
            changed = {**box(1), "properties": {"label": label}}
            change_cell(made, actor=cast.writer, cell_id=box(1)["id"], change=lambda _old, new=changed: new)
        made.refresh_from_db()
        assert made.cells_vector < made.update_vector == 3
        wanted.append([changed])
        with CaptureQueriesContext(connection) as queries:
            listed = writer.get(f"{base}?fields=name,diagram_data").json()["data"]
        counts.append(len(queries))
        assert [one["diagram_data"]["cells"] for one in listed] == wanted
    assert len(set(counts)) == 1


def test_a_session_without_people_is_no_live_one(writer, base, cast, diagram):
    def session():
        return writer.get(f"{base}/{diagram.pk}").json()["data"]["diagram_data"]["metadata"][
            "collaboration_session"
        ]

    started = writer.post(f"{base}/{diagram.pk}/collaborate")
    assert started.status_code == 201
    assert session() == started.json()["data"]["id"]
    idle = timedelta(seconds=settings.CONFIG.collaboration.idle_session_seconds + 1)
    CollaborationSession.objects.update(active_at=timezone.now() - idle)
    assert session() is None
    assert writer.get(f"{base}/{diagram.pk}/collaborate").json()["data"] is None
