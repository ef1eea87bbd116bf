"""Webhooks, from the subscription to the dead letter, with a receiver that speaks HTTPS."""

from __future__ import annotations

import json
import time
import uuid

import pytest
from django.db import ProgrammingError, connection, transaction
from psycopg.errors import UndefinedTable

from accounts.models import AuditEntry
from tests.threatmodels.webhooks.conftest import configure, deliver_all
from threatmodels import access, delivering
from threatmodels.actions import webhook as actions
from threatmodels.actions.access import Grant, grant_access
from threatmodels.actions.record import create_record
from threatmodels.actions.threat_model import create_threat_model
from threatmodels.delivering import LEASE_SECONDS, Workers, deliver_next, forget_old
from threatmodels.models import Threat, ThreatModel, Webhook, WebhookDelivery

HOOKS = "/api/v1/webhooks"


def of(threat_model: ThreatModel) -> str:
    return f"/api/v1/threat_models/{threat_model.pk}"


# -- subscribing


def test_nothing_is_sent_before_the_receiver_has_answered_the_challenge(api, cast, threat_model, receiver):
    receiver.answers = lambda taken: (200, b"{}")
    made = api(cast.owner).post(HOOKS, {"url": receiver.url, "events": ["*"]}, format="json").json()["data"]
    deliver_all()
    api(cast.owner).patch(of(threat_model), {"status": "Approved"}, format="json")
    deliver_all()
    assert [one.payload["event"] for one in receiver.taken] == ["webhook.challenge"]
    assert api(cast.owner).get(f"{HOOKS}/{made['id']}").json()["data"]["status"] == "pending"

    receiver.answers = None
    assert api(cast.owner).post(f"{HOOKS}/{made['id']}/test").status_code == 201
    deliver_all()
    assert api(cast.owner).get(f"{HOOKS}/{made['id']}").json()["data"]["status"] == "active"
    api(cast.owner).patch(of(threat_model), {"status": "Rejected"}, format="json")
    deliver_all()
    assert receiver.events() == ["threat_model.updated"]


def test_a_delivery_is_signed_with_the_secret_that_was_shown_once(
    cast, threat_model, receiver, subscribe, api
):
    made = subscribe(cast.owner)
    api(cast.owner).post(f"{of(threat_model)}/threats", {"name": "Spoofed"}, format="json")
    deliver_all()
    for taken in receiver.taken:
        assert taken.signed_with(made["secret"])
        assert not taken.signed_with("another secret")
    sent = receiver.taken[-1]
    assert sent.headers["X-TMI-Event"] == "threat.created"
    assert sent.payload["threat_model_id"] == str(threat_model.pk)
    assert sent.payload["actor_id"] == str(cast.owner.pk)
    assert sent.payload["entity_id"] == str(Threat.objects.get().pk)
    assert "Spoofed" not in sent.body.decode()
    assert "secret" not in api(cast.owner).get(f"{HOOKS}/{made['id']}").json()["data"]
    assert made["secret"] not in api(cast.owner).get(f"{HOOKS}/{made['id']}/deliveries").content.decode()


@pytest.mark.asvs("v5.0.0-11.3.3", "v5.0.0-11.2.2")
def test_a_secret_is_encrypted_in_the_database(cast, receiver, subscribe):
    made = subscribe(cast.owner, secret="a secret of our own choice")
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM webhooks")
        [stored] = cursor.fetchone()
    assert made["secret"] not in stored
    assert Webhook.objects.get().secret == made["secret"] == "a secret of our own choice"


def test_a_new_secret_is_shown_once_and_signs_from_then_on(api, cast, receiver, subscribe):
    made = subscribe(cast.owner)
    one = f"{HOOKS}/{made['id']}"
    changed = api(cast.owner).patch(one, {"secret": None}, format="json").json()["data"]
    assert changed["secret"] != made["secret"]
    api(cast.owner).post(f"{one}/test")
    deliver_all()
    assert receiver.taken[-1].payload["event"] == "webhook.ping"
    assert receiver.taken[-1].signed_with(changed["secret"])
    assert (
        api(cast.owner).patch(one, {"events": ["threat.*"]}, format="json").json()["data"]["secret"] is None
    )


