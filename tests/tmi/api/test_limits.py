"""Rate limits: counted in Redis by person and endpoint, told on every answer, lifted after a minute."""

from __future__ import annotations

import pytest
import redis

from tmi.lib import windows
from tmi.lib.redis import client as redis_client

URL = "/api/v1/threat_models"


@pytest.fixture
def limits(settings):
    """`limits(per_endpoint, all)` turns the limits on."""

    def turn_on(endpoint, everything):
        chosen = {"per_endpoint_per_minute": endpoint, "requests_per_minute": everything}
        rate_limits = settings.CONFIG.rate_limits.model_copy(update=chosen)
        settings.CONFIG = settings.CONFIG.model_copy(update={"rate_limits": rate_limits})

    return turn_on


def test_an_answer_says_what_is_left(cast, api, limits):
    limits(10, 100)
    client = api(cast.owner)
    client.get(URL)
    answer = client.get(URL)
    assert answer["RateLimit-Limit"] == "10"
    assert answer["RateLimit-Remaining"] == "8"
    assert 0 < int(answer["RateLimit-Reset"]) <= 60
    assert redis_client().get(f"rate_limit:{cast.owner.pk}:api/v1/threat_models") == "2"
    assert redis_client().get(f"rate_limit:{cast.owner.pk}:all") == "2"
    assert 0 < redis_client().ttl(f"rate_limit:{cast.owner.pk}:all") <= 60


def test_too_many_requests_of_one_endpoint_are_refused_there_alone(cast, api, limits):
    limits(2, 100)
    client = api(cast.owner)
    assert [client.get(URL).status_code for _ in range(3)] == [200, 200, 429]
    refused = client.get(URL)
    assert refused.json()["error"]["code"] == "RATE_LIMITED"
    assert refused["RateLimit-Remaining"] == "0"
    assert 0 < int(refused["Retry-After"]) <= 60
    assert client.get("/api/v1/me").status_code == 200
    assert api(cast.writer).get(URL).status_code == 200


@pytest.mark.asvs("v5.0.0-2.4.1", "v5.0.0-2.3.2")
def test_too_many_requests_in_all_are_refused_everywhere(cast, api, limits):
    limits(0, 2)
    client = api(cast.owner)
    assert [client.get(url).status_code for url in (URL, "/api/v1/me", URL)] == [200, 200, 429]


def test_those_whom_nobody_knows_are_counted_by_address(api, db, limits):
    limits(2, 0)
    redis_client().delete("rate_limit:127.0.0.1:api/v1/me")
    bad = {"Authorization": "Bearer nonsense"}
    assert [api(None).get("/api/v1/me", headers=bad).status_code for _ in range(3)] == [401, 401, 429]


@pytest.mark.parametrize("path", ["/api/v1/openapi.json", "/api/v1/nothing"])
def test_what_is_no_resource_is_counted_too(api, db, limits, path):
    redis_client().flushdb()
    limits(2, 0)
    answers = [api(None).get(path) for _ in range(3)]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[2].status_code == 429


def test_a_refused_request_changes_nothing(cast, api, limits):
    limits(1, 0)
    client = api(cast.owner)
    client.get(URL)
    assert client.post(URL, {"name": "Shop"}, format="json").status_code == 429


def test_without_limits_nothing_is_told(cast, api):
    assert "RateLimit-Limit" not in api(cast.owner).get(URL).headers


def test_while_redis_is_away_nobody_is_refused(cast, api, limits, monkeypatch):
    limits(1, 1)
    monkeypatch.setattr(windows, "client", lambda: redis.Redis(port=1, socket_connect_timeout=0.1))
    answers = [api(cast.owner).get(URL) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert "RateLimit-Limit" not in answers[0].headers


def test_a_window_ends(cast, db):
    [first] = windows.hit("somebody", "somewhere")
    assert first.count >= 1
    redis_client().expire("rate_limit:somebody:somewhere", 0)
    assert windows.hit("somebody", "somewhere")[0].count == 1
