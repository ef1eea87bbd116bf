"""The wrapper is on every answer, whatever went wrong and wherever."""

from __future__ import annotations

import gc
import re
import uuid
import weakref

import pytest
from django.core.handlers.base import BaseHandler
from django.test import RequestFactory

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


def wrapped(response, status, code):
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/json"
    body = response.json()
    assert set(body) == {"success", "data", "error", "meta"}
    assert body["success"] is False
    assert body["data"] is None
    assert set(body["error"]) == {"code", "message", "details"}
    assert body["error"]["code"] == code
    assert set(body["meta"]) == {"timestamp", "request_id", "pagination"}
    assert TIME.match(body["meta"]["timestamp"])
    assert body["meta"]["request_id"] == response.headers["X-Request-ID"]
    for leak in ("Traceback", "SELECT", ".py"):
        assert leak not in response.content.decode()
    return body["error"]


@pytest.mark.asvs("v5.0.0-4.1.1")
def test_success_is_wrapped(api, cast):
    response = api(cast.owner).post("/api/v1/threat_models", {"name": "Shop"}, format="json")
    body = response.json()
    assert response.status_code == 201
    assert set(body) == {"success", "data", "error", "meta"}
    assert (body["success"], body["error"]) == (True, None)


def test_no_one_is_answered_with_nothing(api, cast, threat_model):
    response = api(cast.owner).delete(f"/api/v1/threat_models/{threat_model.pk}")
    assert (response.status_code, response.content) == (204, b"")


def test_a_request_id_is_taken_over_when_it_is_a_uuid(api, cast):
    client, given = api(cast.owner), str(uuid.uuid4())
    response = client.get("/api/v1/threat_models", HTTP_X_REQUEST_ID=given)
    assert response.headers["X-Request-ID"] == response.json()["meta"]["request_id"] == given
    other = client.get("/api/v1/threat_models", HTTP_X_REQUEST_ID="<script>")
    assert uuid.UUID(other.headers["X-Request-ID"])


def test_an_anonymous_caller_is_asked_to_sign_in(api, db):
    response = api(None).get("/api/v1/threat_models")
    wrapped(response, 401, "AUTHENTICATION_REQUIRED")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/api/v2/threat_models", "/api/", "/api/v1/threat_models/"]
)
def test_an_unknown_path_is_not_found(api, cast, path):
    wrapped(api(cast.owner).get(path), 404, "NOT_FOUND")


@pytest.mark.asvs("v5.0.0-4.1.4", "v5.0.0-13.4.4")
def test_a_wrong_method_names_the_right_ones(api, cast):
    response = api(cast.owner).put("/api/v1/threat_models", {}, format="json")
    wrapped(response, 405, "METHOD_NOT_ALLOWED")
    assert "GET" in response.headers["Allow"]


def test_bad_json_is_refused(api, cast):
    response = api(cast.owner).post(
        "/api/v1/threat_models", b'{"name": "a", "name": "b"}', content_type="application/json"
    )
    error = wrapped(response, 400, "VALIDATION_ERROR")
    assert "twice" in error["details"]["reason"]


@pytest.mark.asvs("v5.0.0-3.5.2")
def test_a_wrong_media_type_is_refused(api, cast):
    response = api(cast.owner).post("/api/v1/threat_models", b"<x/>", content_type="text/xml")
    wrapped(response, 415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_form_that_the_answer_has_not_is_refused(api, cast):
    response = api(cast.owner).get("/api/v1/threat_models", HTTP_ACCEPT="text/csv")
    wrapped(response, 406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize(
    ("accepted", "status"),
    [
        ("", 200),
        (" ", 200),
        ("application/json", 200),
        ("application/json;q=0.1", 200),
        ("application/json;q=0", 406),
        ("application/json;q=0.000, */*", 406),
        ("*/*; q=0", 406),
        ("text/csv, */*;q=0", 406),
        ("text/csv;q=0, */*", 200),
    ],
)
def test_what_is_accepted_is_weighed(api, cast, accepted, status):
    assert api(cast.owner).get("/api/v1/threat_models", HTTP_ACCEPT=accepted).status_code == status


@pytest.mark.parametrize("charset", ["utf-16", "latin-1", "iso-8859-1", '"UTF-16"', "nonsense"])
def test_a_body_in_another_charset_is_refused(api, cast, charset):
    kind = f"application/json; charset={charset}"
    response = api(cast.owner).generic("POST", "/api/v1/threat_models", b'{"name": "Shop"}', kind)
    wrapped(response, 415, "UNSUPPORTED_MEDIA_TYPE")
    for known in ("utf-8", "UTF8", '"utf-8"'):
        kind = f"application/json; charset={known}"
        response = api(cast.owner).generic("POST", "/api/v1/threat_models", b'{"name": "Shop"}', kind)
        assert response.status_code == 201


@pytest.mark.asvs("v5.0.0-15.2.2")
def test_too_large_a_body_is_refused(api, cast, settings):
    most = settings.CONFIG.server.max_body_bytes
    body = b'{"name": "' + b"x" * most + b'"}'
    response = api(cast.owner).post("/api/v1/threat_models", body, content_type="application/json")
    wrapped(response, 413, "PAYLOAD_TOO_LARGE")


def test_an_unknown_host_is_a_bad_request(api, cast):
    wrapped(api(cast.owner).get("/api/v1/threat_models", HTTP_HOST="evil.example"), 400, "VALIDATION_ERROR")


@pytest.mark.asvs("v5.0.0-16.5.1", "v5.0.0-16.5.4")
def test_a_failure_of_ours_tells_nothing(api, cast, monkeypatch):
    from threatmodels import access

    def broken(_user):
        raise RuntimeError("SELECT secret FROM /etc/passwd")

    monkeypatch.setattr(access, "visible_to", broken)
    error = wrapped(api(cast.owner).get("/api/v1/threat_models"), 500, "INTERNAL_ERROR")
    assert "secret" not in str(error)


def test_all_problems_are_listed_with_the_first_on_top(api, cast):
    response = api(cast.owner).post(
        "/api/v1/threat_models", {"name": "", "threat_model_framework": "X", "color": 1}, format="json"
    )
    error = wrapped(response, 400, "VALIDATION_ERROR")
    assert error["details"]["field"] == error["details"]["errors"][0]["field"]


@pytest.mark.asvs("v5.0.0-14.3.2")
def test_personal_answers_are_kept_out_of_caches(api, cast):
    response = api(cast.owner).get("/api/v1/threat_models")
    assert "no-store" in response.headers["Cache-Control"]
    assert "private" in response.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/api/versions", "/api/v1/threat_models", "/api/v1/nowhere"])
def test_an_answer_is_let_go_at_once(db, path):
    handler = BaseHandler()
    handler.load_middleware()
    gc.collect()
    gc.disable()
    try:
        response = handler.get_response(RequestFactory().get(path))
        assert response.content
        response.close()
        seen = weakref.ref(response)
        del response
        assert seen() is None
    finally:
        gc.enable()