@pytest.mark.parametrize("wrong", [{"url": "http://93.184.216.34/"}, {"events": []}, {"status": "pending"}])
def test_a_refused_change_leaves_the_secret_as_it_was(api, cast, receiver, subscribe, wrong):
    made = subscribe(cast.owner)
    refused = api(cast.owner).patch(f"{HOOKS}/{made['id']}", {"secret": None, **wrong}, format="json")
    assert refused.status_code == 400
    assert Webhook.objects.get().secret == made["secret"]
    both = {"secret": None, "events": ["threat.*"]}
    changed = api(cast.owner).patch(f"{HOOKS}/{made['id']}", both, format="json").json()["data"]
    assert changed["events"] == ["threat.*"]
    assert Webhook.objects.get().secret == changed["secret"] != made["secret"]
    [told] = AuditEntry.objects.filter(entity_id=made["id"], action="update")
    assert told.changes["secret"] == [None, "changed"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "http://93.184.216.34/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "url"),
        ({"url": "https://[::1]/"}, "url"),
        ({"url": "https://2130706433/"}, "url"),
        ({"url": "https://user:password@93.184.216.34/"}, "url"),
        ({"url": "ftp://93.184.216.34/"}, "url"),
        ({"url": ""}, "url"),
        ({"url": "https://93.184.216.34/\u0000"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["threat.exploded"]}, "/events/0"),
        ({"secret": "short"}, "secret"),
        ({"threat_model_id": "nonsense"}, "threat_model_id"),
        ({"extra": 1}, "extra"),
        ({"status": "active"}, "status"),
    ],
)
def test_a_bad_subscription_is_refused_and_nothing_is_kept(api, cast, body, field):
    good = {"url": "https://93.184.216.34/hook", "events": ["*"]}
    answer = api(cast.owner).post(HOOKS, {**good, **body}, format="json")
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]["details"]["field"] == field
    assert not Webhook.objects.exists()
    assert not WebhookDelivery.objects.exists()


def test_plain_http_is_refused_even_where_the_network_is_allowed(api, cast, receiver):
    plain = receiver.url.replace("https:", "http:")
    answer = api(cast.owner).post(HOOKS, {"url": plain, "events": ["*"]}, format="json")
    assert answer.json()["error"]["details"]["field"] == "url"


def test_a_repeated_post_gets_no_second_webhook_and_no_secret(api, cast, receiver):
    body = {"url": receiver.url, "events": ["*"]}
    client = api(cast.owner)
    first = client.post(HOOKS, body, format="json", headers={"Idempotency-Key": "k1"})
    again = client.post(HOOKS, body, format="json", headers={"Idempotency-Key": "k1"})
    assert (first.status_code, again.status_code) == (201, 409)
    assert first.json()["data"]["secret"] not in again.content.decode()
    assert Webhook.objects.count() == 1


def test_the_history_tells_of_a_webhook_without_its_path_and_secret(
    api, cast, threat_model, receiver, subscribe
):
    url = f"{receiver.url}/path-that-is-a-secret?token=canary"
    made = subscribe(cast.owner, url=url, threat_model_id=str(threat_model.pk))
    api(cast.owner).patch(f"{HOOKS}/{made['id']}", {"url": f"{url}2"}, format="json")
    api(cast.owner).delete(f"{HOOKS}/{made['id']}")
    entries = AuditEntry.objects.filter(entity_type="webhook")
    assert [entry.action for entry in entries.order_by("created_at")] == ["create", "update", "delete"]
    told = str([entry.changes for entry in entries])
    assert "path-that-is-a-secret" not in told
    assert "canary" not in told
    assert made["secret"] not in told


# -- who manages and who is told


def test_only_owners_make_and_see_webhooks_of_a_model(api, cast, threat_model, receiver, subscribe):
    body = {"url": receiver.url, "events": ["*"], "threat_model_id": str(threat_model.pk)}
    for name, status in {
        "writer": 403,
        "reader": 403,
        "outsider": 404,
        "admin": 404,
        "anonymous": 401,
    }.items():
        assert api(cast.named(name)).post(HOOKS, body, format="json").status_code == status, name
    made = subscribe(cast.owner, threat_model_id=str(threat_model.pk))
    one = f"{HOOKS}/{made['id']}"
    for name, status in {
        "writer": 404,
        "reader": 404,
        "outsider": 404,
        "admin": 404,
        "anonymous": 401,
    }.items():
        client = api(cast.named(name))
        assert client.get(one).status_code == status
        assert client.get(f"{one}/deliveries").status_code == status
        assert client.post(f"{one}/test").status_code == status
        assert client.patch(one, {"status": "disabled"}, format="json").status_code == status
        assert client.delete(one).status_code == status
    second = cast.outsider
    grant_access(threat_model, actor=cast.owner, grant=Grant("owner", user=second))
    assert api(second).get(one).status_code == 200
    assert [found["id"] for found in api(second).get(HOOKS).json()["data"]] == [made["id"]]


