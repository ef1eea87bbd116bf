"""The OpenAPI document: valid, complete, with examples that hold, and never a surprise to clients."""

from __future__ import annotations

import copy

import pytest
from django.conf import settings
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from threatmodels.api.examples import EXAMPLES
from tmi.api.breaking import breaking_changes
from tmi.api.conformance import AnswerDoesNotFit, check, document
from tmi.api.registry import registered
from tmi.api.views import ApiViewSet
from tmi.lib.json import decode, encode

COPY = settings.BASE_DIR / "docs" / "openapi.json"


def operations():
    for path, found in document()["paths"].items():
        yield from ((path, method, one) for method, one in found.items() if method != "parameters")


def test_the_document_is_valid_and_open_to_everybody(api, db):
    answer = api(None).get("/api/v1/openapi.json")
    assert answer.status_code == 200
    validate(answer.json())
    assert answer.json()["openapi"].startswith("3.1")
    assert answer.json() == document()
    assert answer["Content-Type"] == "application/vnd.oai.openapi+json"
    plain = api(None).get("/api/v1/openapi.json", headers={"Accept": "application/json"})
    assert plain["Content-Type"] == "application/json"


def test_the_document_is_made_once_and_kept(api, db, monkeypatch):
    document()

    def never(*_args, **_kwargs):
        raise AssertionError("made anew")

    monkeypatch.setattr(SchemaGenerator, "get_schema", never)
    assert api(None).get("/api/v1/openapi.json").status_code == 200


def test_every_operation_says_what_it_does_and_which_errors_there_are():
    for path, method, one in operations():
        assert one["tags"], path
        assert one["description"], f"{method} {path}"
        assert {"400", "401", "403", "404", "405", "429"} <= set(one["responses"])
    ids = [one["operationId"] for _path, _method, one in operations()]
    assert len(ids) == len(set(ids))


def test_the_committed_copy_is_up_to_date():
    """`manage.py openapi_document` writes it anew, and refuses what breaks clients."""
    assert decode(COPY.read_bytes()) == document()


def test_the_parameters_that_are_taken_are_those_of_the_document():
    generator = SchemaGenerator()
    generator._initialise_endpoints()
    for path, _regex, method, view in generator._get_paths_and_endpoints():
        if not isinstance(view, ApiViewSet):
            continue
        described = document()["paths"][path][method.lower()].get("parameters", [])
        told = {one["name"] for one in described if one["in"] == "query"}
        assert told == set(view.known_parameters()), f"{method} {path}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_keeps_to_its_schema(name):
    _kind, schema = registered()[name]
    Draft202012Validator.check_schema(schema)
    assert [error.message for error in Draft202012Validator(schema).iter_errors(EXAMPLES[name])] == []


def test_every_body_has_an_example():
    for path, method, one in operations():
        schema = one.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        name = schema.get("items", schema).get("$ref", "").rsplit("/", 1)[-1]
        if name and not name.startswith("Patched"):
            assert name in EXAMPLES, f"{method} {path}: {name}"


# -- what breaks clients


def broken(change):
    after = copy.deepcopy(document())
    change(after)
    return breaking_changes(document(), after)


THREATS = "/api/v1/threat_models/{threat_model_id}/threats"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d["paths"].pop(THREATS), f"get {THREATS} is gone"),
        (lambda d: d["paths"][THREATS].pop("post"), f"post {THREATS} is gone"),
        (lambda d: d["components"]["schemas"]["Threat"]["properties"].pop("name"), "Threat.name is gone"),
        (
            lambda d: d["components"]["schemas"]["ThreatRequest"]["required"].append("severity"),
            "ThreatRequest.severity is required",
        ),
        (
            lambda d: d["components"]["schemas"]["Threat"]["properties"]["name"].update(type="integer"),
            "Threat.name has another type",
        ),
        (lambda d: d["components"]["schemas"]["Threat"]["required"].remove("id"), "Threat.id may be missing"),
        (
            lambda d: d["paths"][THREATS]["post"]["responses"].pop("201"),
            f"post {THREATS}: 201 is not",
        ),
        (
            lambda d: d["paths"][THREATS]["get"]["parameters"].append(
                {"in": "query", "name": "key", "required": True}
            ),
            f"get {THREATS}: the parameter key is required",
        ),
    ],
)
def test_what_breaks_clients_is_told(change, told):
    assert any(one.startswith(told) for one in broken(change))


def test_what_is_new_breaks_nobody():
    def grow(after):
        after["paths"]["/api/v1/new"] = {}
        after["components"]["schemas"]["Threat"]["properties"]["new"] = {"type": "string"}
        after["components"]["schemas"]["ThreatRequest"]["properties"]["new"] = {"type": "string"}

    assert broken(grow) == []
    assert breaking_changes(document(), document()) == []


# -- answers are held against the document


def test_an_answer_that_the_document_does_not_know_is_found(cast, api):
    answer = api(cast.owner).get("/api/v1/me")
    check("/api/v1/me", "get", answer)
    body = answer.json()
    for change in ({"data": {"id": "x"}}, {"meta": {}}, {"success": "yes"}):
        answer.content = encode(body | change)
        with pytest.raises(AnswerDoesNotFit):
            check("/api/v1/me", "get", answer)
    answer.status_code = 418
    with pytest.raises(AnswerDoesNotFit):
        check("/api/v1/me", "get", answer)
