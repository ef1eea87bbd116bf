"""Sign-in sessions: their copy in Redis, their page, and the credentials of programs among them."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.actions.session import end_session, start_session
from accounts.actions.user import create_local_user, set_active
from accounts.models import AuditEntry, ClientCredential, SignInSession
from accounts.tokens import access_token, fingerprint
from tmi.lib.redis import client as redis_client

PASSWORD = "correct-horse-battery-9"
TOKEN, ME = "/api/v1/auth/token", "/api/v1/me"
SESSIONS, CREDENTIALS = "/accounts/sessions/", "/accounts/credentials/"
# Copies are written after the commit.
committed = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ann(db):
    return create_local_user(email="ann@example.org", name="Ann", password=PASSWORD)


def copy_of(session):
    return redis_client().hgetall(f"session:{session.user_id}:{session.pk}")


def me(api, token):
    return api(None).get(ME, headers={"Authorization": f"Bearer {token}"}).status_code


@committed
def test_a_sign_in_is_copied_to_redis_and_goes_from_there_when_it_ends(api, ann):
    given = {"grant_type": "password", "username": ann.email, "password": PASSWORD}
    tokens = api(None).post(TOKEN, given, format="json").json()["data"]
    session = SignInSession.objects.get(user=ann)
    held = copy_of(session)
    assert held["jwt_hash"] == fingerprint(tokens["access_token"])
    assert tokens["access_token"] not in str(held)
    assert json.loads(held["user_data"])["email"] == ann.email
    assert held["expires_at"] == session.expires_at.isoformat()
    left = redis_client().ttl(f"session:{ann.pk}:{session.pk}")
    assert 29 * 86400 < left <= 30 * 86400
    end_session(session)
    assert copy_of(session) == {}


@committed
def test_an_empty_redis_gets_its_copies_back_as_people_work(api, ann):
    session = start_session(ann)
    token = access_token(session)
    redis_client().delete(f"session:{ann.pk}:{session.pk}")
    SignInSession.objects.update(last_seen=timezone.now() - timedelta(minutes=2))
    assert me(api, token) == 200
    assert copy_of(session)["jwt_hash"] == fingerprint(token)


@committed
def test_a_copy_in_redis_lets_nobody_in(api, ann):
    session = start_session(ann)
    token, held = access_token(session), copy_of(session)
    end_session(session)
    redis_client().hset(f"session:{ann.pk}:{session.pk}", mapping=held)
    assert me(api, token) == 401


@committed
def test_without_redis_people_sign_in_and_out(ann, monkeypatch):
    import redis

    monkeypatch.setattr("accounts.session_copy.client", lambda: redis.Redis(port=1, socket_timeout=0.2))
    session = start_session(ann)
    end_session(session)
    session.refresh_from_db()
    assert session.ended_at is not None


# -- the page


def sign_in(user, agent):
    client = Client(headers={"User-Agent": agent})
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    return client


def test_the_page_shows_where_one_is_signed_in_and_ends_one_or_all_others(ann):
    here, there, third = (sign_in(ann, agent) for agent in ("Here/1", "There/1", "Third/1"))
    shown = here.get(SESSIONS).content.decode()
    assert all(agent in shown for agent in ("Here/1", "There/1", "Third/1"))
    assert shown.count("this one") == 1
    gone = SignInSession.objects.get(user_agent="There/1")
    here.post(f"{SESSIONS}{gone.pk}/end/")
    assert there.get("/").status_code == 302
    assert third.get("/").status_code == 200
    here.post(f"{SESSIONS}end-others/")
    assert third.get("/").status_code == 302
    assert here.get("/").status_code == 200


def test_nobody_sees_or_ends_the_sign_ins_of_others(ann, cast, browse):
    sign_in(ann, "Ann/1")
    other = browse(cast.outsider)
    assert "Ann/1" not in other.get(SESSIONS).content.decode()
    session = SignInSession.objects.get(user_agent="Ann/1")
    assert other.post(f"{SESSIONS}{session.pk}/end/").status_code == 404
    other.post(f"{SESSIONS}end-others/")
    assert SignInSession.objects.live().filter(pk=session.pk).exists()


def test_what_browsers_call_themselves_is_text(ann):
    client = sign_in(ann, "<script>alert(1)</script>")
    assert "<script>alert(1)" not in client.get(SESSIONS).content.decode()


# -- credentials


def test_a_credential_is_made_by_the_page_and_its_secret_shown_once(ann, api):
    client = sign_in(ann, "Ann/1")
    page = client.post(CREDENTIALS, {"name": "Build server", "expires_at": "2999-12-31"}).content.decode()
    made = ClientCredential.objects.get(owner=ann)
    assert made.expires_at.isoformat().startswith("2999-12-31T23:59:59")
    [secret] = [one for one in re.findall(r"<code>([^<]+)</code>", page) if len(one) == 64]
    listed = client.get(CREDENTIALS).content.decode()
    assert made.client_id in listed
    assert f'<time datetime="{made.expires_at.isoformat()}" data-local>' in listed
    assert secret not in listed
    given = {"grant_type": "client_credentials", "client_id": made.client_id, "client_secret": secret}
    token = api(None).post(TOKEN, given, format="json").json()["data"]["access_token"]
    assert me(api, token) == 200
    assert "Build server" in client.get(SESSIONS).content.decode()
    client.post(f"{CREDENTIALS}{made.pk}/delete/")
    assert me(api, token) == 401
    assert api(None).post(TOKEN, given, format="json").status_code == 401
    assert AuditEntry.objects.filter(entity_id=made.pk, action="delete").exists()


@pytest.mark.parametrize(
    "given", [{"name": ""}, {"name": "x", "expires_at": "1999-01-01"}, {"name": "a\x00b"}]
)
def test_a_bad_credential_is_refused_by_the_page(ann, given):
    page = sign_in(ann, "Ann/1").post(CREDENTIALS, given)
    assert page.status_code == 400
    assert "field-wrong" in page.content.decode()
    assert not ClientCredential.objects.exists()


def test_nobody_deletes_the_credentials_of_others(ann, cast, browse):
    sign_in(ann, "Ann/1").post(CREDENTIALS, {"name": "Build server"})
    made = ClientCredential.objects.get()
    assert browse(cast.outsider).post(f"{CREDENTIALS}{made.pk}/delete/").status_code == 404
    assert "Build server" not in browse(cast.outsider).get(CREDENTIALS).content.decode()


def test_deactivating_a_person_ends_what_their_programs_do(ann, cast, api):
    sign_in(ann, "Ann/1").post(CREDENTIALS, {"name": "Build server"})
    token = access_token(start_session(ann, credential=ClientCredential.objects.get()))
    assert me(api, token) == 200
    set_active(ann, is_active=False, actor=cast.admin)
    assert me(api, token) == 401
