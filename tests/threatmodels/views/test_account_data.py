"""A person takes their data along, or leaves."""

from __future__ import annotations

import io
import json
import time
import zipfile

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.actions.credential import create_credential
from accounts.actions.session import start_session
from accounts.actions.user import create_local_user
from accounts.models import AuditEntry, ClientCredential, SignInSession, User
from accounts.tokens import access_token
from tests.conftest import make_user, with_factor
from threatmodels import access
from threatmodels.actions.access import Grant, grant_access
from threatmodels.actions.record import create_record
from threatmodels.actions.threat_model import create_threat_model, delete_threat_model, transfer_threat_model
from threatmodels.models import AccessInvitation, Note, Threat, ThreatModel, Webhook

PASSWORD = "correct-horse-battery-9"
DATA, DELETE = "/accounts/data/", "/accounts/delete/"


@pytest.fixture
def ann(db):
    return create_local_user(email="ann@example.org", name="Ann", password=PASSWORD)


@pytest.fixture
def anns(ann, browse):
    client = browse(None)
    client.post("/accounts/login/", {"login": ann.email, "password": PASSWORD})
    return client


def prove(client):
    client.post(f"/accounts/reauthenticate/?next={DELETE}", {"password": PASSWORD})
    return client


def unpacked(answer):
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {name: json.loads(archive.read(name)) for name in archive.namelist()}


def test_a_person_gets_everything_that_is_kept_of_them_and_nothing_secret(ann, anns, cast):
    model = create_threat_model(actor=ann, name="../Wallet: x")
    create_record(Threat, threat_model=model, actor=ann, name="Tampering")
    _credential, secret = create_credential(owner=ann, name="Build server")
    with_factor(ann)
    files = unpacked(anns.post(DATA))
    profile = files["profile.json"]
    assert (profile["email"], profile["name"]) == ("ann@example.org", "Ann")
    assert profile["client_credentials"] == ["Build server"]
    assert "totp" in profile["second_factors"]
    assert len(files["sign_ins.json"]) == 1
    assert {"create"} <= {entry["action"] for entry in files["history.json"]}
    [name] = [name for name in files if name.startswith("threat_models/")]
    assert ".." not in name
    assert files[name]["threat_model"]["threats"][0]["name"] == "Tampering"
    everything = json.dumps(files)
    for hidden in (secret, ann.password, ClientCredential.objects.get().secret_hash):
        assert hidden not in everything


def test_a_threat_model_of_the_archive_can_be_imported(ann, anns, api):
    model = create_threat_model(actor=ann, name="Wallet")
    create_record(Threat, threat_model=model, actor=ann, name="Tampering")
    with zipfile.ZipFile(io.BytesIO(anns.post(DATA).content)) as archive:
        [name] = [name for name in archive.namelist() if name.startswith("threat_models/")]
        file = SimpleUploadedFile(name.partition("/")[2], archive.read(name))
    answer = api(ann).post("/api/v1/import", {"file": file}, format="multipart")
    assert answer.status_code == 201, answer.content
    again = ThreatModel.objects.get(pk=answer.json()["data"]["threat_model_id"])
    assert (again.name, [threat.name for threat in again.threats.all()]) == ("Wallet", ["Tampering"])


def test_nobody_takes_the_data_of_others(anns, threat_model, cast):
    files = unpacked(anns.post(DATA))
    assert not [name for name in files if name.startswith("threat_models/")]
    assert cast.owner.email not in json.dumps(files)


def test_data_are_given_to_nobody_by_a_link(anns, browse, db):
    assert anns.get(DATA).status_code == 405
    assert browse(None).post(DATA).status_code == 302


def test_leaving_asks_for_the_password(ann, anns):
    assert anns.get(DELETE)["Location"].startswith("/accounts/reauthenticate/")
    assert anns.post(DELETE)["Location"].startswith("/accounts/reauthenticate/")
    assert User.objects.get(pk=ann.pk).is_active
    wrong = anns.post(f"/accounts/reauthenticate/?next={DELETE}", {"password": "wrong-password-1"})
    assert wrong.status_code == 200
    assert anns.get(DELETE).status_code == 302


def test_a_person_leaves_and_nothing_of_theirs_opens_anything(ann, anns, api, browse):
    model = create_threat_model(actor=ann, name="Mine alone")
    token = access_token(start_session(ann))
    assert "Delete for good" in prove(anns).get(DELETE).content.decode()
    assert anns.post(DELETE)["Location"] == "/accounts/login/"
    left = User.objects.get(pk=ann.pk)
    assert (left.is_active, left.name) == (False, "Deleted account")
    assert "ann@" not in left.email
    assert not ThreatModel.objects.filter(pk=model.pk).exists()
    assert AuditEntry.objects.filter(entity_id=model.pk, action="purge").exists()
    assert api(None).get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert anns.get("/").status_code == 302
    browse(None).post("/accounts/login/", {"login": "ann@example.org", "password": PASSWORD})
    assert not SignInSession.objects.live().filter(user=ann).exists()
    assert AuditEntry.objects.filter(entity_id=ann.pk, action="delete").exists()
    # The address is free again, and brings nothing of the old account.
    again = create_local_user(email="ann@example.org", name="Ann", password=PASSWORD)
    assert again.pk != ann.pk


