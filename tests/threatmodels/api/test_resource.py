"""One contract over every part of a threat model: what goes in comes out, what is wrong is named."""

from __future__ import annotations

import re

import pytest

from tests.threatmodels.api.resources import RESOURCES

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


@pytest.fixture
def base(threat_model):
    return f"/api/v1/threat_models/{threat_model.pk}"


@pytest.fixture
def writer(api, cast):
    return api(cast.writer)


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_what_is_created_is_answered_listed_and_read_alike(writer, base, threat_model, resource):
    made = writer.post(f"{base}/{resource.name}", resource.sample, format="json")
    data = made.json()["data"]
    one = f"{base}/{resource.name}/{data['id']}"

    assert made.headers["Location"].endswith(one)
    assert made.json()["meta"]["pagination"] is None
    assert TIME.match(data["created_at"])
    assert TIME.match(data["updated_at"])
    assert data["threat_model_id"] == str(threat_model.pk)
    for name, value in resource.sample.items():
        if name != "diagram_data":
            assert data[name] == value
    assert writer.get(one).json()["data"] == data
    listed = writer.get(f"{base}/{resource.name}").json()
    assert listed["meta"]["pagination"] == {"page": 1, "limit": 20, "total": 1, "pages": 1}
    assert listed["data"][0].items() <= data.items()


@pytest.mark.asvs("v5.0.0-2.2.1")
@pytest.mark.parametrize(
    ("resource", "body", "field"),
    [(r, body, field) for r in RESOURCES for body, field in r.bad],
    ids=lambda value: str(value)[:40],
)
def test_bad_input_is_refused_by_name_and_stores_nothing(writer, base, resource, body, field):
    refused = writer.post(f"{base}/{resource.name}", body, format="json")

    assert refused.status_code == 400, refused.content
    error = refused.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert error["details"]["field"] == field
    assert error["details"]["reason"]
    assert error["details"]["errors"][0] == {"field": field, "reason": error["details"]["reason"]}
    assert writer.get(f"{base}/{resource.name}").json()["data"] == []


@pytest.mark.asvs("v5.0.0-15.3.3", "v5.0.0-8.2.3")
@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_unknown_and_server_owned_fields_are_refused(writer, base, resource):
    for name, value in {"color": "red", "id": "x", "created_at": "2020-01-01T00:00:00Z"}.items():
        refused = writer.post(f"{base}/{resource.name}", {**resource.sample, name: value}, format="json")
        assert refused.status_code == 400
        assert refused.json()["error"]["details"]["field"] == name


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_get_edit_put_works_and_put_resets_what_is_left_out(writer, base, resource):
    made = writer.post(f"{base}/{resource.name}", resource.sample, format="json").json()["data"]
    one = f"{base}/{resource.name}/{made['id']}"

    changed = writer.put(one, {**made, **resource.change}, format="json")
    assert changed.status_code == 200, changed.content
    assert resource.change.items() <= changed.json()["data"].items()
    assert changed.json()["data"]["updated_at"] > made["updated_at"]

    turned = {name: _turned(value) for name, value in writer.get(one).json()["data"].items()}
    assert writer.put(one, turned, format="json").status_code == 200

    bare = {name: made[name] for name in ("name", "type", "uri", "content") if resource.sample.get(name)}
    reset = writer.put(one, bare, format="json").json()["data"]
    assert reset.get("description") is None
    stale = writer.put(one, {**made, "created_at": "2020-01-01T00:00:00.000Z"}, format="json")
    assert stale.json()["error"]["details"]["field"] == "created_at"


def _turned(value):
    """The same JSON with the keys of objects in another order."""
    if isinstance(value, dict):
        return {name: _turned(value[name]) for name in reversed(value)}
    return [_turned(item) for item in value] if isinstance(value, list) else value


