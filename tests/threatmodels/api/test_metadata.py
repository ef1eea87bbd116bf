"""Metadata: entries one by one with their entity tags, and many at once."""

from __future__ import annotations

import pytest

from threatmodels.models import Metadata


@pytest.fixture
def url(threat_model):
    return f"/api/v1/threat_models/{threat_model.pk}/metadata"


@pytest.fixture
def writer(cast, api):
    return api(cast.writer)


def data(answer, status=200):
    assert answer.status_code == status, answer.content
    return answer.json()["data"]


def problem(answer, status=400):
    assert answer.status_code == status, answer.content
    return answer.json()["error"]["details"]


def pairs(**entries):
    return [{"key": key, "value": value} for key, value in entries.items()]


def entries(client, url):
    return {entry["key"]: entry["value"] for entry in data(client.get(url))}


# -- one


def test_an_entry_is_made_replaced_and_deleted_in_the_state_that_if_match_names(writer, url):
    made = writer.post(url, {"key": "team", "value": "red"}, format="json")
    assert made.headers["Location"].endswith(f"{url}/team")
    tag = writer.get(f"{url}/team").headers["ETag"]
    assert made.headers["ETag"] == tag
    assert writer.get(f"{url}/team", headers={"If-None-Match": tag}).status_code == 304

    put = writer.put(f"{url}/team", {"value": "blue"}, format="json", headers={"If-Match": tag})
    assert data(put) == {"key": "team", "value": "blue"}
    stale = {"If-Match": tag}
    assert writer.put(f"{url}/team", {"value": "x"}, format="json", headers=stale).status_code == 412
    assert writer.delete(f"{url}/team", headers=stale).status_code == 412
    assert entries(writer, url) == {"team": "blue"}
    assert writer.delete(f"{url}/team", headers={"If-Match": put.headers["ETag"]}).status_code == 204
    assert entries(writer, url) == {}


def test_what_is_not_there_has_no_state_to_match(writer, url):
    anything = {"If-Match": "*"}
    assert writer.put(f"{url}/team", {"value": "x"}, format="json", headers=anything).status_code == 412
    made = writer.put(f"{url}/team", {"value": "x"}, format="json")
    assert data(made, 201) == {"key": "team", "value": "x"}
    assert made.headers["Location"].endswith(f"{url}/team")
    assert data(writer.put(f"{url}/team", {"value": "y"}, format="json", headers=anything))["value"] == "y"


def test_a_key_that_its_address_cannot_name_is_refused(writer, url):
    body = {"key": "bulk", "value": "x"}
    refused = problem(writer.post(url, body, format="json"))
    assert (refused["field"], "reserved" in refused["reason"]) == ("key", True)
    for method in ("post", "put", "patch"):
        assert problem(getattr(writer, method)(f"{url}/bulk", [body], format="json"))["field"] == "/0/key"
    assert entries(writer, url) == {}


# -- many


def test_post_adds_many(writer, url, threat_model, cast):
    made = writer.post(f"{url}/bulk", pairs(b="2", a="1"), format="json")
    assert data(made, 201) == pairs(a="1", b="2")
    assert entries(writer, url) == {"a": "1", "b": "2"}
    [entry] = threat_model.audit_entries.filter(action="metadata")
    assert (entry.actor_id, entry.changes) == (cast.writer.pk, {"a": [None, "1"], "b": [None, "2"]})


def test_post_of_a_key_that_is_there_is_a_conflict_and_adds_none(writer, url):
    writer.post(f"{url}/bulk", pairs(a="1"), format="json")
    assert problem(writer.post(f"{url}/bulk", pairs(b="2", a="3"), format="json"), 409)["field"] == "/1/key"
    assert problem(writer.post(url, {"key": "a", "value": "3"}, format="json"), 409)["field"] == "key"
    assert entries(writer, url) == {"a": "1"}


def test_put_makes_them_the_only_entries(writer, url):
    assert data(writer.put(f"{url}/bulk", pairs(a="1", b="2"), format="json")) == pairs(a="1", b="2")
    assert data(writer.put(f"{url}/bulk", pairs(b="3", c="4"), format="json")) == pairs(b="3", c="4")
    assert data(writer.put(f"{url}/bulk", [], format="json")) == []
    assert not Metadata.objects.exists()


def test_patch_merges(writer, url):
    writer.post(f"{url}/bulk", pairs(a="1", b="2"), format="json")
    merged = writer.patch(f"{url}/bulk", pairs(b="3", c="4"), format="json")
    assert data(merged) == pairs(a="1", b="3", c="4")


def test_delete_takes_all_or_none(writer, url):
    writer.post(f"{url}/bulk", pairs(a="1", b="2", c="3"), format="json")
    assert writer.delete(f"{url}/bulk", {"keys": ["a", "nothing"]}, format="json").status_code == 404
    assert len(entries(writer, url)) == 3
    assert writer.delete(f"{url}/bulk", {"keys": ["a", "c"]}, format="json").status_code == 204
    assert entries(writer, url) == {"b": "2"}
    for body in ({}, {"keys": []}, {"keys": "b"}, ["b"]):
        assert writer.delete(f"{url}/bulk", body, format="json").status_code == 400


@pytest.mark.parametrize("method", ["post", "put", "patch"])
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, ""),
        (["x"], "/0"),
        ([{"key": "a"}], "/0/value"),
        (pairs(a=""), "/0/value"),
        (pairs(a="1", **{"b c": "2"}), "/1/key"),
        (pairs(**{"b c": "2"}), "/0/key"),
        (pairs(a="nul\u0001"), "/0/value"),
        (pairs(a="1") * 2, "/1/key"),
        ([{"key": "a", "value": "1", "color": "red"}], "/0/color"),
        (pairs(**{f"k{n}": "x" for n in range(101)}), ""),
    ],
)
def test_a_bad_entry_is_named_by_position_and_stops_all(writer, url, method, body, field):
    assert problem(getattr(writer, method)(f"{url}/bulk", body, format="json"))["field"] == field
    assert entries(writer, url) == {}


def test_an_entity_has_a_hundred_entries_at_most(writer, url):
    assert (
        len(data(writer.put(f"{url}/bulk", pairs(**{f"k{n}": "x" for n in range(100)}), format="json")))
        == 100
    )
    assert writer.post(f"{url}/bulk", pairs(more="x"), format="json").status_code == 400
    assert writer.patch(f"{url}/bulk", pairs(more="x"), format="json").status_code == 400
    assert problem(writer.post(url, {"key": "more", "value": "x"}, format="json"))["field"] == "key"
    assert writer.put(f"{url}/more", {"value": "x"}, format="json").status_code == 400
    assert data(writer.patch(f"{url}/bulk", pairs(k1="y"), format="json"))[1] == {"key": "k1", "value": "y"}
    assert len(entries(writer, url)) == 100


@pytest.mark.parametrize(("role", "status"), [("reader", 403), ("outsider", 404), ("anonymous", 401)])
def test_many_want_a_writer(api, cast, url, role, status):
    client = api(cast.named(role))
    for method, body in (("post", []), ("put", []), ("patch", []), ("delete", {"keys": ["a"]})):
        assert getattr(client, method)(f"{url}/bulk", body, format="json").status_code == status
