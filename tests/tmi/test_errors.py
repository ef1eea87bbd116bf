"""Every error is the wrapper below /api and a page elsewhere, with the right status, and tells no secret."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest
from django.test import Client
from django.urls import path, re_path

from tmi.lib.errors import STATUS_OF_CODE, Conflict, DomainError
from tmi.urls import handler400, handler403, handler404, handler429, handler500
from tmi.urls import urlpatterns as site

__all__ = ["handler400", "handler403", "handler404", "handler429", "handler500"]

HIDDEN = "SELECT password FROM people"
RAISED: dict[str, Exception] = {
    "crash": RuntimeError(HIDDEN),
    "suspicious": SuspiciousOperation(HIDDEN),
    "gone": Http404(HIDDEN),
    "denied": PermissionDenied("Only on Mondays."),
    "conflict": Conflict("Somebody was faster."),
    "limited": DomainError("Too many.", code="RATE_LIMITED", headers={"Retry-After": "7"}),
}


def broken(request: HttpRequest, name: str) -> NoReturn:
    raise RAISED[name]


urlpatterns = [re_path(r"^(?:api/)?broken/(?P<name>\w+)$", broken), path("page/<str:name>", broken), *site]

EXPECTED = [
    ("crash", "INTERNAL_ERROR", "Something went wrong on the server."),
    ("suspicious", "VALIDATION_ERROR", "The request cannot be understood."),
    ("gone", "NOT_FOUND", "There is nothing here"),
    ("denied", "PERMISSION_DENIED", "Only on Mondays."),
    ("conflict", "CONFLICT", "Somebody was faster."),
    ("limited", "RATE_LIMITED", "Too many."),
]


@pytest.fixture
def nobody(db: None) -> Client:
    return Client(raise_request_exception=False)


def page_of(response: Any, status: int) -> str:
    """The text of an error page; its status is right, in the answer and in the page."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"].startswith("text/html")
    text: str = response.content.decode()
    assert f'<p class="blank-code">{status}</p>' in text
    assert "Traceback" not in text
    assert HIDDEN not in text
    return text


def error_of(response: Any, code: str) -> dict[str, Any]:
    """The error of a wrapped answer; the status fits the code."""
    assert (response.status_code, response.headers["Content-Type"]) == (
        STATUS_OF_CODE[code],
        "application/json",
    )
    body = response.json()
    assert set(body) == {"success", "data", "error", "meta"}
    assert (body["success"], body["data"], body["error"]["code"]) == (False, None, code)
    assert body["meta"]["request_id"] == response.headers["X-Request-ID"]
    assert HIDDEN not in response.content.decode()
    return body["error"]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(("name", "code", "text"), EXPECTED)
def test_what_a_page_raises_becomes_a_page(nobody: Client, name: str, code: str, text: str) -> None:
    assert text in page_of(nobody.get(f"/broken/{name}"), STATUS_OF_CODE[code])


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(("name", "code", "text"), EXPECTED)
def test_below_api_it_becomes_the_wrapper(nobody: Client, name: str, code: str, text: str) -> None:
    assert text in error_of(nobody.get(f"/api/broken/{name}"), code)["message"]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("prefix", ["", "/api"])
def test_the_headers_of_an_error_are_sent(nobody: Client, prefix: str) -> None:
    assert nobody.get(f"{prefix}/broken/limited").headers["Retry-After"] == "7"


def test_an_unknown_page_is_not_found(nobody: Client) -> None:
    page_of(nobody.get("/nothing/here"), 404)


def test_a_method_that_a_page_does_not_take_gets_a_page(browse: Any, cast: Any) -> None:
    response = browse(cast.owner).delete("/")
    page_of(response, 405)
    assert response.headers["Allow"] == "GET"


def test_too_long_a_form_gets_a_page(nobody: Client, settings: Any) -> None:
    body = "login=" + "x" * settings.CONFIG.server.max_body_bytes
    kind = "application/x-www-form-urlencoded"
    page_of(nobody.post("/accounts/login/", body, content_type=kind), 413)


def test_a_form_without_its_token_gets_a_page(db: None) -> None:
    response = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "a@example.org"})
    assert "security token" in page_of(response, 403)


def test_an_unknown_host_gets_a_page(nobody: Client) -> None:
    assert "evil.example" not in page_of(nobody.get("/", headers={"host": "evil.example"}), 400)


@pytest.mark.asvs("v5.0.0-3.5.1", "v5.0.0-3.5.3")
def test_a_session_without_its_token_is_refused_in_the_wrapper(cast: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.owner)
    response = client.post("/api/v1/threat_models", {"name": "Shop"}, content_type="application/json")
    error_of(response, "PERMISSION_DENIED")


def test_the_schema_refuses_in_the_wrapper_too(nobody: Client) -> None:
    error_of(nobody.post("/api/v1/openapi.json", {}, content_type="application/json"), "METHOD_NOT_ALLOWED")
    error_of(nobody.get("/api/v1/openapi.json", headers={"accept": "text/csv"}), "NOT_ACCEPTABLE")


def test_while_the_database_is_away_a_signed_in_person_is_told(
    cast: Any, browse: Any, api: Any, database_away: Any
) -> None:
    browser, program = browse(cast.owner), api(cast.owner)
    assert browser.get("/").status_code == 200
    database_away()
    response = browser.get("/")
    assert "not reachable" in page_of(response, 503)
    assert response.headers["Retry-After"] == "2"
    response = program.get("/api/v1/threat_models")
    error_of(response, "SERVICE_UNAVAILABLE")
    assert response.headers["Retry-After"] == "2"


def test_a_limit_of_the_account_pages_answers_with_the_site_s_page(nobody: Client, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    answers = [
        nobody.post("/accounts/login/", {"login": "a@b.org", "password": "x"}, REMOTE_ADDR="192.0.2.77")
        for _ in range(3)
    ]
    assert "Too many attempts" in page_of(answers[-1], 429)
