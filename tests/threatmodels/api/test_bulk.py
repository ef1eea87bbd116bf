"""Many at once: all or nothing, errors by position."""

from __future__ import annotations

import uuid

import pytest

from tests.threatmodels.api.resources import RESOURCES


@pytest.fixture
def base(threat_model):
    return f"/api/v1/threat_models/{threat_model.pk}"


@pytest.fixture
def writer(api, cast):
    return api(cast.writer)


def samples(resource, count):
    """Cells have ids of their own, so each diagram gets none."""
    return [
        {name: value for name, value in resource.sample.items() if name != "diagram_data"}
        for _ in range(count)
    ]


def problem(response):
    assert response.status_code == 400, response.content
    return response.json()["error"]["details"]["field"]


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_many_are_created_changed_replaced_and_deleted_at_once(writer, base, resource):
    bulk = f"{base}/{resource.name}/bulk"
    made = writer.post(bulk, samples(resource, 3), format="json")
    assert made.status_code == 201, made.content
    ids = [item["id"] for item in made.json()["data"]]

    changed = writer.patch(bulk, [{"id": pk, **resource.change} for pk in ids[1:]], format="json")
    assert changed.status_code == 200, changed.content
    assert [item["id"] for item in changed.json()["data"]] == ids[1:]
    assert all(resource.change.items() <= item.items() for item in changed.json()["data"])

    [sample] = samples(resource, 1)
    new = str(uuid.uuid4())
    put = writer.put(bulk, [{**sample, "id": ids[1]}, {**sample, "id": new}], format="json")
    assert put.status_code == 200, put.content
    assert [item["id"] for item in put.json()["data"]] == [ids[1], new]
    assert not resource.change.items() <= put.json()["data"][0].items()

    gone = writer.delete(bulk, {"ids": [*ids, new]}, format="json")
    assert gone.status_code == 204
    assert writer.get(f"{base}/{resource.name}").json()["data"] == []


@pytest.mark.asvs("v5.0.0-2.3.3")
@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_one_bad_item_stops_all(writer, base, resource):
    bulk = f"{base}/{resource.name}/bulk"
    [good] = samples(resource, 1)
    assert problem(writer.post(bulk, [good, good, {**good, "color": 1}], format="json")) == "/2/color"
    assert writer.get(f"{base}/{resource.name}").json()["data"] == []

    [made] = writer.post(bulk, [good], format="json").json()["data"]
    new = {"id": str(uuid.uuid4()), **good, "description" if resource.kind != "diagram" else "content": 3}
    field = problem(writer.put(bulk, [{**good, "id": made["id"], "name": "Other"}, new], format="json"))
    assert field.startswith("/1/")
    assert writer.get(f"{base}/{resource.name}/{made['id']}").json()["data"]["name"] == made["name"]


def test_all_problems_of_all_items_are_told(writer, base):
    refused = writer.post(
        f"{base}/assets/bulk",
        [{"name": ""}, {"name": "a", "type": "data"}, {"name": "b", "type": "x"}],
        format="json",
    )
    fields = {error["field"] for error in refused.json()["error"]["details"]["errors"]}
    assert fields == {"/0/name", "/0/type", "/2/type"}


@pytest.mark.parametrize(
    ("method", "body", "field"),
    [
        ("post", {}, ""),
        ("post", [], ""),
        ("post", [{"name": "x", "type": "data"}] * 201, ""),
        ("post", ["x"], "/0"),
        ("patch", [{"name": "x"}], "/0/id"),
        ("patch", [{"id": "x"}], "/0/id"),
        ("put", [3], "/0"),
        ("delete", {"ids": "all"}, "/ids"),
        ("delete", ["x"], "ids"),
        ("delete", {"ids": ["x"]}, "/ids/0"),
    ],
)
def test_a_malformed_body_is_refused_by_place(writer, base, method, body, field):
    response = getattr(writer, method)(f"{base}/assets/bulk", body, format="json")
    assert problem(response) == field


def test_an_id_twice_is_refused(writer, base):
    pk = str(uuid.uuid4())
    body = [{"id": pk, "name": "a", "type": "data"}] * 2
    assert problem(writer.put(f"{base}/assets/bulk", body, format="json")) == "/1/id"


def test_changing_what_is_not_there_changes_nothing(writer, base):
    [made] = writer.post(f"{base}/assets/bulk", [{"name": "a", "type": "data"}], format="json").json()["data"]
    body = [{"id": made["id"], "name": "b"}, {"id": str(uuid.uuid4()), "name": "c"}]
    changed = writer.patch(f"{base}/assets/bulk", body, format="json")
    deleted = writer.delete(f"{base}/assets/bulk", {"ids": [b["id"] for b in body]}, format="json")
    assert [changed.status_code, deleted.status_code] == [404, 404]
    assert changed.json()["error"]["details"] == {"field": "/1/id"}
    assert deleted.json()["error"]["details"] == {"field": "/ids/1"}
    assert writer.get(f"{base}/assets/{made['id']}").json()["data"]["name"] == "a"


def test_the_id_of_a_deleted_row_is_a_conflict(writer, base):
    [made] = writer.post(f"{base}/assets/bulk", [{"name": "a", "type": "data"}], format="json").json()["data"]
    writer.delete(f"{base}/assets/{made['id']}")
    body = [{"id": pk, "name": "b", "type": "data"} for pk in (str(uuid.uuid4()), made["id"])]
    refused = writer.put(f"{base}/assets/bulk", body, format="json")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "CONFLICT")
    assert refused.json()["error"]["details"] == {"field": "/1/id"}
    assert writer.get(f"{base}/assets").json()["data"] == []


@pytest.mark.parametrize(("role", "status"), [("reader", 403), ("outsider", 404), ("anonymous", 401)])
def test_bulk_wants_a_writer(api, cast, base, role, status):
    client = api(cast.named(role))
    for method, body in (("post", [{}]), ("put", [{}]), ("patch", [{}]), ("delete", {"ids": []})):
        assert getattr(client, method)(f"{base}/assets/bulk", body, format="json").status_code == status


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_one_item_has_a_position_too(writer, base, resource):
    """The rules of the table, not those of the serializer, refuse these."""
    [good] = samples(resource, 1)
    bad = {**good, "name": "a\u202eb"}
    bulk, new = f"{base}/{resource.name}/bulk", str(uuid.uuid4())
    assert problem(writer.post(bulk, [bad], format="json")) == "/0/name"
    assert problem(writer.put(bulk, [{**bad, "id": new}], format="json")) == "/0/name"
    assert problem(writer.post(f"{base}/{resource.name}", bad, format="json")) == "name"


def test_cells_of_one_diagram_have_its_position(writer, base):
    body = {"name": "x", "diagram_data": {"cells": [{"id": "x"}]}}
    assert problem(writer.post(f"{base}/diagrams/bulk", [body], format="json")).startswith(
        "/0/diagram_data/cells/0"
    )
    assert problem(writer.post(f"{base}/diagrams", body, format="json")).startswith("/diagram_data/cells/0")
