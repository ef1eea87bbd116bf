"""What no client means to send: it is refused by name and never an error of the server."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import EVERYONE_ID
from threatmodels.actions.diagram import create_diagram

TOO_MANY = 1001
TOKEN = "/api/v1/auth/token"
MANY_FIELDS = "&".join(f"a{n}=1" for n in range(TOO_MANY))
FORM = "application/x-www-form-urlencoded"


def refused(answer, field=None):
    assert answer.status_code == 400, answer.content
    error = answer.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert field is None or error["details"]["field"] == field


def test_too_many_parameters_are_refused(cast, api):
    for url in ("v1/threat_models", "v1/me", "v1/schemas", "v1/openapi.json", "versions"):
        refused(api(cast.owner).get(f"/api/{url}?{MANY_FIELDS}"))


def test_too_many_fields_of_a_form_are_refused(api, db):
    refused(api(None).post(TOKEN, MANY_FIELDS, content_type=FORM))


def test_too_many_fields_or_files_beside_an_import_are_refused(cast, api):
    fields = {f"a{n}": "1" for n in range(TOO_MANY)}
    files = {f"a{n}": SimpleUploadedFile("a.json", b"{}") for n in range(101)}
    for body in (fields, files):
        refused(api(cast.owner).post("/api/v1/import", body, format="multipart"))


@pytest.mark.parametrize("checked", [True, False])
def test_a_page_refuses_too_many_fields_too(db, checked):
    client = Client(enforce_csrf_checks=checked, raise_request_exception=False)
    client.get("/accounts/login/")
    assert client.post("/accounts/login/", MANY_FIELDS, content_type=FORM).status_code == 400
    assert client.get(f"/accounts/login/?{MANY_FIELDS}").status_code == 400


def test_a_page_of_a_person_refuses_too_many_parameters(browse, cast):
    assert browse(cast.owner).get(f"/?{MANY_FIELDS}").status_code == 400


@pytest.mark.parametrize("pair", ["\xe9", "=", "a", "YQ==\xff"])
def test_credentials_that_are_no_base64_are_refused(api, db, pair):
    headers = {"Authorization": f"Basic {pair}"}
    answer = api(None).post(TOKEN, {"grant_type": "client_credentials"}, format="json", headers=headers)
    assert answer.status_code == 401


# -- times and numbers at the edge


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00%2B12:00"])
def test_a_time_that_utc_cannot_show_is_refused(cast, api, moment):
    client = api(cast.owner)
    for name in ("created_after", "created_before", "updated_after", "status_updated_before"):
        refused(client.get(f"/api/v1/threat_models?{name}={moment}"), name)


def test_a_credential_does_not_last_longer_than_utc(cast, api):
    url = "/api/v1/me/client_credentials"
    for moment in ("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59.999999-00:01"):
        refused(api(cast.owner).post(url, {"name": "x", "expires_at": moment}, format="json"), "expires_at")
    last = {"name": "x", "expires_at": "9999-12-31T23:59:59.999999+12:00"}
    assert api(cast.owner).post(url, last, format="json").status_code == 201
    assert api(cast.owner).get(url).json()["data"][0]["expires_at"] == "9999-12-31T11:59:59.999Z"


@pytest.mark.parametrize(
    "number",
    [
        "1e-999999",
        "0e999999",
        "0e-999999",
        "1e999999",
        "-1e-21",
        "sNaN",
        "Infinity",
        "5_0",
        "\u0665",
        " 5",
        "5e",
        "0x5",
        "",
    ],
)
def test_a_number_that_no_column_holds_is_refused(cast, api, threat_model, number):
    url = f"/api/v1/threat_models/{threat_model.pk}/threats"
    for name in ("score_min", "score_max"):
        refused(api(cast.owner).get(f"{url}?{name}={number}"), name)


# -- parameters that there are not


@pytest.fixture
def diagram(cast, threat_model):
    return create_diagram(threat_model=threat_model, actor=cast.owner, name="Overview", cells=[])


OPEN = ("auth/providers", "schemas", "schemas/Threat", "openapi.json", "asyncapi.json")
OWN = ("me", "me/groups", "me/preferences", "me/sessions", "me/client_credentials", f"groups/{EVERYONE_ID}")
OF_A_MODEL = ("", "/metadata", "/access", "/report", "/export", "/history")
OF_A_DIAGRAM = (
    "",
    "/svg",
    "/png",
    "/model",
    "/cells",
    "/metadata",
    "/collaborate",
    "/coverage",
    "/suggestions",
)


def test_an_unknown_parameter_is_refused_everywhere(cast, api, threat_model, diagram):
    model = f"threat_models/{threat_model.pk}"
    addresses = [
        *OPEN,
        *OWN,
        *(f"{model}{rest}" for rest in OF_A_MODEL),
        *(f"{model}/diagrams/{diagram.pk}{rest}" for rest in OF_A_DIAGRAM),
    ]
    for address in addresses:
        refused(api(cast.owner).get(f"/api/v1/{address}?colour=red"), "colour")
    refused(api(None).get("/api/versions?colour=red"), "colour")


def test_a_write_refuses_unknown_parameters_and_changes_nothing(cast, api, threat_model):
    client, url = api(cast.owner), f"/api/v1/threat_models/{threat_model.pk}"
    refused(client.post("/api/v1/threat_models?dry_run=true", {"name": "x"}, format="json"), "dry_run")
    refused(client.patch(f"{url}?fields=id", {"name": "x"}, format="json"), "fields")
    refused(client.delete(f"{url}?force=1"), "force")
    refused(api(None).post(f"{TOKEN}?grant_type=password", {}, format="json"), "grant_type")
    assert client.get(url).json()["data"]["name"] == threat_model.name
    answer = client.options(f"{url}?force=1")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["Allow"] == "GET, PUT, PATCH, DELETE, HEAD"


def test_a_parameter_of_cells_is_given_once(cast, api, threat_model, diagram):
    url = f"/api/v1/threat_models/{threat_model.pk}/diagrams/{diagram.pk}/cells"
    for query in ("at=0&at=1", "at=", "at=x"):
        refused(api(cast.owner).get(f"{url}?{query}"), "at")
