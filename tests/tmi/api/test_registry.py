"""Versions, the schema registry, and how something says that it will end."""

from __future__ import annotations

from datetime import date

import pytest
from jsonschema import Draft202012Validator

from tmi.api import versions
from tmi.api.registry import registered
from tmi.api.versions import Deprecation, Version


def test_versions_are_listed_for_everybody(api, db):
    answer = api(None).get("/api/versions")
    assert answer.status_code == 200
    [version] = answer.json()["data"]
    assert (version["name"], version["path"], version["status"]) == ("v1", "/api/v1", "current")
    assert "Deprecation" not in answer.headers


def test_a_version_that_ends_says_so_on_every_answer(api, cast, monkeypatch):
    ending = Deprecation(date(2027, 1, 1), date(2028, 1, 1), "/api/v2")
    old = Version("v1", "1.9.0", date(2026, 1, 1), ending)
    monkeypatch.setattr(versions, "VERSIONS", (old,))
    for url in ("/api/v1/me", "/api/v1/threat_models/nowhere"):
        answer = api(cast.owner).get(url)
        assert answer["Deprecation"] == "@1798761600"
        assert answer["Sunset"] == "Sat, 01 Jan 2028 00:00:00 GMT"
        assert answer["Link"] == '<http://testserver/api/v2>; rel="successor-version"'


def test_an_endpoint_that_ends_says_so_alone(api, cast, monkeypatch):
    from accounts.api.me import MeViewSet

    monkeypatch.setattr(MeViewSet, "deprecation", Deprecation(date(2027, 1, 1), date(2028, 1, 1)))
    assert "Sunset" in api(cast.owner).get("/api/v1/me").headers
    assert "Sunset" not in api(cast.owner).get("/api/v1/threat_models").headers


def test_the_registry_has_all_kinds(api, db):
    answer = api(None).get("/api/v1/schemas")
    assert answer.status_code == 200
    kinds = {entry["kind"] for entry in answer.json()["data"]}
    assert {"request", "response", "error", "configuration"} <= kinds
    names = {entry["name"] for entry in answer.json()["data"]}
    assert {"Threat", "ThreatRequest", "Cell", "Error", "Configuration"} <= names


@pytest.mark.parametrize("name", ["Threat", "DiagramRequest", "Failure", "Configuration", "Cell"])
def test_a_schema_stands_by_itself(api, db, name):
    answer = api(None).get(f"/api/v1/schemas/{name}")
    assert answer["Content-Type"] == "application/schema+json"
    schema = answer.json()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).is_valid({})


def test_every_schema_is_one():
    for name, (_kind, schema) in registered().items():
        Draft202012Validator.check_schema(schema)
        assert "#/components" not in str(schema), name


@pytest.mark.parametrize("name", ["nothing", "..%2f..", "%00"])
def test_a_schema_that_is_not_there_is_not_found(api, db, name):
    answer = api(None).get(f"/api/v1/schemas/{name}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND"


def test_the_documentation_is_a_page_without_anything_from_elsewhere(api, db):
    page = api(None).get("/api/docs")
    assert page.status_code == 200
    text = page.content.decode()
    assert "threat_models_threats_bulk_create" in text
    assert "http://" not in text.replace("http://testserver", "")
    assert "<script>" not in text
