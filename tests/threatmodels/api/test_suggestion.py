"""Suggestions over REST: asking, accepting, dismissing, and never the same twice."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.threatmodels.api.test_exporting import without_ids
from tests.threatmodels.knowledge.test_engine import A, B, shop
from threatmodels.actions.diagram import create_diagram
from threatmodels.actions.record import delete_record
from threatmodels.models import SuggestionDecision, Threat, ThreatModel


@pytest.fixture
def diagram(threat_model, cast):
    return create_diagram(threat_model=threat_model, actor=cast.owner, name="Shop", cells=shop())


@pytest.fixture
def base(diagram):
    return f"/api/v1/threat_models/{diagram.threat_model_id}/diagrams/{diagram.pk}"


def asked(client, base):
    return client.post(f"{base}/suggestions").json()["data"]["suggestions"]


def named(one):
    return {"rule_id": one["rule_id"], "cell_id": one["cell_id"]}


def test_asking_stores_nothing_and_names_what_it_offers(api, cast, base):
    found = asked(api(cast.reader), base)
    assert found == api(cast.reader).get(f"{base}/suggestions").json()["data"]["suggestions"]
    script = next(one for one in found if one["rule_id"] == "stride/script-in-page")
    assert script["name"] == "A stranger's script runs in pages of Shop"
    assert script["cwe_ids"] == ["CWE-79", "CWE-829"]
    assert not Threat.objects.exists()
    assert not SuggestionDecision.objects.exists()


def test_accepting_makes_threats_and_offers_the_rest_only(api, cast, base):
    client = api(cast.writer)
    found = asked(client, base)
    wanted = [named(one) for one in found[:3]]
    wanted[1] |= {"name": "Changed by hand", "severity": "low"}
    answer = client.post(f"{base}/suggestions/accept", {"suggestions": wanted}, format="json")
    assert answer.status_code == 201
    made = answer.json()["data"]
    assert [one["name"] for one in made] == [found[0]["name"], "Changed by hand", found[2]["name"]]
    assert made[1]["severity"] == "low"
    assert made[0]["threat_type"] == found[0]["category"]
    assert made[0]["cell_id"] == found[0]["cell_id"]
    rest = asked(client, base)
    accepted = {(one["rule_id"], one["cell_id"]) for one in found[:3]}
    assert not accepted & {(one["rule_id"], one["cell_id"]) for one in rest}


def test_accepting_everything_leaves_nothing_to_offer(api, cast, base):
    client = api(cast.writer)
    wanted = [named(one) for one in asked(client, base)]
    client.post(f"{base}/suggestions/accept", {"suggestions": wanted}, format="json")
    assert asked(client, base) == []
    names = list(Threat.objects.values_list("name", "cell_id"))
    assert len(names) == len(set(names)) == len(wanted)


def test_a_suggestion_comes_back_when_its_threat_is_deleted(api, cast, base):
    client = api(cast.writer)
    one = named(asked(client, base)[0])
    accept = f"{base}/suggestions/accept"
    client.post(accept, {"suggestions": [one]}, format="json")
    delete_record(Threat.objects.get(), actor=cast.writer)
    assert one in [named(other) for other in asked(client, base)]
    assert client.post(accept, {"suggestions": [one]}, format="json").status_code == 201


def test_dismissing_keeps_the_reason_and_can_be_taken_back(api, cast, base):
    client = api(cast.writer)
    one = named(asked(client, base)[0])
    body = {"suggestions": [one], "reason": "The provider does this."}
    made = client.post(f"{base}/suggestions/dismiss", body, format="json").json()["data"]
    assert one not in [named(other) for other in asked(client, base)]
    kept = client.get(f"{base}/suggestions/decisions").json()["data"]
    assert kept == made
    assert kept[0]["reason"] == "The provider does this."
    assert client.delete(f"{base}/suggestions/decisions/{kept[0]['id']}").status_code == 204
    assert one in [named(other) for other in asked(client, base)]


def test_a_whole_category_is_dismissed_and_covered(api, cast, base):
    client = api(cast.writer)
    before = client.get(f"{base}/coverage").json()["data"]
    body = {"suggestions": [{"cell_id": B, "category": "Spoofing"}], "reason": "Read only"}
    assert client.post(f"{base}/suggestions/dismiss", body, format="json").status_code == 201
    assert not [s for s in asked(client, base) if s["cell_id"] == B and s["category"] == "Spoofing"]
    after = client.get(f"{base}/coverage").json()["data"]
    assert after["done"] == before["done"] + 1
    entry = next(
        e for r in after["rows"] if r["cell_id"] == B for e in r["entries"] if e["category"] == "Spoofing"
    )
    assert entry == {"category": "Spoofing", "state": "not_applicable", "threats": 0, "reason": "Read only"}


@pytest.mark.parametrize(
    ("what", "body", "field"),
    [
        ("accept", {"suggestions": []}, "suggestions"),
        ("accept", {"suggestions": [{"rule_id": "stride/none", "cell_id": A}]}, "/suggestions/0/rule_id"),
        ("accept", {"suggestions": [{"rule_id": "stride/person-denies"}]}, "/suggestions/0/cell_id"),
        (
            "accept",
            {"suggestions": [{"rule_id": "stride/person-denies", "cell_id": A}] * 2},
            "/suggestions/1",
        ),
        (
            "accept",
            {"suggestions": [{"rule_id": "stride/person-denies", "cell_id": A, "name": " "}]},
            "/suggestions/0/name",
        ),
        ("dismiss", {"suggestions": [{"rule_id": "stride/person-denies", "cell_id": A}]}, "reason"),
        (
            "dismiss",
            {"suggestions": [{"rule_id": "stride/person-denies", "cell_id": A}], "reason": " "},
            "reason",
        ),
        ("dismiss", {"suggestions": [{"cell_id": A}], "reason": "x"}, "/suggestions/0"),
        (
            "dismiss",
            {"suggestions": [{"cell_id": A, "category": "Spying"}], "reason": "x"},
            "/suggestions/0/category",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_whole(api, cast, base, what, body, field):
    answer = api(cast.writer).post(f"{base}/suggestions/{what}", body, format="json")
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == field
    assert not Threat.objects.exists()
    assert not SuggestionDecision.objects.exists()


def test_readers_look_and_outsiders_do_not(api, cast, base):
    one = {"rule_id": "stride/person-denies", "cell_id": A}
    for what, body in (
        ("accept", {"suggestions": [one]}),
        ("dismiss", {"suggestions": [one], "reason": "x"}),
    ):
        assert api(cast.reader).post(f"{base}/suggestions/{what}", body, format="json").status_code == 403
        assert api(cast.outsider).post(f"{base}/suggestions/{what}", body, format="json").status_code == 404
    assert api(cast.outsider).get(f"{base}/coverage").status_code == 404
    assert api(cast.reader).get(f"{base}/coverage").status_code == 200


def test_what_was_decided_goes_along_into_copies_and_files(api, cast, diagram, base):
    client = api(cast.owner)
    found = [named(one) for one in asked(client, base)]
    client.post(f"{base}/suggestions/accept", {"suggestions": found[:2]}, format="json")
    for what in (found[2], {"cell_id": B, "category": "Spoofing"}):
        body = {"suggestions": [what], "reason": "The provider does this."}
        client.post(f"{base}/suggestions/dismiss", body, format="json")
    model = f"/api/v1/threat_models/{diagram.threat_model_id}"
    copied = client.post(f"{model}/duplicate", {}, format="json").json()["data"]["id"]
    exported = client.get(f"{model}/export?format=tmi").content
    file = {"file": SimpleUploadedFile("shop.json", exported)}
    read = client.post("/api/v1/import", file, format="multipart").json()["data"]["threat_model_id"]
    for pk in (copied, read):
        again = client.get(f"/api/v1/threat_models/{pk}/export?format=tmi").content
        assert without_ids(again).replace("Copy of ", "") == without_ids(exported)
        [there] = client.get(f"/api/v1/threat_models/{pk}/diagrams").json()["data"]
        at = f"/api/v1/threat_models/{pk}/diagrams/{there['id']}"
        assert len(asked(client, at)) == len(asked(client, base))
        kept = client.get(f"{at}/suggestions/decisions").json()["data"]
        assert [one["verdict"] for one in kept] == ["accepted"] * 2 + ["not_applicable"] * 2
        percentages = [client.get(f"{one}/coverage").json()["data"]["percentage"] for one in (at, base)]
        assert percentages[0] == percentages[1] > 0


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"cell_id": "7d9e1c8e-1111-4111-8111-000000000001"}, "/cell_id"),
        ({"category": " "}, "/category"),
        ({"rule_id": "x" * 141}, "/rule_id"),
        ({"verdict": "maybe"}, "/verdict"),
        ({"reason": ""}, ": what does not apply"),
        ({"reason": "x" * 2001}, "/reason"),
        ({"verdict": "accepted"}, "/threat_key"),
        ({"threat_key": 7}, "/threat_key"),
        ({"why": "so"}, "/why"),
    ],
)
def test_a_file_with_decisions_that_cannot_be_is_refused(api, cast, diagram, wrong, field):
    one = {"cell_id": B, "category": "Spoofing", "verdict": "not_applicable", "reason": "Read only"}
    part = {"key": "d", "name": "Shop", "cells": shop(), "decisions": [one | wrong]}
    model = {"format": "tmi-threat-model", "version": 1, "threat_model": {"name": "X", "diagrams": [part]}}
    file = {"file": SimpleUploadedFile("shop.json", json.dumps(model).encode())}
    answer = api(cast.owner).post("/api/v1/import", file, format="multipart")
    assert answer.status_code == 400
    assert f"/threat_model/diagrams/0/decisions/0{field}" in str(answer.json()["error"])
    assert not ThreatModel.objects.filter(name="X").exists()
