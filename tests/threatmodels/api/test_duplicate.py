"""POST /threat_models/{id}/duplicate: a copy of everything but access and history."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import AuditEntry
from tests.threatmodels.api.resources import RESOURCES
from threatmodels.models import DiagramOperation, ThreatModel

CELL = "0190a000-0000-7000-8000-000000000001"
NEW = {"id", "threat_model_id", "created_at", "updated_at"}
# What names another thing of the model, and what counts what happened.
OTHER = {"diagram_id", "cell_id", "asset_id", "diagram_data", "update_vector"}


@pytest.fixture
def base(threat_model):
    return f"/api/v1/threat_models/{threat_model.pk}"


@pytest.fixture
def owner(api, cast):
    return api(cast.owner)


def data(answer, status=200):
    assert answer.status_code == status, answer.content
    return answer.json()["data"]


def duplicate(client, base, **body):
    return data(client.post(f"{base}/duplicate", body, format="json"), 201)


def parts(client, base, name):
    """The things of a kind without what is of this model alone."""
    listed = data(client.get(f"{base}/{name}?limit=100"))
    return [{k: v for k, v in one.items() if k not in NEW | OTHER} for one in listed]


@pytest.fixture
def furnished(owner, base):
    """A model with one of each kind, a repository with little in it, and metadata on all of them."""
    made = {}
    for resource in RESOURCES:
        made[resource.name] = data(
            owner.post(f"{base}/{resource.name}", resource.sample, format="json"), 201
        )["id"]
    bare = {"uri": "https://example.org/bare.git"}
    data(owner.post(f"{base}/repositories", bare, format="json"), 201)
    places = {"diagram_id": made["diagrams"], "cell_id": CELL, "asset_id": made["assets"]}
    data(owner.patch(f"{base}/threats/{made['threats']}", places, format="json"))
    cell = f"{base}/diagrams/{made['diagrams']}/cells/{CELL}"
    data(owner.patch(cell, {"data_asset_ids": [made["assets"]]}, format="json"))
    for name, pk in made.items():
        data(owner.put(f"{base}/{name}/{pk}/metadata/ticket", {"value": name}, format="json"), 201)
    for place in (base, cell):
        data(owner.put(f"{place}/metadata/ticket", {"value": "T-1"}, format="json"), 201)
    fields = {
        "status": "In progress",
        "issue_uri": "https://example.org/1",
        "threat_model_framework": "LINDDUN",
    }
    data(owner.patch(base, fields, format="json"))
    return made


def test_everything_in_it_is_copied(owner, base, furnished):
    copy = duplicate(owner, base)
    there = f"/api/v1/threat_models/{copy['id']}"
    original = data(owner.get(base))
    same = ("description", "threat_model_framework", "issue_uri", "status", "counts", "highest_severity")
    assert {name: copy[name] for name in same} == {name: original[name] for name in same}
    assert copy["name"] == "Copy of Web shop"
    for resource in RESOURCES:
        assert parts(owner, there, resource.name) == parts(owner, base, resource.name), resource.name
        first = data(owner.get(f"{there}/{resource.name}"))[0]["id"]
        assert first != furnished[resource.name]
        entry = data(owner.get(f"{there}/{resource.name}/{first}/metadata/ticket"))
        assert entry["value"] == resource.name
    assert data(owner.get(f"{there}/metadata/ticket"))["value"] == "T-1"


def test_what_names_something_names_the_copy_of_it(owner, base, furnished):
    there = f"/api/v1/threat_models/{duplicate(owner, base)['id']}"
    [threat], [asset], [diagram] = (
        data(owner.get(f"{there}/{n}")) for n in ("threats", "assets", "diagrams")
    )
    [cell] = data(owner.get(f"{there}/diagrams/{diagram['id']}/cells"))
    assert (threat["diagram_id"], threat["asset_id"]) == (diagram["id"], asset["id"])
    assert threat["cell_id"] == cell["id"] != CELL
    assert cell["data_asset_ids"] == [asset["id"]]
    path = f"{there}/diagrams/{diagram['id']}/cells/{cell['id']}"
    assert data(owner.get(f"{path}/metadata/ticket"))["value"] == "T-1"
    [before] = data(owner.get(f"{base}/diagrams/{furnished['diagrams']}/cells"))
    own = {"id", "data_asset_ids"}
    assert {k: v for k, v in cell.items() if k not in own} == {
        k: v for k, v in before.items() if k not in own
    }


def test_a_repository_without_name_and_parameters_is_copied_without(owner, base, furnished):
    there = f"/api/v1/threat_models/{duplicate(owner, base)['id']}"
    [bare] = [r for r in data(owner.get(f"{there}/repositories")) if r["uri"].endswith("bare.git")]
    assert (bare["name"], bare["parameters"], bare["description"], bare["type"]) == (None, None, None, None)


def test_the_same_cell_in_two_diagrams_is_two_cells_in_a_copy(owner, base, furnished):
    """A client copies a diagram by GET and POST, with the ids of its cells."""
    first = data(owner.get(f"{base}/diagrams/{furnished['diagrams']}"))
    [cell] = first["diagram_data"]["cells"]
    twin = {**cell, "properties": {"label": "Twin"}}
    body = {"name": "Second", "diagram_data": {"cells": [twin]}}
    second = data(owner.post(f"{base}/diagrams", body, format="json"), 201)
    there = {"name": "On the twin", "diagram_id": second["id"], "cell_id": CELL}
    data(owner.post(f"{base}/threats", there, format="json"), 201)
    copied = f"/api/v1/threat_models/{duplicate(owner, base)['id']}"
    main, other = data(owner.get(f"{copied}/diagrams?sort=name"))
    cells = [data(owner.get(f"{copied}/diagrams/{one['id']}/cells"))[0] for one in (main, other)]
    assert [cell["properties"]["label"] for cell in cells] == ["Shop", "Twin"]
    assert len({cell["id"] for cell in cells}) == 2
    threats = {one["name"]: one for one in data(owner.get(f"{copied}/threats"))}
    assert threats["SQL injection"]["cell_id"] == cells[0]["id"]
    assert threats["On the twin"]["cell_id"] == cells[1]["id"]
    path = f"{copied}/diagrams/{main['id']}/cells/{cells[0]['id']}"
    assert data(owner.get(f"{path}/metadata/ticket"))["value"] == "T-1"


@pytest.mark.parametrize("empty", [True, False], ids=["empty", "null"])
@pytest.mark.parametrize("way", ["duplicate", "file"])
def test_what_is_empty_stays_empty_and_what_is_null_stays_null(owner, base, empty, way):
    text = "" if empty else None
    made = {
        "threats": {"name": "x", "description": text, "mitigation": text},
        "assets": {
            "name": "x",
            "type": "data",
            "description": text,
            "classification": [] if empty else None,
        },
        "documents": {"name": "x", "uri": "https://example.org", "description": text},
        "notes": {"name": "x", "content": "x", "description": text},
        "repositories": {
            "name": text,
            "uri": "https://example.org",
            "description": text,
            "parameters": {} if empty else None,
        },
        "diagrams": {"name": "x", "content": text},
    }
    data(owner.patch(base, {"description": text}, format="json"))
    for name, body in made.items():
        data(owner.post(f"{base}/{name}", body, format="json"), 201)
    if way == "duplicate":
        pk = duplicate(owner, base)["id"]
    else:
        file = SimpleUploadedFile("model.json", owner.get(f"{base}/export?format=tmi").content)
        pk = data(owner.post("/api/v1/import", {"file": file}, format="multipart"), 201)["threat_model_id"]
    there = f"/api/v1/threat_models/{pk}"
    assert data(owner.get(there))["description"] == text
    for name, body in made.items():
        [copied] = data(owner.get(f"{there}/{name}"))
        assert {field: copied[field] for field in body} == body


def test_access_and_history_stay_behind(api, cast, base, furnished):
    reader = api(cast.reader)
    copy = duplicate(reader, base, name="Mine")
    assert (copy["name"], copy["owner_id"]) == ("Mine", str(cast.reader.pk))
    assert copy["created_by_id"] == str(cast.reader.pk)
    there = f"/api/v1/threat_models/{copy['id']}"
    assert data(reader.get(f"{there}/access")) == []
    assert api(cast.owner).get(there).status_code == 404
    told = AuditEntry.objects.filter(threat_model_id=copy["id"])
    assert set(told.values_list("actor", flat=True)) == {cast.reader.pk}
    assert "update" not in told.values_list("action", flat=True)
    # The log of a diagram begins anew, with the cells that it has.
    assert DiagramOperation.objects.filter(diagram__threat_model=copy["id"]).count() == 1
    assert [d["update_vector"] for d in data(reader.get(f"{there}/diagrams"))] == [1]


def test_what_is_deleted_is_not_copied(owner, base, furnished):
    for name in ("threats", "assets", "notes"):
        assert owner.delete(f"{base}/{name}/{furnished[name]}").status_code == 204
    there = f"/api/v1/threat_models/{duplicate(owner, base)['id']}"
    for name in ("threats", "assets", "notes"):
        assert data(owner.get(f"{there}/{name}")) == []
        assert data(owner.get(f"{there}/{name}?deleted=true")) == []


@pytest.mark.parametrize(("who", "status"), [("reader", 201), ("outsider", 404), ("anonymous", 401)])
def test_who_may_read_may_copy(api, cast, base, who, status):
    assert api(cast.named(who)).post(f"{base}/duplicate").status_code == status


def test_a_copy_needs_a_sound_name(owner, base):
    before = ThreatModel.objects.count()
    for body, field in (
        ({"name": "x" * 201}, "name"),
        ({"name": " "}, "name"),
        ({"owner_id": "x"}, "owner_id"),
    ):
        refused = owner.post(f"{base}/duplicate", body, format="json")
        assert refused.status_code == 400
        assert refused.json()["error"]["details"]["field"] == field
    assert ThreatModel.objects.count() == before