def test_a_personal_webhook_is_its_persons_alone_and_tells_of_all_that_they_may_read(
    api, cast, threat_model, receiver, subscribe
):
    made = subscribe(cast.reader, events=["threat_model.*"])
    assert api(cast.owner).get(f"{HOOKS}/{made['id']}").status_code == 404
    hidden = create_threat_model(actor=cast.outsider, name="Not for the reader")
    api(cast.outsider).patch(of(hidden), {"status": "Approved"}, format="json")
    api(cast.owner).patch(of(threat_model), {"status": "Approved"}, format="json")
    deliver_all()
    assert [taken.payload["threat_model_id"] for taken in receiver.taken[1:]] == [str(threat_model.pk)]


def test_who_lost_the_role_is_told_nothing_more(api, cast, threat_model, receiver, subscribe):
    subscribe(cast.reader)
    entry = threat_model.access_entries.get(user=cast.reader)
    api(cast.owner).delete(f"{of(threat_model)}/access/{entry.pk}")
    api(cast.owner).patch(of(threat_model), {"status": "Approved"}, format="json")
    deliver_all()
    # The loss itself was the last that they were allowed to know.
    assert receiver.events() == ["access.revoke"]


def test_an_owner_who_is_one_no_longer_is_told_nothing_by_the_models_webhook(
    api, cast, threat_model, receiver, subscribe
):
    grant_access(threat_model, actor=cast.owner, grant=Grant("owner", user=cast.outsider))
    subscribe(cast.outsider, threat_model_id=str(threat_model.pk))
    entry = threat_model.access_entries.get(user=cast.outsider)
    api(cast.owner).patch(f"{of(threat_model)}/access/{entry.pk}", {"role": "writer"}, format="json")
    api(cast.owner).patch(of(threat_model), {"status": "Approved"}, format="json")
    deliver_all()
    assert receiver.events() == []


def test_a_deactivated_persons_webhook_is_silent(cast, threat_model, receiver, subscribe, api):
    subscribe(cast.reader)
    api(cast.owner).patch(of(threat_model), {"status": "Approved"}, format="json")
    cast.reader.is_active = False
    cast.reader.save()
    api(cast.owner).patch(of(threat_model), {"status": "Rejected"}, format="json")
    deliver_all()
    assert receiver.events() == []


@pytest.mark.parametrize("name", ["owner", "writer", "reader", "outsider", "admin"])
def test_the_database_and_the_loaders_agree_on_roles(cast, threat_model, name):
    person = cast.named(name)
    loaded = access.visible_to(person).filter(pk=threat_model.pk).first()
    with connection.cursor() as cursor:
        cursor.execute("SELECT role_on_model(%s, %s)", [person.pk, threat_model.pk])
        assert cursor.fetchone()[0] == (int(access.role_of(loaded)) if loaded else 0)


# -- what is told


