"""Alive means that the process answers, ready that it can do its work."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client


@pytest.fixture
def health() -> Any:
    """`health(path)` is the status and the body."""

    def ask(path: str) -> tuple[int, dict[str, Any]]:
        response = Client(raise_request_exception=False).get(path)
        return response.status_code, response.json()

    return ask


def test_a_whole_server_is_ready(db: None, health: Any) -> None:
    assert health("/readyz") == (200, {"status": "ok"})


def test_being_alive_takes_no_database(health: Any) -> None:
    assert health("/healthz") == (200, {"status": "ok"})


def test_a_redis_that_is_away_is_named(db: None, health: Any, settings: Any) -> None:
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock"
    assert health("/readyz") == (503, {"status": "unavailable", "missing": ["redis"]})
    assert health("/healthz")[0] == 200


def test_a_migration_that_is_not_applied_is_named(db: None, health: Any) -> None:
    newest = MigrationLoader(connection).graph.leaf_nodes("accounts")[0]
    MigrationRecorder(connection).record_unapplied(*newest)
    assert health("/readyz") == (503, {"status": "unavailable", "missing": ["migrations"]})


def test_a_database_that_is_away_is_named(health: Any, database_away: Any) -> None:
    database_away()
    status, body = health("/readyz")
    assert (status, body["missing"]) == (503, ["database", "migrations"])
    assert health("/healthz")[0] == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_what_is_answered_is_not_kept(db: None, path: str) -> None:
    assert "no-store" in Client().get(path).headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
@pytest.mark.parametrize("host", ["10.0.0.7:8080", "web:8080", "evil.example.net"])
def test_who_watches_may_ask_by_any_name_and_does_not_get_it_back(db: None, path: str, host: str) -> None:
    answer = Client().get(path, headers={"Host": host})
    assert answer.status_code == 200
    assert host not in f"{answer.headers} {answer.content.decode()}"
    assert Client().get("/accounts/login/", headers={"Host": host}).status_code == 400


def test_whoever_may_not_see_the_figures_gets_what_any_address_without_a_page_gets(db: None) -> None:
    for host, status in (("web:8080", 400), ("localhost", 404)):
        client = Client(REMOTE_ADDR="192.0.2.7", headers={"Host": host})
        answers = [client.get(path) for path in ("/metrics", "/nothing")]
        assert [answer.status_code for answer in answers] == [status, status]
