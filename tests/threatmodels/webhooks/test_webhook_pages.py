"""The pages of webhooks do what the API does, for the same people."""

from __future__ import annotations

import re

from django.core.management import call_command

from tests.threatmodels.webhooks.conftest import deliver_all
from threatmodels.models import Webhook, WebhookDelivery


def make(browse, person, path, receiver):
    return browse(person).post(path, {"url": receiver.url, "events": ["threat.*", "threat_model.*"]})


def test_an_owner_makes_a_webhook_and_sees_its_secret_once(browse, cast, threat_model, receiver):
    path = f"/threat-models/{threat_model.pk}/webhooks"
    shown = make(browse, cast.owner, path, receiver).content.decode()
    made = Webhook.objects.get()
    assert made.threat_model == threat_model
    assert f'value="{made.secret}"' in shown
    one = f"/webhooks/{made.pk}"
    for address in (path, one):
        text = browse(cast.owner).get(address).content.decode()
        assert made.url in text
        assert made.secret not in text
    renewed = browse(cast.owner).post(f"{one}/secret").content.decode()
    made.refresh_from_db()
    assert re.search(r'id="secret"[^>]* value="([^"]+)"', renewed)[1] == made.secret


def test_only_its_people_open_and_change_a_webhook(browse, cast, threat_model, receiver):
    path = f"/threat-models/{threat_model.pk}/webhooks"
    make(browse, cast.owner, path, receiver)
    one = f"/webhooks/{Webhook.objects.get().pk}"
    for name, status in {
        "writer": 403,
        "reader": 403,
        "outsider": 404,
        "admin": 404,
        "anonymous": 302,
    }.items():
        client = browse(cast.named(name))
        assert client.get(path).status_code == status
        assert make(browse, cast.named(name), path, receiver).status_code == status
        hidden = 302 if name == "anonymous" else 404
        assert client.get(one).status_code == hidden
        for action in ("change", "switch", "secret", "test", "delete"):
            assert client.post(f"{one}/{action}").status_code == hidden
    assert Webhook.objects.count() == 1


def test_a_webhook_is_tried_changed_switched_off_and_deleted(browse, cast, threat_model, receiver, api):
    client = browse(cast.owner)
    make(browse, cast.owner, "/webhooks", receiver)
    one = f"/webhooks/{Webhook.objects.get().pk}"
    deliver_all()
    client.post(f"{one}/test")
    deliver_all()
    api(cast.owner).patch(f"/api/v1/threat_models/{threat_model.pk}", {"status": "Approved"}, format="json")
    deliver_all()
    text = client.get(one, {"status": "delivered"}).content.decode()
    assert "webhook.ping" in text
    assert "threat_model.updated" in text
    delivery = WebhookDelivery.objects.get(event="threat_model.updated")
    client.post(f"{one}/deliveries/{delivery.pk}/redeliver")
    deliver_all()
    assert receiver.events() == ["webhook.ping", "threat_model.updated", "threat_model.updated"]
    client.post(f"{one}/change", {"url": receiver.url, "events": ["note.*"]})
    assert Webhook.objects.get().events == ["note.*"]
    client.post(f"{one}/switch")
    assert Webhook.objects.get().status == "disabled"
    client.post(f"{one}/switch")
    assert Webhook.objects.get().status == "pending"
    client.post(f"{one}/delete")
    assert not Webhook.objects.exists()


def test_a_bad_address_is_said_at_its_field(browse, cast):
    answer = browse(cast.owner).post("/webhooks", {"url": "https://127.0.0.1/", "events": ["*"]})
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.content.decode()
    assert not Webhook.objects.exists()


def test_the_command_delivers_what_is_due_and_ends(cast, receiver, browse, capsys):
    make(browse, cast.owner, "/webhooks", receiver)
    call_command("deliver_webhooks", "--once")
    assert "1 deliveries tried" in capsys.readouterr().out
    assert Webhook.objects.get().status == "active"
