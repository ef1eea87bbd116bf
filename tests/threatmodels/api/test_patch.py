"""PATCH: merge patch and JSON Patch."""

from __future__ import annotations

import json

import pytest

from tests.threatmodels.api.resources import deep
from threatmodels.models import Repository

MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"


@pytest.fixture
def writer(api, cast):
    return api(cast.writer)


@pytest.fixture
def one(writer, threat_model):
    base = f"/api/v1/threat_models/{threat_model.pk}/repositories"
    body = {"name": "shop", "uri": "https://example.org", "parameters": {"ref_type": "tag", "deep": {"a": 1}}}
    made = writer.post(base, body, format="json").json()["data"]
    return f"{base}/{made['id']}"


def patch(client, path, body, kind):
    return client.patch(path, json.dumps(body), content_type=kind)


@pytest.mark.parametrize("kind", [MERGE, "application/json"])
def test_a_merge_patch_reaches_into_objects_and_null_removes(writer, one, kind):
    body = {"name": None, "parameters": {"deep": {"b": 2}, "ref_type": None}}
    changed = patch(writer, one, body, kind).json()["data"]
    assert changed["name"] is None
    assert changed["parameters"] == {"deep": {"a": 1, "b": 2}}
    assert changed["uri"] == "https://example.org"


def test_json_patch_knows_all_six_operations(writer, one):
    operations = [
        {"op": "test", "path": "/name", "value": "shop"},
        {"op": "replace", "path": "/name", "value": "store"},
        {"op": "add", "path": "/parameters/list", "value": [1]},
        {"op": "copy", "from": "/name", "path": "/description"},
        {"op": "move", "from": "/parameters/deep", "path": "/parameters/moved"},
        {"op": "remove", "path": "/parameters/ref_type"},
    ]
    changed = patch(writer, one, operations, JSON_PATCH).json()["data"]
    assert (changed["name"], changed["description"]) == ("store", "store")
    assert changed["parameters"] == {"list": [1], "moved": {"a": 1}}


def test_a_failing_test_is_a_conflict_and_changes_nothing(writer, one):
    operations = [
        {"op": "replace", "path": "/name", "value": "x"},
        {"op": "test", "path": "/uri", "value": "other"},
    ]
    refused = patch(writer, one, operations, JSON_PATCH)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "CONFLICT")
    assert writer.get(one).json()["data"]["name"] == "shop"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, ""),
        (["x"], "/0"),
        ([{"op": "remove", "path": "/nothing"}], "/0"),
        ([{"op": "fly", "path": "/name"}], "/0"),
        ([{"op": "add", "path": "/color", "value": 1}], "color"),
        ([{"op": "replace", "path": "/id", "value": "x"}], "id"),
        ([{"op": "remove", "path": "/uri"}], "uri"),
        ([{"op": "remove", "path": "/created_at"}], "created_at"),
        ([{"op": "move", "from": "/id", "path": "/name"}], "id"),
        ([{"op": "replace", "path": "", "value": 3}], ""),
        ([{"op": "add", "path": "name", "value": 3}], "/0"),
        ([{"op": "test", "path": "/name", "value": "shop"}] * 1001, ""),
    ],
)
def test_a_patch_that_cannot_be_carried_out_is_refused_by_place(writer, one, body, field):
    refused = patch(writer, one, body, JSON_PATCH)
    assert refused.status_code == 400, refused.content
    assert refused.json()["error"]["details"]["field"] == field
    assert writer.get(one).json()["data"]["name"] == "shop"


def test_a_patch_cannot_make_a_document_explode(writer, one):
    double = [{"op": "copy", "from": "/parameters", "path": f"/parameters/x{n}"} for n in range(40)]
    refused = patch(writer, one, double, JSON_PATCH)
    assert refused.status_code == 400
    assert "too large" in refused.json()["error"]["details"]["reason"]


@pytest.mark.parametrize("kind", ["", "application/json", MERGE, JSON_PATCH])
def test_nothing_is_no_patch(writer, one, kind):
    refused = writer.generic("PATCH", one, b"", kind)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert writer.generic("PUT", one, b"", "application/json").status_code == 400


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/name/first", "value": "x"},
        {"op": "add", "path": "/parameters/ref_type/x", "value": 1},
        {"op": "remove", "path": "/parameters/list/9"},
        {"op": "replace", "path": "/parameters/list/one", "value": 1},
        {"op": "move", "from": "/parameters", "path": "/parameters/deep/x"},
        {"op": "copy", "from": "/nothing", "path": "/name"},
        {"op": "add", "path": "/name"},
        {"op": "fly", "path": "/name"},
        {"op": ["add"], "path": "/name"},
        {"op": "add", "path": 3, "value": 1},
        {"op": "add", "path": "/~2", "value": 1},
    ],
    ids=str,
)
def test_a_refusal_speaks_of_json_and_not_of_python(writer, one, operation):
    patch(writer, one, {"parameters": {"list": [1]}}, MERGE)
    refused = patch(writer, one, [operation], JSON_PATCH)
    assert (refused.status_code, refused.json()["error"]["details"]["field"]) == (400, "/0")
    reason = refused.json()["error"]["details"]["reason"]
    assert reason.startswith(("There is nothing at the place", "An operation is an object"))


def test_a_patch_cannot_nest_a_document_without_end(writer, one):
    wrapped = (
        {"op": "move", "from": "/parameters", "path": "/description"},
        {
            "op": "add",
            "path": "/parameters",
            "value": {"a": {"a": {}}},
        },
    )
    into = {"op": "move", "from": "/description", "path": "/parameters/a/a/a"}
    for times in (15, 60, 300):
        refused = patch(writer, one, [*wrapped, into] * times, JSON_PATCH)
        assert refused.status_code == 400, refused.content
    copies = [{"op": "copy", "from": "/parameters", "path": "/parameters" + "/deep" * n} for n in range(1, 9)]
    assert patch(writer, one, copies, JSON_PATCH).status_code == 400


def test_what_is_deep_already_can_be_patched(writer, one):
    """Older than the limit: it is named, and can be put right."""
    value = deep(99)
    Repository.objects.update(parameters=value)
    for kind, body in ((MERGE, {"name": "x"}), (JSON_PATCH, [{"op": "add", "path": "/name", "value": "x"}])):
        refused = patch(writer, one, body, kind)
        assert (refused.status_code, refused.json()["error"]["details"]["field"]) == (400, "parameters")
    right = patch(writer, one, [{"op": "remove", "path": "/parameters/a"}], JSON_PATCH)
    assert (right.status_code, right.json()["data"]["parameters"]) == (200, {})


def test_a_patch_that_changes_nothing_leaves_the_time_alone(writer, one):
    before = writer.get(one).json()["data"]
    assert patch(writer, one, {"name": "shop"}, MERGE).json()["data"] == before
