"""Idempotency-Key: sent again, done once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from accounts.models import AuditEntry, ClientCredential, KeptAnswer
from tests.threatmodels.actions.test_importing import model_with
from threatmodels.models import ThreatModel

URL = "/api/v1/threat_models"


def post(client, body, key="k-1", url=URL):
    return client.post(url, body, format="json", headers={"Idempotency-Key": key})


def the_same(first, again):
    """The same answer, which names the request that it answers."""
    bodies = [answer.json() for answer in (first, again)]
    ids = [body["meta"].pop("request_id") for body in bodies]
    assert ids == [answer["X-Request-ID"] for answer in (first, again)]
    return bodies[0] == bodies[1] and ids[0] != ids[1]


def test_the_same_request_gets_the_first_answer_and_makes_nothing_new(cast, api):
    client = api(cast.owner)
    first = post(client, {"name": "Shop"})
    again = post(client, {"name": "Shop"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert the_same(first, again)
    assert again["Location"] == first["Location"]
    assert again["ETag"] == first["ETag"]
    assert again["Idempotent-Replayed"] == "true"
    assert ThreatModel.objects.count() == 1
    assert AuditEntry.objects.filter(action="create").count() == 1


def test_another_body_under_the_same_key_is_a_conflict(cast, api):
    post(api(cast.owner), {"name": "Shop"})
    other = post(api(cast.owner), {"name": "Bank"})
    assert other.status_code == 409
    assert other.json()["error"]["details"]["field"] == "Idempotency-Key"
    assert ThreatModel.objects.count() == 1


def test_a_key_belongs_to_a_person_and_an_address(cast, api, threat_model):
    before = ThreatModel.objects.count()
    post(api(cast.owner), {"name": "Shop"})
    post(api(cast.writer), {"name": "Shop"})
    post(api(cast.owner), {"name": "Shop"}, key="k-2")
    assert ThreatModel.objects.count() == before + 3
    threats = f"{URL}/{threat_model.pk}/threats"
    assert post(api(cast.owner), {"name": "Shop"}, url=threats).status_code == 201
    assert threat_model.threats.count() == 1


def test_a_refusal_is_kept_too(cast, api):
    first, again = (post(api(cast.owner), {"name": ""}) for _ in range(2))
    assert first.status_code == again.status_code == 400
    assert the_same(first, again)
    assert again["Idempotent-Replayed"] == "true"


def test_what_failed_on_the_server_may_be_tried_again(cast, api, monkeypatch):
    from threatmodels.api import threat_model as view

    with monkeypatch.context() as broken:
        broken.setattr(view.actions, "create_threat_model", lambda **_: 1 / 0)
        assert post(api(cast.owner), {"name": "Shop"}).status_code == 500
    assert not KeptAnswer.objects.exists()
    assert post(api(cast.owner), {"name": "Shop"}).status_code == 201


def test_after_a_day_a_key_is_forgotten(cast, api):
    post(api(cast.owner), {"name": "Shop"})
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    assert post(api(cast.owner), {"name": "Bank"}).status_code == 201
    assert ThreatModel.objects.count() == 2


def test_a_file_sent_again_is_imported_once(cast, api):
    import json

    def send():
        file = SimpleUploadedFile("m.json", json.dumps(model_with()).encode())
        return api(cast.owner).post(
            "/api/v1/import", {"file": file}, format="multipart", headers={"Idempotency-Key": "f"}
        )

    first, again = send(), send()
    assert first.status_code == again.status_code == 201
    assert the_same(first, again)
    assert ThreatModel.objects.count() == 1


def test_a_secret_is_never_kept(cast, api):
    url = "/api/v1/me/client_credentials"
    first = post(api(cast.owner), {"name": "CI"}, url=url)
    secret = first.json()["data"]["client_secret"]
    again = post(api(cast.owner), {"name": "CI"}, url=url)
    assert again.status_code == 409
    assert ClientCredential.objects.count() == 1
    assert secret not in str(list(KeptAnswer.objects.values()))


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "schlüssel"])
def test_a_key_has_a_form(cast, api, key):
    answer = post(api(cast.owner), {"name": "Shop"}, key=key)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == "Idempotency-Key"
    assert not ThreatModel.objects.exists()


def test_nobody_gets_the_answers_of_others_without_signing_in(cast, api):
    post(api(cast.owner), {"name": "Shop"})
    assert post(api(None), {"name": "Shop"}).status_code == 401


@pytest.mark.asvs("v5.0.0-2.3.4")
@pytest.mark.django_db(transaction=True)
def test_two_hundred_at_once_make_one(cast, api):
    answers = []

    def send():
        try:
            answers.extend(post(api(cast.owner), {"name": "Shop"}) for _ in range(25))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 200
    assert {answer.status_code for answer in answers} <= {201, 409}
    made = {answer.json()["data"]["id"] for answer in answers if answer.status_code == 201}
    assert made == {str(ThreatModel.objects.get().pk)}
    for answer in answers:
        if answer.status_code == 409:
            assert "under way" in answer.json()["error"]["message"]