@pytest.mark.asvs("v5.0.0-15.4.2")
@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_a_change_is_only_made_to_the_state_that_if_match_names(writer, base, resource):
    made = writer.post(f"{base}/{resource.name}", resource.sample, format="json")
    one = f"{base}/{resource.name}/{made.json()['data']['id']}"
    tag = writer.get(one).headers["ETag"]
    assert made.headers["ETag"] == tag
    for known in (tag, f"W/{tag}", f'"other", W/{tag}', "*"):
        assert writer.get(one, HTTP_IF_NONE_MATCH=known).status_code == 304
    assert writer.get(one, HTTP_IF_NONE_MATCH='W/"other"').status_code == 200
    assert writer.patch(one, resource.change, format="json", HTTP_IF_MATCH=f"W/{tag}").status_code == 412

    first = writer.patch(one, resource.change, format="json", HTTP_IF_MATCH=tag)
    second = writer.patch(one, resource.change, format="json", HTTP_IF_MATCH=tag)
    assert first.status_code == 200
    assert second.status_code == 412
    assert second.json()["error"]["code"] == "PRECONDITION_FAILED"
    assert writer.delete(one, HTTP_IF_MATCH=tag).status_code == 412
    assert writer.delete(one, HTTP_IF_MATCH=first.headers["ETag"]).status_code == 204


def test_what_has_no_tag_is_in_no_state_that_if_match_could_name(api, cast, threat_model):
    model, client = f"/api/v1/threat_models/{threat_model.pk}", api(cast.owner)
    threat = client.post(f"{model}/threats", {"name": "Theft"}, format="json").json()["data"]["id"]
    entry = threat_model.access_entries.get(user=cast.reader).pk
    changes = [
        ("patch", f"{model}/access/{entry}", {"role": "writer"}),
        ("put", f"{model}/access", []),
        ("delete", f"{model}/access/{entry}", None),
        ("put", f"{model}/metadata/bulk", [{"key": "a", "value": "b"}]),
        ("patch", f"{model}/metadata/bulk", [{"key": "a", "value": "b"}]),
        ("put", f"{model}/threats/bulk", [{"id": threat, "name": "Fire"}]),
        ("patch", f"{model}/threats/bulk", [{"id": threat, "name": "Fire"}]),
        ("delete", f"{model}/threats/bulk", {"ids": [threat]}),
        ("delete", f"/api/v1/me/sessions/{threat}", None),
    ]
    for method, path, body in changes:
        refused = getattr(client, method)(path, body, format="json", HTTP_IF_MATCH='"tag"')
        assert (refused.status_code, path) == (412, path)
        assert refused.json()["error"]["message"] == "What is at this address has no ETag."
    assert [one["name"] for one in client.get(f"{model}/threats").json()["data"]] == ["Theft"]
    assert threat_model.access_entries.get(pk=entry).role == "reader"
    for method, path, body in changes[:1] + changes[3:8]:
        done = getattr(client, method)(path, body, format="json", HTTP_IF_MATCH="*")
        assert done.status_code in (200, 204), path


@pytest.mark.parametrize("query", ["fields=name", "expand=threats"])
def test_the_tag_of_a_part_is_for_reading_alone(api, cast, threat_model, query):
    model, client = f"/api/v1/threat_models/{threat_model.pk}", api(cast.owner)
    tag = client.get(f"{model}?{query}").headers["ETag"]
    assert client.get(f"{model}?{query}", HTTP_IF_NONE_MATCH=tag).status_code == 304
    refused = client.patch(model, {"name": "Shop"}, format="json", HTTP_IF_MATCH=tag)
    assert refused.status_code == 412
    assert "without fields and expand" in refused.json()["error"]["message"]


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_deleted_is_gone_until_it_is_restored(writer, api, cast, base, resource):
    made = writer.post(f"{base}/{resource.name}", resource.sample, format="json").json()["data"]
    one = f"{base}/{resource.name}/{made['id']}"

    assert writer.delete(one).status_code == 204
    assert writer.get(one).status_code == 404
    assert writer.get(f"{base}/{resource.name}").json()["data"] == []
    deleted = writer.get(f"{base}/{resource.name}?deleted=true").json()["data"]
    assert [item["id"] for item in deleted] == [made["id"]]
    assert api(cast.reader).get(f"{base}/{resource.name}?deleted=true").status_code == 403
    restored = writer.post(f"{one}/restore").json()["data"]
    assert restored["name"] == made["name"]
    assert writer.get(one).status_code == 200
    assert writer.post(f"{one}/restore").status_code == 404


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_a_change_of_a_part_moves_the_model_and_is_written_down(writer, base, threat_model, cast, resource):
    before = threat_model.modified_at
    made = writer.post(f"{base}/{resource.name}", resource.sample, format="json").json()["data"]
    writer.patch(f"{base}/{resource.name}/{made['id']}", resource.change, format="json")

    threat_model.refresh_from_db()
    assert threat_model.modified_at > before
    entries = threat_model.audit_entries.filter(entity_id=made["id"]).order_by("created_at", "id")
    assert [(e.action, e.entity_type, e.actor_id) for e in entries] == [
        ("create", resource.kind, cast.writer.pk),
        ("update", resource.kind, cast.writer.pk),
    ]
    assert set(entries[1].changes) == set(resource.change)


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_a_list_costs_the_same_queries_whatever_its_length(
    writer, base, resource, django_assert_max_num_queries
):
    for _ in range(3):
        writer.post(f"{base}/{resource.name}", {**resource.sample}, format="json")
    with django_assert_max_num_queries(5):
        assert len(writer.get(f"{base}/{resource.name}").json()["data"]) == 3


