"""Requests at the same moment, at a real server."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import requests

OWNER = "owner@example.org"


def together(count: int, act: Any) -> list[requests.Response]:
    """`act(number)` in as many threads, begun at once."""
    start = Barrier(count)

    def begin(number: int) -> requests.Response:
        start.wait(20)
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def signed(site: Any, **more: str) -> dict[str, str]:
    site.api(OWNER, "GET", "/me")
    return {"Authorization": f"Bearer {site.tokens[OWNER]}", **more}


def test_of_two_who_change_one_version_exactly_one_wins(site, model):
    url = f"{site.url}/api/v1/threat_models/{model['id']}/threats/{model['threat']}"
    for turn in range(20):
        tag = requests.get(url, headers=signed(site), timeout=20).headers["ETag"]
        headers = signed(site, **{"If-Match": tag})

        def change(who: int, turn: int = turn, headers: Any = headers) -> requests.Response:
            return requests.patch(url, json={"name": f"{turn} by {who}"}, headers=headers, timeout=20)

        answers = together(2, change)
        assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 1}
        winner = next(index for index, answer in enumerate(answers) if answer.status_code == 200)
        assert site.api(OWNER, "GET", url.partition("/api/v1")[2])["name"] == f"{turn} by {winner}"


def test_without_a_condition_changes_of_different_fields_all_stay(site, model):
    url = f"{site.url}/api/v1/threat_models/{model['id']}/threats/{model['threat']}"
    fields = ("name", "description", "mitigation", "status")
    for turn in range(10):

        def change(number: int, turn: int = turn) -> requests.Response:
            return requests.patch(url, json={fields[number]: f"{turn}"}, headers=signed(site), timeout=20)

        assert {answer.status_code for answer in together(len(fields), change)} == {200}
        kept = site.api(OWNER, "GET", url.partition("/api/v1")[2])
        assert [kept[name] for name in fields] == [f"{turn}"] * len(fields)


def test_two_hundred_posts_with_one_key_make_one_threat(site, model):
    url = f"{site.url}/api/v1/threat_models/{model['id']}/threats"
    headers = signed(site, **{"Idempotency-Key": "one-key-for-all"})

    def make(_number: int) -> requests.Response:
        return requests.post(url, json={"name": "Made once"}, headers=headers, timeout=60)

    answers = together(200, make)
    assert {answer.status_code for answer in answers} <= {201, 409}
    made = {answer.json()["data"]["id"] for answer in answers if answer.status_code == 201}
    assert len(made) == 1
    rows = site.api(OWNER, "GET", f"/threat_models/{model['id']}/threats?search=made")
    assert [row["id"] for row in rows] == list(made)