@pytest.mark.parametrize("kind", ["person", "invitation", "everyone"])
def test_one_who_owns_what_others_use_hands_it_over_first(ann, anns, cast, kind):
    from accounts.models import EVERYONE_ID, Group

    model = create_threat_model(actor=ann, name="Shared wallet")
    grant = {
        "person": Grant(role="writer", user=cast.writer),
        "invitation": Grant(role="reader", email="somebody@example.org"),
        "everyone": Grant(role="reader", group=Group.objects.get(pk=EVERYONE_ID)),
    }[kind]
    grant_access(model, actor=ann, grant=grant)
    page = prove(anns).get(DELETE).content.decode()
    assert "Shared wallet" in page
    assert f"/threat-models/{model.pk}/sharing" in page
    refused = anns.post(DELETE)
    assert refused.status_code == 409
    assert User.objects.get(pk=ann.pk).is_active
    if kind == "person":
        transfer_threat_model(model, actor=ann, owner=cast.writer)
        assert anns.post(DELETE)["Location"] == "/accounts/login/"
        model.refresh_from_db()
        assert model.owner == cast.writer
        assert model.created_by == User.objects.get(pk=ann.pk)


def test_what_others_used_is_not_lost_while_it_can_be_restored(ann, anns, cast):
    model = create_threat_model(actor=ann, name="Shared wallet")
    grant_access(model, actor=ann, grant=Grant(role="writer", user=cast.writer))
    delete_threat_model(model, actor=ann)
    refused = prove(anns).post(DELETE)
    assert refused.status_code == 409
    assert 'href="/threat-models/deleted"' in refused.content.decode()
    assert ThreatModel.objects.filter(pk=model.pk).exists()


def came(browse, minutes):
    """A person of a provider, who has no password, some minutes after signing in."""
    user = make_user("g", provider="acme", provider_user_id="1")
    user.set_unusable_password()
    user.save()
    client = browse(user)
    SignInSession.objects.filter(user=user).update(
        created_at=timezone.now() - timezone.timedelta(minutes=minutes)
    )
    return user, client


def test_a_person_of_a_provider_leaves_soon_after_signing_in(browse, db):
    user, client = came(browse, 2)
    assert client.post(DELETE)["Location"] == "/accounts/login/"
    assert not User.objects.get(pk=user.pk).is_active


def test_a_person_of_a_provider_signs_in_freshly_before_leaving(browse, db):
    user, client = came(browse, 20)
    assert "Sign out and in again" in client.get(DELETE).content.decode()
    assert client.post(DELETE).status_code == 409
    assert User.objects.get(pk=user.pk).is_active


def test_a_proof_is_good_for_five_minutes(ann, anns):
    prove(anns)
    session = anns.session
    for record in session[AUTHENTICATION_METHODS_SESSION_KEY]:
        record["at"] = time.time() - 301
    session.save()
    assert anns.post(DELETE)["Location"].startswith("/accounts/reauthenticate/")
    assert User.objects.get(pk=ann.pk).is_active


@pytest.mark.parametrize("is_proved", [True, False])
def test_leaving_takes_no_invitation_of_an_address_that_was_only_claimed(
    ann, anns, threat_model, cast, is_proved
):
    User.objects.filter(pk=ann.pk).update(email_verified=is_proved)
    grant_access(threat_model, actor=cast.owner, grant=Grant(role="reader", email="Ann@example.org"))
    prove(anns).post(DELETE)
    assert not User.objects.get(pk=ann.pk).is_active
    assert AccessInvitation.objects.exists() is not is_proved


def test_the_history_keeps_no_address_of_whoever_leaves(ann, anns, threat_model, cast, browse):
    grant_access(threat_model, actor=cast.owner, grant=Grant(role="writer", email=ann.email))
    access.get_threat_model(ann, threat_model.pk)
    create_record(Note, threat_model=threat_model, actor=ann, name="Plan", content="x")
    prove(anns).post(DELETE)
    by_ann = AuditEntry.objects.filter(actor=ann)
    assert {"accept_invitation", "create", "delete"} <= set(by_ann.values_list("action", flat=True))
    assert not [e for e in by_ann if ann.email in f"{e.actor_label} {e.changes}"]
    page = browse(cast.owner).get(f"/threat-models/{threat_model.pk}/report").content.decode()
    assert "Deleted account" in page
    assert ann.email not in page


def test_webhooks_of_whoever_leaves_tell_nobody_any_more(ann, anns, threat_model):
    Webhook.objects.create(user=ann, url="https://hooks.example.org/", events=["threat_model.updated"])
    assert unpacked(anns.post(DATA))["profile.json"]["webhooks"] == ["https://hooks.example.org/"]
    prove(anns).post(DELETE)
    assert not Webhook.objects.exists()