@pytest.mark.asvs("v5.0.0-15.3.7")
@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "limit=0", "limit=101", "sort=color", "colour=red", "page=1&page=2"]
)
def test_a_bad_parameter_is_refused_by_name(writer, base, query):
    refused = writer.get(f"{base}/threats?{query}")
    assert refused.status_code == 400
    assert refused.json()["error"]["details"]["field"] == query.split("=")[0]


def test_lists_come_in_pages_with_links(writer, base):
    for number in range(5):
        writer.post(f"{base}/assets", {"name": f"Asset {number}", "type": "data"}, format="json")
    page = writer.get(f"{base}/assets?limit=2&page=2&sort=-name")

    assert [item["name"] for item in page.json()["data"]] == ["Asset 2", "Asset 1"]
    assert page.json()["meta"]["pagination"] == {"page": 2, "limit": 2, "total": 5, "pages": 3}
    for relation in ("first", "prev", "next", "last"):
        assert f'rel="{relation}"' in page.headers["Link"]
    assert writer.get(f"{base}/assets?page=9").json()["data"] == []


def test_the_list_of_models_costs_the_same_queries_for_5_and_50(
    api, cast, threat_model, django_assert_num_queries, django_assert_max_num_queries
):
    from threatmodels.actions.threat_model import create_threat_model

    client = api(cast.owner)
    client.get("/api/v1/threat_models")
    counts = []
    for target in (5, 50):
        while cast.owner.owned_threat_models.count() < target:
            create_threat_model(actor=cast.owner, name="Another")
        with django_assert_max_num_queries(5) as captured:
            data = client.get("/api/v1/threat_models?limit=100").json()["data"]
        assert len(data) == target
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_cvss_vector_decides_the_score(writer, base):
    vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    made = writer.post(f"{base}/threats", {"name": "x", "cvss_vector": vector}, format="json").json()["data"]
    assert made["score"] == 9.8
    one = f"{base}/threats/{made['id']}"
    milder = "CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"
    changed = writer.patch(one, {"cvss_vector": milder}, format="json").json()["data"]
    assert 0 < changed["score"] < 9.8
    refused = writer.patch(one, {"score": 9.9}, format="json")
    assert refused.json()["error"]["details"]["field"] == "score"
    assert writer.get(one).json()["data"]["score"] == changed["score"]


@pytest.mark.asvs("v5.0.0-2.2.3")
def test_references_stay_within_the_model_and_show_null_while_deleted(writer, base):
    diagram = writer.post(f"{base}/diagrams", RESOURCES[-1].sample, format="json").json()["data"]
    cell = diagram["diagram_data"]["cells"][0]["id"]
    body = {"name": "x", "diagram_id": diagram["id"], "cell_id": cell}
    made = writer.post(f"{base}/threats", body, format="json").json()["data"]
    assert made["cell_id"] == cell
    other = {**body, "cell_id": "0190a000-0000-7000-8000-00000000000f"}
    assert (
        writer.post(f"{base}/threats", other, format="json").json()["error"]["details"]["field"] == "cell_id"
    )

    writer.delete(f"{base}/diagrams/{diagram['id']}")
    gone = writer.get(f"{base}/threats/{made['id']}").json()["data"]
    assert (gone["diagram_id"], gone["cell_id"]) == (None, None)
    writer.post(f"{base}/diagrams/{diagram['id']}/restore")
    assert writer.get(f"{base}/threats/{made['id']}").json()["data"]["diagram_id"] == diagram["id"]
