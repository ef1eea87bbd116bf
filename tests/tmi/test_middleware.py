"""Every answer has an id and the headers that keep browsers safe, whoever answers."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

ANSWERS = [
    ("/healthz", 200),
    ("/readyz", 200),
    ("/", 302),
    ("/accounts/login/", 200),
    ("/admin/", 302),
    ("/nothing", 404),
    ("/static/css/site.css", 200),
    ("/static/nothing.css", 404),
    ("/api/v1/threat_models", 401),
    ("/api/v1/nothing", 404),
    ("/api/v1/openapi.json", 200),
]
UUID4 = "1c7a3f52-8f0e-4a8e-9d5b-2f6f0f3a9b10"


@pytest.fixture
def nobody(db: None) -> Client:
    return Client(raise_request_exception=False)


def policy_of(response: HttpResponse) -> dict[str, list[str]]:
    parts = [part.split() for part in response.headers["Content-Security-Policy"].split(";")]
    return {name: sources for name, *sources in parts}


def check(response: HttpResponse) -> None:
    policy = policy_of(response)
    assert policy["default-src"] == ["'self'"]
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == ["'none'"]
    assert policy["form-action"] == ["'self'"]
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*"} & {
        word for words in policy.values() for word in words
    }
    expected = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    assert {name: response.headers.get(name) for name in expected} == expected
    assert "camera=()" in response.headers["Permissions-Policy"]
    assert uuid.UUID(response.headers["X-Request-ID"])


@pytest.mark.asvs(
    "v5.0.0-3.4.3",
    "v5.0.0-3.4.4",
    "v5.0.0-3.4.5",
    "v5.0.0-3.4.6",
    "v5.0.0-3.4.8",
    "v5.0.0-3.4.2",
    "v5.0.0-3.6.1",
    "v5.0.0-14.2.3",
)
@pytest.mark.parametrize(("path", "status"), ANSWERS)
def test_every_answer_has_the_headers(nobody: Client, path: str, status: int) -> None:
    response = nobody.get(path)
    assert response.status_code == status
    check(response)


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/api/v1/threat_models"])
def test_an_unknown_host_is_refused_with_the_headers(nobody: Client, path: str) -> None:
    response = nobody.get(path, headers={"host": "evil.example"})
    assert response.status_code == 400
    check(response)
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.asvs("v5.0.0-14.3.2", "v5.0.0-14.2.2")
@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/nothing", "/api/v1/threat_models"])
def test_answers_are_kept_out_of_every_cache(browse: Any, cast: Any, path: str) -> None:
    kept = browse(cast.owner).get(path).headers["Cache-Control"]
    assert "no-store" in kept
    assert "private" in kept


def test_static_files_may_be_kept(nobody: Client) -> None:
    kept = nobody.get("/static/css/site.css").headers["Cache-Control"]
    assert "public" in kept
    assert "no-store" not in kept


def test_without_tls_nothing_demands_it(nobody: Client) -> None:
    assert "Strict-Transport-Security" not in nobody.get("/accounts/login/").headers


@pytest.mark.asvs("v5.0.0-3.3.2", "v5.0.0-3.3.4")
def test_cookies_are_for_the_server_alone(nobody: Client) -> None:
    cookie = nobody.get("/accounts/login/").cookies["csrftoken"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_the_id_of_a_request_is_taken_and_logged(nobody: Client, lines: Any) -> None:
    response = nobody.get("/accounts/login/", headers={"X-Request-ID": UUID4})
    assert response.headers["X-Request-ID"] == UUID4
    (line,) = [line for line in lines() if line["logger"] == "tmi.requests"]
    assert line["request_id"] == UUID4


@pytest.mark.parametrize("given", ["", "<script>", UUID4 + "0", UUID4.replace("-", ""), "x" * 36, "7\n8"])
def test_an_id_that_is_no_uuid_is_replaced(nobody: Client, lines: Any, given: str) -> None:
    answered = nobody.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert str(uuid.UUID(answered)) == answered != given
    assert {line["request_id"] for line in lines() if "request_id" in line} == {answered}


def test_two_requests_have_two_ids(nobody: Client) -> None:
    assert len({nobody.get("/healthz").headers["X-Request-ID"] for _ in range(3)}) == 3


@pytest.mark.asvs("v5.0.0-16.2.1", "v5.0.0-16.3.2")
def test_one_line_is_logged_for_a_request(browse: Any, cast: Any, lines: Any) -> None:
    browse(cast.owner).get("/?search=shop")
    (line,) = [line for line in lines() if line["logger"] == "tmi.requests"]
    assert (line["level"], line["message"]) == ("info", "GET / 200")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/", 200)
    assert line["user"] == str(cast.owner.pk)
    assert 0 < line["duration"] < 60_000


def test_a_line_about_nobody_names_nobody(nobody: Client, lines: Any) -> None:
    nobody.get("/accounts/login/")
    (line,) = [line for line in lines() if line["logger"] == "tmi.requests"]
    assert "user" not in line
