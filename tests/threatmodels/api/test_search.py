"""`search` on every list that has it."""

from __future__ import annotations

import pytest

from tests.threatmodels.api.resources import RESOURCES


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
@pytest.mark.parametrize("words", ["zebr", "ZEBRA crossing", "cross & | ! zebra:*'", "{é_𡋵»*Ç@º"])
def test_every_word_is_searched_as_a_beginning(cast, api, threat_model, resource, words):
    client, base = api(cast.owner), f"/api/v1/threat_models/{threat_model.pk}/{resource.name}"
    for name in ("Zebra crossing", "Horse"):
        assert client.post(base, {**resource.sample, "name": name}, format="json").status_code == 201
    answer = client.get(base, {"search": words})
    assert answer.status_code == 200
    found = [row["name"] for row in answer.json()["data"]]
    assert found == ([] if "é" in words else ["Zebra crossing"])
