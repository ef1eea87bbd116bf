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