def test_every_kind_of_change_is_told(api, cast, threat_model, receiver, subscribe):
    subscribe(cast.owner, events=["*"])
    client, base = api(cast.owner), of(threat_model)
    cell = {
        "id": str(uuid.uuid4()),
        "type": "process",
        "properties": {},
        "position": {"x": 0, "y": 0},
        "size": {"width": 100, "height": 60},
    }
    samples = {
        "threats": {"name": "x"},
        "assets": {"name": "x", "type": "data"},
        "documents": {"name": "x", "uri": "https://example.org/"},
        "notes": {"name": "x", "content": "y"},
        "repositories": {"uri": "https://example.org/x.git"},
        "diagrams": {"name": "x"},
    }
    expected = []
    for plural, body in samples.items():
        kind = {"repositories": "repository"}.get(plural, plural[:-1])
        one = f"{base}/{plural}/{client.post(f'{base}/{plural}', body, format='json').json()['data']['id']}"
        client.patch(one, {"description": "z"} if kind != "diagram" else {"content": "z"}, format="json")
        client.post(f"{one}/metadata", {"key": "k", "value": "v"}, format="json")
        client.delete(one)
        client.post(f"{one}/restore")
        expected += [f"{kind}.{what}" for what in ("created", "updated", "metadata", "deleted", "restored")]
    client.put(f"{one}/cells/{cell['id']}", cell, format="json")
    client.post(f"{one}/cells/{cell['id']}/metadata", {"key": "k", "value": "v"}, format="json")
    client.post(f"{one}/collaborate")
    client.delete(f"{one}/collaborate")
    expected += ["diagram.operation", "cell.metadata", "collaboration_session.started"]
    expected += ["collaboration_session.ended"]
    invitation = {"email": "new@example.org", "role": "reader"}
    entry = client.post(f"{base}/access", invitation, format="json").json()["data"]["id"]
    client.patch(f"{base}/access/{entry}", {"role": "writer"}, format="json")
    client.delete(f"{base}/access/{entry}")
    client.patch(base, {"status": "Approved"}, format="json")
    client.patch(base, {"owner_id": str(cast.writer.pk)}, format="json")
    client.delete(base)
    client.post(f"{base}/restore")
    expected += ["access.grant", "access.change", "access.revoke", "threat_model.updated"]
    expected += ["threat_model.transferred", "threat_model.deleted", "threat_model.restored"]
    deliver_all()
    assert receiver.events() == expected
    operation = next(one.payload for one in receiver.taken if one.payload["event"] == "diagram.operation")
    assert operation["data"] == {"sequence_number": 1}
    assert operation["actor_id"] == str(cast.owner.pk)


def test_only_the_events_that_were_asked_for_are_told(api, cast, threat_model, receiver, subscribe):
    subscribe(cast.owner, events=["note.*", "threat.deleted"])
    client, base = api(cast.owner), of(threat_model)
    client.post(f"{base}/notes", {"name": "x", "content": "y"}, format="json")
    threat = client.post(f"{base}/threats", {"name": "x"}, format="json").json()["data"]["id"]
    client.delete(f"{base}/threats/{threat}")
    deliver_all()
    assert receiver.events() == ["note.created", "threat.deleted"]


def test_what_is_taken_back_is_not_told_and_what_is_kept_is_never_lost(
    cast, threat_model, receiver, subscribe
):
    subscribe(cast.owner)
    with transaction.atomic():
        create_record(Threat, threat_model=threat_model, actor=cast.owner, name="Never there")
        assert WebhookDelivery.objects.filter(event="threat.created").count() == 1
        transaction.set_rollback(True)
    assert not WebhookDelivery.objects.filter(event="threat.created").exists()
    # No listener of this process has run, as after a kill: the row is there in the transaction of the change.
    create_record(Threat, threat_model=threat_model, actor=cast.owner, name="There")
    assert WebhookDelivery.objects.get(event="threat.created").status == "pending"


# -- failures


def due_now():
    WebhookDelivery.objects.filter(status="pending").update(next_attempt_at="2020-01-01T00:00Z")


def test_a_failed_delivery_is_tried_again_after_growing_pauses_and_given_up(
    api, cast, threat_model, receiver, subscribe, settings
):
    configure(settings, "webhooks", attempts=3, first_retry_seconds=30, disable_after=100)
    made = subscribe(cast.owner)
    receiver.answers = lambda taken: (500, b"no")
    api(cast.owner).patch(of(threat_model), {"status": "Approved"}, format="json")
    pauses = []
    for _ in range(2):
        assert deliver_all() == 1
        held = WebhookDelivery.objects.get(event="threat_model.updated")
        at = held.attempts[-1]["at"]
        pauses.append(round(held.next_attempt_at.timestamp() - parse(at)))
        assert held.status == "pending"
        due_now()
    deliver_all()
    assert pauses == [30, 60]
    listed = f"{HOOKS}/{made['id']}/deliveries"
    [dead] = api(cast.owner).get(listed, {"status": "dead"}).json()["data"]
    assert [one["status_code"] for one in dead["attempts"]] == [500, 500, 500]
    assert dead["attempts"][0]["error"] == "The receiver answered 500."
    assert len({one.payload["id"] for one in receiver.taken[1:]}) == 1

    receiver.answers = None
    again = api(cast.owner).post(f"{listed}/{dead['id']}/redeliver")
    assert again.status_code == 201
    deliver_all()
    assert receiver.taken[-1].payload["id"] == dead["event_id"]
    delivered = api(cast.owner).get(listed, {"status": "delivered", "event": "threat_model.updated"})
    assert [one["id"] for one in delivered.json()["data"]] == [again.json()["data"]["id"]]


