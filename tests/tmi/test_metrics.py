"""Figures for Prometheus: of everything that happens, for those alone who may see them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import Cast
from tests.schema.rows import Rows
from threatmodels.models import ThreatModel
from tmi.config import Config

Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


def figures(text: str) -> Figures:
    """Every sample by its name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Figures, name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0)


@pytest.fixture
def scrape(db: None) -> Any:
    def ask() -> Figures:
        answer = Client().get("/metrics")
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/plain")
        return figures(answer.content.decode())

    return ask


def test_requests_are_counted_by_view_whatever_they_ask_for(
    scrape: Any, browse: Any, cast: Cast, threat_model: ThreatModel
) -> None:
    route = {"method": "GET", "route": "/api/v1/threat_models/<str:threat_model_id>"}
    before = scrape()
    for person in (cast.owner, cast.reader, cast.outsider):
        browse(person).get(f"/api/v1/threat_models/{threat_model.pk}")
    after = scrape()
    grown = {
        status: value(after, "tmi_http_requests_total", **route, status=status)
        - value(before, "tmi_http_requests_total", **route, status=status)
        for status in ("200", "404")
    }
    assert grown == {"200": 2, "404": 1}
    count = "tmi_http_request_seconds_count"
    assert value(after, count, **route) - value(before, count, **route) == 3
    assert not any(str(threat_model.pk) in str(key) for key in after)


def test_addresses_and_methods_that_do_not_exist_make_no_figures_of_their_own(scrape: Any) -> None:
    before = scrape()
    for number in range(5):
        Client().get(f"/nothing/{number}")
        Client().generic(f"VERB{number}", "/nothing")
    labels = {key for key in scrape() if key not in before}
    assert not any("VERB" in str(key) or "nothing" in str(key) for key in labels)


def test_sessions_and_parts_are_shown(scrape: Any) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        rows = Rows(cursor)
        rows.add("collaboration_sessions")
        rows.add("collaboration_sessions", ended_at="2020-01-01T00:00:00Z")
        rows.add("webhook_deliveries")
        rows.add("sign_in_sessions", expires_at="2999-01-01T00:00:00Z")
    found = scrape()
    assert value(found, "tmi_sessions", kind="collaboration") == 1
    assert value(found, "tmi_sessions", kind="sign_in") == 1
    assert value(found, "tmi_webhook_deliveries_waiting") == 1
    assert {part: value(found, "tmi_up", part=part) for part in ("database", "redis", "migrations")} == {
        "database": 1,
        "redis": 1,
        "migrations": 1,
    }


def test_a_part_that_is_away_is_shown_too(scrape: Any, settings: Any) -> None:
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock"
    found = scrape()
    assert value(found, "tmi_up", part="redis") == 0
    assert value(found, "tmi_up", part="database") == 1


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("192.0.2.7", {}, 404),
        ("10.1.2.3", {}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
    ],
)
def test_nobody_else_finds_them(db: None, address: str, headers: Any, status: int) -> None:
    answer = Client(REMOTE_ADDR=address, headers=headers).get("/metrics")
    assert answer.status_code == status
    assert (b"tmi_http" in answer.content) == (status == 200)


def test_who_may_see_them_is_configured(db: None, settings: Any) -> None:
    config: Config = settings.CONFIG
    metrics = config.metrics.model_copy(update={"allowed_networks": ["10.1.0.0/16"]})
    server = config.server.model_copy(update={"trusted_proxies": ["127.0.0.1"]})
    settings.CONFIG = config.model_copy(update={"metrics": metrics, "server": server})
    assert Client(REMOTE_ADDR="10.1.2.3").get("/metrics").status_code == 200
    assert Client(REMOTE_ADDR="127.0.0.1").get("/metrics").status_code == 404
    through = Client(REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": "10.1.2.3"})
    assert through.get("/metrics").status_code == 200
