"""/threat_models/{id}/history: what it tells, and taking changes back."""

from __future__ import annotations

from datetime import datetime

import pytest

from accounts.models import AuditEntry


@pytest.fixture
def base(threat_model):
    return f"/api/v1/threat_models/{threat_model.pk}"


@pytest.fixture
def owner(api, cast):
    return api(cast.owner)


@pytest.fixture
def writer(api, cast):
    return api(cast.writer)


def data(answer, status=200):
    assert answer.status_code == status, answer.content
    return answer.json()["data"]


def history(client, base, **filters):
    return data(client.get(f"{base}/history", filters))


def newest(client, base, **filters):
    return history(client, base, limit=1, **filters)[0]


def revert(client, base, entry):
    return client.post(f"{base}/history/{entry['id']}/revert")


@pytest.fixture
def asset(writer, base):
    made = data(writer.post(f"{base}/assets", {"name": "Gold", "type": "data"}, format="json"), 201)
    return f"{base}/assets/{made['id']}"


@pytest.fixture
def threat(owner, base):
    made = data(owner.post(f"{base}/threats", {"name": "Theft"}, format="json"), 201)
    return f"{base}/threats/{made['id']}"


def test_filters(api, cast, writer, base, asset, threat):
    data(writer.patch(threat, {"severity": "high"}, format="json"))
    reader = api(cast.reader)
    everything = history(reader, base, limit=100)
    assert [e["action"] for e in history(reader, base, entity_type="threat")] == ["update", "create"]
    [made] = history(reader, base, entity_id=asset.rsplit("/", 1)[1])
    assert (made["entity_type"], made["action"], made["actor_id"]) == ("asset", "create", str(cast.writer.pk))
    by_writer = history(reader, base, actor_id=str(cast.writer.pk))
    assert {e["entity_type"] for e in by_writer} == {"asset", "threat"}
    changed = newest(reader, base, entity_type="threat", actor_id=str(cast.writer.pk))
    assert changed["changes"] == {"severity": [None, "high"]}

    middle = made["created_at"]
    assert datetime.fromisoformat(middle)
    earlier, later = history(reader, base, before=middle), history(reader, base, after=middle)
    ids = [[e["id"] for e in part] for part in (later, earlier)]
    assert not set(ids[0]) & set(ids[1])
    assert changed["id"] in ids[0]
    assert everything[-1]["id"] in ids[1]
    assert all(e["created_at"] <= middle for e in earlier)
    assert all(e["created_at"] >= middle for e in later)


@pytest.mark.parametrize(
    "query", ["entity_id=x", "actor_id=1", "after=yesterday", "before=2026-01-01", "who=me", "search=x"]
)
def test_a_filter_that_is_none_is_named(owner, base, query):
    refused = owner.get(f"{base}/history?{query}")
    assert refused.status_code == 400
    assert refused.json()["error"]["details"]["field"] == query.split("=")[0]


def test_a_change_is_taken_back_and_that_is_a_change(writer, cast, base, threat):
    data(writer.patch(threat, {"severity": "high", "score": 7.5}, format="json"))
    entry = newest(writer, base)
    undone = data(revert(writer, base, entry))
    assert (undone["action"], undone["actor_id"]) == ("update", str(cast.writer.pk))
    assert undone["changes"]["severity"] == ["high", None]
    shown = data(writer.get(threat))
    assert (shown["severity"], shown["score"]) == (None, None)
    # And that can be taken back too.
    assert data(revert(writer, base, undone))["changes"]["severity"] == [None, "high"]


def test_what_was_changed_again_since_is_not_taken_back(writer, base, threat):
    data(writer.patch(threat, {"severity": "high"}, format="json"))
    first = newest(writer, base)
    data(writer.patch(threat, {"severity": "low"}, format="json"))
    refused = revert(writer, base, first)
    assert refused.status_code == 409
    assert refused.json()["error"]["details"]["fields"] == ["severity"]
    assert data(writer.get(threat))["severity"] == "low"


def test_a_creation_is_taken_back_by_deleting_and_a_deletion_by_restoring(writer, base, asset):
    made = newest(writer, base)
    assert data(revert(writer, base, made))["action"] == "delete"
    assert writer.get(asset).status_code == 404
    gone = newest(writer, base)
    assert data(revert(writer, base, gone))["action"] == "restore"
    assert data(writer.get(asset))["name"] == "Gold"
    assert revert(writer, base, gone).status_code == 404


def test_metadata_is_taken_back(writer, base, asset):
    data(writer.put(f"{asset}/metadata/ticket", {"value": "T-1"}, format="json"), 201)
    data(writer.put(f"{asset}/metadata/ticket", {"value": "T-2"}, format="json"))
    assert data(revert(writer, base, newest(writer, base)))["action"] == "metadata"
    assert data(writer.get(f"{asset}/metadata/ticket"))["value"] == "T-1"


def test_access_is_not_taken_back_here(owner, base):
    made = owner.post(f"{base}/access", {"email": "new@example.org", "role": "reader"}, format="json")
    assert made.status_code == 201
    refused = revert(owner, base, newest(owner, base, entity_type="access"))
    assert refused.status_code == 409
    assert refused.json()["error"]["details"]["action"] == "grant"


def test_writers_take_changes_back_and_only_owners_the_model_itself(api, cast, owner, writer, base, threat):
    made = newest(owner, base, entity_type="threat")
    assert revert(api(cast.reader), base, made).status_code == 403
    assert revert(api(cast.outsider), base, made).status_code == 404
    model = newest(owner, base, entity_type="threat_model")
    assert model["action"] == "create"
    assert revert(writer, base, model).status_code == 403
    assert revert(owner, base, model).status_code == 200
    assert owner.get(base).status_code == 404


def test_an_entry_of_another_model_is_not_found(owner, base, threat):
    other = data(owner.post("/api/v1/threat_models", {"name": "Other"}, format="json"), 201)["id"]
    entry = AuditEntry.objects.get(entity_id=other)
    assert owner.post(f"{base}/history/{entry.pk}/revert").status_code == 404
    assert owner.post(f"{base}/history/x/revert").status_code == 404