def parse(text):
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def test_after_many_failures_a_webhook_is_disabled_until_its_receiver_answers_a_new_challenge(
    api, cast, threat_model, receiver, subscribe, settings
):
    configure(settings, "webhooks", attempts=5, disable_after=3)
    made = subscribe(cast.owner)
    one = f"{HOOKS}/{made['id']}"
    receiver.answers = lambda taken: (503, b"")
    for status in ("Approved", "Rejected", "Closed", "Deferred"):
        api(cast.owner).patch(of(threat_model), {"status": status}, format="json")
    deliver_all()
    assert api(cast.owner).get(one).json()["data"]["status"] == "disabled"
    assert len(receiver.taken) == 1 + 3
    assert not WebhookDelivery.objects.filter(status="pending").exists()
    assert AuditEntry.objects.filter(entity_type="webhook", action="disable", actor=None).exists()
    assert api(cast.owner).post(f"{one}/test").status_code == 409
    dead = WebhookDelivery.objects.filter(status="dead").first()
    assert api(cast.owner).post(f"{one}/deliveries/{dead.pk}/redeliver").status_code == 409

    receiver.answers = None
    api(cast.owner).patch(one, {"status": "active"}, format="json")
    assert api(cast.owner).get(one).json()["data"]["status"] == "pending"
    deliver_all()
    shown = api(cast.owner).get(one).json()["data"]
    assert (shown["status"], shown["failures"]) == ("active", 0)


def test_another_address_has_to_answer_a_challenge_too(api, cast, threat_model, receiver, subscribe):
    made = subscribe(cast.owner)
    api(cast.owner).patch(f"{HOOKS}/{made['id']}", {"url": f"{receiver.url}/moved"}, format="json")
    api(cast.owner).patch(of(threat_model), {"status": "Approved"}, format="json")
    assert not WebhookDelivery.objects.filter(event="threat_model.updated").exists()
    deliver_all()
    assert [one.path for one in receiver.taken] == ["/hook", "/hook/moved"]
    assert receiver.taken[0].payload["data"] != receiver.taken[1].payload["data"]
    assert Webhook.objects.get().status == "active"


@pytest.mark.asvs("v5.0.0-15.3.2")
def test_a_redirect_is_a_failure_and_is_not_followed(cast, receiver, subscribe, api, threat_model):
    subscribe(cast.owner)
    receiver.answers = lambda taken: (302, b"")
    api(cast.owner).patch(of(threat_model), {"status": "Approved"}, format="json")
    deliver_all()
    assert WebhookDelivery.objects.get(event="threat_model.updated").attempts[0]["status_code"] == 302
    assert len(receiver.taken) == 2


@pytest.mark.asvs("v5.0.0-1.3.6")
def test_an_address_that_has_become_private_is_refused_at_the_delivery(
    api, cast, threat_model, receiver, subscribe, settings
):
    """The check at the subscription is not enough: names change their addresses (upstream: SSRF)."""
    subscribe(cast.owner)
    configure(settings, "outgoing", allowed_networks=[])
    api(cast.owner).patch(of(threat_model), {"status": "Approved"}, format="json")
    deliver_all()
    attempt = WebhookDelivery.objects.get(event="threat_model.updated").attempts[0]
    assert attempt["status_code"] is None
    assert attempt["error"]
    assert len(receiver.taken) == 1


@pytest.mark.asvs("v5.0.0-12.3.2", "v5.0.0-12.3.4", "v5.0.0-12.1.1")
def test_a_certificate_that_nobody_trusts_is_a_failure(
    cast, receiver, subscribe, settings, api, threat_model
):
    subscribe(cast.owner)
    configure(settings, "outgoing", ca_file="")
    api(cast.owner).patch(of(threat_model), {"status": "Approved"}, format="json")
    deliver_all()
    attempt = WebhookDelivery.objects.get(event="threat_model.updated").attempts[0]
    assert attempt["error"] == "The receiver's certificate is not trusted."
    assert len(receiver.taken) == 1


def test_redelivery_asks_again_whether_the_person_may_read_the_model(
    api, cast, threat_model, receiver, subscribe
):
    made = subscribe(cast.reader)
    api(cast.owner).patch(of(threat_model), {"status": "Approved"}, format="json")
    deliver_all()
    delivery = WebhookDelivery.objects.get(event="threat_model.updated")
    threat_model.access_entries.get(user=cast.reader).delete()
    answer = api(cast.reader).post(f"{HOOKS}/{made['id']}/deliveries/{delivery.pk}/redeliver")
    assert answer.status_code == 403
    assert len(receiver.taken) == 2


def test_old_deliveries_are_forgotten(cast, receiver, subscribe):
    subscribe(cast.owner)
    assert forget_old() == 0
    WebhookDelivery.objects.update(created_at="2020-01-01T00:00Z")
    assert forget_old() == 1


# -- many workers


@pytest.mark.django_db(transaction=True)
def test_workers_share_the_work_and_nothing_is_sent_twice(cast, threat_model, receiver, api):
    hooks = []
    for number in range(3):
        made, _secret = actions.create_webhook(
            actor=cast.owner, url=f"{receiver.url}/{number}", events=["threat.created"]
        )
        hooks.append(made)
    Webhook.objects.update(status="active")
    WebhookDelivery.objects.all().delete()
    for number in range(10):
        create_record(Threat, threat_model=threat_model, actor=cast.owner, name=f"T{number}")
    crews = [Workers(2), Workers(2)]
    for crew in crews:
        crew.start()
    for _ in range(200):
        if not WebhookDelivery.objects.filter(status="pending").exists():
            break
        threading_pause()
    for crew in crews:
        crew.stop(10)
    assert WebhookDelivery.objects.filter(status="delivered").count() == 30
    assert len(receiver.taken) == len({one.headers["X-TMI-Delivery"] for one in receiver.taken}) == 30
    for hook in hooks:
        mine = [one.payload["entity_id"] for one in receiver.taken if one.path == hook.url[-len("/hook/0") :]]
        assert mine == sorted(mine)  # ids are in the order of time


def threading_pause():
    import time

    time.sleep(0.05)


def test_a_lease_that_ran_out_is_taken_over(cast, receiver, subscribe, api, threat_model):
    subscribe(cast.owner)
    api(cast.owner).patch(of(threat_model), {"status": "Approved"}, format="json")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE webhook_deliveries SET leased_until = now() + interval '1 hour' WHERE status = 'pending'"
        )
        assert not deliver_next()
        cursor.execute(
            "UPDATE webhook_deliveries SET leased_until = now() - interval '1 s' WHERE status = 'pending'"
        )
    assert deliver_next()
    assert receiver.events() == ["threat_model.updated"]
    assert LEASE_SECONDS > 30


def test_a_webhook_is_changed_by_a_json_patch_and_keeps_its_secret(api, cast, receiver):
    client = api(cast.owner)
    made = client.post(HOOKS, {"url": receiver.url, "events": ["*"]}, format="json").json()["data"]
    secret = Webhook.objects.get().secret
    body = json.dumps([{"op": "replace", "path": "/events/0", "value": "threat.created"}])
    path = f"{HOOKS}/{made['id']}"
    done = client.patch(path, body, content_type="application/json-patch+json")
    assert done.status_code == 200, done.content
    assert done.json()["data"]["events"] == ["threat.created"]
    assert done.json()["data"]["secret"] is None
    assert Webhook.objects.get().secret == secret
    body = json.dumps([{"op": "replace", "path": "/created_at", "value": "2020-01-01T00:00:00.000Z"}])
    assert client.patch(path, body, content_type="application/json-patch+json").status_code == 400


def test_the_tag_of_a_change_is_that_of_the_webhook(api, cast, subscribe):
    client = api(cast.owner)
    one = f"{HOOKS}/{subscribe(cast.owner)['id']}"
    changed = client.patch(one, {"events": ["threat.*"], "secret": None}, format="json")
    assert changed["ETag"] == client.get(one)["ETag"]
    assert client.delete(one, headers={"If-Match": changed["ETag"]}).status_code == 204


def test_workers_wait_for_tables_that_are_not_there_yet_and_say_so_once(monkeypatch, caplog):
    tries = []

    def no_table():
        tries.append(time.monotonic())
        raise ProgrammingError("no such table") from UndefinedTable("no such table")

    monkeypatch.setattr(delivering, "deliver_next", no_table)
    monkeypatch.setattr(delivering, "POLL_SECONDS", 0.01)
    crew = Workers(1)
    crew.start()
    while len(tries) < 5:
        time.sleep(0.01)
    crew.stop(5)
    told = [record for record in caplog.records if record.name == delivering.__name__]
    assert [(record.levelname, record.exc_info) for record in told] == [("WARNING", None)]
