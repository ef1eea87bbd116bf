"""Tokens: how programs sign in, stay signed in, and are signed out."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.actions.session import end_session, start_session
from accounts.actions.user import create_local_user, set_active, set_password
from accounts.models import RefreshToken, SignInSession, User
from accounts.tokens import access_token
from tmi.lib.errors import DomainError
from tmi.lib.redis import client as redis_client

PASSWORD = "correct-horse-battery-9"
TOKEN, REFRESH, REVOKE, ME = "/api/v1/auth/token", "/api/v1/auth/refresh", "/api/v1/auth/revoke", "/api/v1/me"


@pytest.fixture
def ann(db):
    return create_local_user(email="Ann@example.org", name="Ann", password=PASSWORD)


@pytest.fixture
def ask(api):
    """`ask(url, **body)` as nobody."""
    return lambda url, **body: api(None).post(url, body, format="json")


@pytest.fixture
def tokens(ann, ask):
    answer = ask(TOKEN, grant_type="password", username="ann@example.org", password=PASSWORD)
    assert answer.status_code == 200
    return answer.json()["data"]


def me(api, token):
    return api(None).get(ME, headers={"Authorization": f"Bearer {token}"})


def code(answer):
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.asvs("v5.0.0-9.2.4", "v5.0.0-10.3.3")
def test_email_and_password_give_tokens_that_say_who_it_is(api, ann, tokens):
    assert set(tokens) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert tokens["token_type"] == "Bearer"
    assert me(api, tokens["access_token"]).json()["data"]["id"] == str(ann.pk)
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert {"sub", "sid", "jti", "iat", "exp", "aud", "iss"} <= set(claims)
    assert claims["sub"] == str(ann.pk)
    assert (
        claims["exp"] - claims["iat"] == tokens["expires_in"] == settings.CONFIG.auth.jwt.expiration_seconds
    )


def test_a_form_does_as_well_as_json(api, ann):
    form = "grant_type=password&username=ann%40example.org&password=" + PASSWORD
    kind = "application/x-www-form-urlencoded"
    assert api(None).post(TOKEN, form, content_type=kind).status_code == 200
    twice = form + "&password=x"
    assert code(api(None).post(TOKEN, twice, content_type=kind)) == (400, "VALIDATION_ERROR")


@pytest.mark.asvs("v5.0.0-6.3.8")
def test_nobody_learns_whether_an_account_exists(ask, ann):
    wrong = ask(TOKEN, grant_type="password", username="ann@example.org", password="x" * 12)
    unknown = ask(TOKEN, grant_type="password", username="nobody@example.org", password="x" * 12)
    set_active(ann, is_active=False, actor=ann)
    closed = ask(TOKEN, grant_type="password", username="ann@example.org", password=PASSWORD)
    assert code(wrong) == (401, "AUTHENTICATION_REQUIRED")
    assert wrong.json()["error"] == unknown.json()["error"] == closed.json()["error"]
    assert "WWW-Authenticate" in wrong.headers


def test_an_account_of_a_provider_has_no_password(ask, db):
    user = User.objects.create(email="g@example.org", name="G", provider="google", provider_user_id="1")
    user.set_password(PASSWORD)
    user.save()
    answer = ask(TOKEN, grant_type="password", username="g@example.org", password=PASSWORD)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "grant_type"),
        ({"grant_type": "password", "password": "x"}, "username"),
        ({"grant_type": "password", "username": 3, "password": "x"}, "username"),
        ({"grant_type": "password", "username": "a", "password": "x", "extra": 1}, "extra"),
    ],
)
def test_bad_input_names_its_field(ask, db, body, field):
    answer = ask(TOKEN, **body)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == field


# -- access tokens


def forged(claims, key=None, algorithm="HS256"):
    return jwt.encode(claims, key or settings.SIMPLE_JWT["SIGNING_KEY"], algorithm=algorithm)


@pytest.mark.asvs(
    "v5.0.0-9.1.1",
    "v5.0.0-9.1.2",
    "v5.0.0-9.1.3",
    "v5.0.0-9.2.1",
    "v5.0.0-9.2.2",
    "v5.0.0-9.2.3",
    "v5.0.0-10.3.1",
)
def test_a_token_that_does_not_hold_is_invalid(api, tokens):
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert me(api, forged(claims)).status_code == 200
    wrong = [
        forged(claims | {"aud": "others"}),
        forged(claims | {"iss": "others"}),
        forged(claims, key="x" * 64),
        forged(claims, algorithm="HS512"),
        jwt.encode(claims, None, algorithm="none"),
        forged(claims | {"nbf": int(time.time()) + 1000}),
        forged(claims | {"sid": "nobody"}),
        forged({name: value for name, value in claims.items() if name != "sid"}),
        tokens["refresh_token"],
        tokens["access_token"][:-4] + "AAAA",
        "",
        "x.y.z",
    ]
    for token in wrong:
        answer = me(api, token)
        assert code(answer) == (401, "TOKEN_INVALID"), token
        assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.asvs("v5.0.0-9.2.1")
def test_an_expired_token_is_told_apart(api, tokens):
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    old = forged(claims | {"exp": int(time.time()) - 1})
    assert code(me(api, old)) == (401, "TOKEN_EXPIRED")


@pytest.mark.asvs("v5.0.0-7.4.1", "v5.0.0-7.2.1")
def test_ending_the_sign_in_ends_its_tokens_at_once(api, ask, ann, tokens):
    end_session(SignInSession.objects.get(user=ann))
    assert code(me(api, tokens["access_token"])) == (401, "TOKEN_INVALID")
    assert code(ask(REFRESH, refresh_token=tokens["refresh_token"])) == (401, "TOKEN_INVALID")


@pytest.mark.asvs("v5.0.0-7.4.2")
def test_closing_an_account_ends_its_tokens_at_once(api, ann, tokens, cast):
    set_active(ann, is_active=False, actor=cast.admin)
    assert code(me(api, tokens["access_token"])) == (401, "TOKEN_INVALID")


def test_an_empty_redis_signs_nobody_out(api, tokens):
    redis_client().flushdb()
    assert me(api, tokens["access_token"]).status_code == 200


@pytest.mark.asvs("v5.0.0-8.3.3", "v5.0.0-10.3.2")
def test_bearer_and_cookie_of_different_people_are_a_mistake(cast, api, tokens):
    answer = api(cast.owner).get(ME, headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert code(answer) == (400, "VALIDATION_ERROR")


def test_bearer_and_cookie_of_one_person_are_fine(api, ann, tokens):
    answer = api(ann).get(ME, headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert answer.status_code == 200


@pytest.mark.asvs("v5.0.0-3.5.1")
def test_a_cookie_alone_needs_the_csrf_token(ann):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    refused = client.patch(ME, {"name": "Eve"}, content_type="application/json")
    assert code(refused) == (403, "PERMISSION_DENIED")
    client.get("/")
    token = client.cookies["csrftoken"].value
    headers = {"X-CSRFToken": token}
    assert (
        client.patch(ME, {"name": "A"}, content_type="application/json", headers=headers).status_code == 200
    )


# -- refresh tokens


def test_a_refresh_token_is_exchanged_for_a_new_pair(api, ask, tokens):
    newer = ask(REFRESH, refresh_token=tokens["refresh_token"])
    assert newer.status_code == 200
    assert newer.json()["data"]["refresh_token"] != tokens["refresh_token"]
    assert me(api, newer.json()["data"]["access_token"]).status_code == 200
    again = ask(REFRESH, refresh_token=newer.json()["data"]["refresh_token"])
    assert again.status_code == 200


def test_two_tabs_at_once_end_nothing(api, ask, tokens):
    newer = ask(REFRESH, refresh_token=tokens["refresh_token"]).json()["data"]
    assert code(ask(REFRESH, refresh_token=tokens["refresh_token"])) == (409, "CONFLICT")
    assert me(api, newer["access_token"]).status_code == 200


@pytest.mark.asvs("v5.0.0-10.4.5")
def test_a_used_token_that_comes_back_later_ends_the_whole_family(api, ask, tokens):
    newer = ask(REFRESH, refresh_token=tokens["refresh_token"]).json()["data"]
    RefreshToken.objects.exclude(used_at=None).update(used_at=timezone.now() - timedelta(seconds=11))
    assert code(ask(REFRESH, refresh_token=tokens["refresh_token"])) == (401, "TOKEN_INVALID")
    assert code(me(api, newer["access_token"])) == (401, "TOKEN_INVALID")
    assert code(ask(REFRESH, refresh_token=newer["refresh_token"])) == (401, "TOKEN_INVALID")


@pytest.mark.asvs("v5.0.0-10.4.8", "v5.0.0-7.3.2")
def test_an_old_or_unknown_token_is_invalid(ask, tokens):
    RefreshToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    for token in (tokens["refresh_token"], "x" * 64, tokens["access_token"]):
        assert code(ask(REFRESH, refresh_token=token)) == (401, "TOKEN_INVALID")


@pytest.mark.django_db(transaction=True)
def test_of_many_who_refresh_at_once_one_succeeds(api, ask, tokens):
    answers = []

    def refresh():
        try:
            answers.append(ask(REFRESH, refresh_token=tokens["refresh_token"]).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=refresh) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 409, 409, 409, 409, 409]


@pytest.mark.asvs("v5.0.0-10.4.9")
@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_revoking_either_token_ends_the_sign_in(api, ask, tokens, which):
    assert ask(REVOKE, token=tokens[which]).status_code == 200
    assert code(me(api, tokens["access_token"])) == (401, "TOKEN_INVALID")
    assert code(ask(REFRESH, refresh_token=tokens["refresh_token"])) == (401, "TOKEN_INVALID")


def test_revoking_what_is_unknown_is_no_error(ask, db):
    assert ask(REVOKE, token="unknown").status_code == 200


# -- what is kept and said


@pytest.mark.asvs("v5.0.0-11.4.1", "v5.0.0-11.4.2")
def test_secrets_are_kept_as_hashes_only(ann, tokens):
    assert ann.password.startswith("argon2")
    stored = str(list(RefreshToken.objects.values()))
    assert tokens["refresh_token"] not in stored


def test_no_secret_is_logged(ask, ann, caplog):
    caplog.set_level(logging.DEBUG)
    tokens = ask(TOKEN, grant_type="password", username="ann@example.org", password=PASSWORD).json()["data"]
    ask(TOKEN, grant_type="password", username="ann@example.org", password="wrong-secret-1")
    ask(REFRESH, refresh_token=tokens["refresh_token"])
    for secret in (PASSWORD, "wrong-secret-1", tokens["access_token"], tokens["refresh_token"]):
        assert secret not in caplog.text


def test_the_ways_to_sign_in_are_listed_for_everybody(api, db):
    answer = api(None).get("/api/v1/auth/providers")
    assert answer.json()["data"] == [{"id": "local", "name": "Email and password"}]


def test_a_session_is_told_by_its_last_use(api, ann):
    session = start_session(ann)
    SignInSession.objects.filter(pk=session.pk).update(last_seen=timezone.now() - timedelta(hours=1))
    assert me(api, access_token(session)).status_code == 200
    session.refresh_from_db()
    assert timezone.now() - session.last_seen < timedelta(minutes=1)


def test_an_address_that_is_not_confirmed_gives_no_tokens_where_mail_is_sent(ann, ask, settings):
    User.objects.update(email_verified=False)
    given = {"grant_type": "password", "username": ann.email, "password": PASSWORD}
    assert ask(TOKEN, **given).status_code == 200
    mail = settings.CONFIG.mail.model_copy(update={"host": "mail.example.org"})
    settings.CONFIG = settings.CONFIG.model_copy(update={"mail": mail})
    assert ask(TOKEN, **given).status_code == 403
    assert ask(TOKEN, **given | {"password": "wrong-password-1"}).status_code == 401


def test_a_hint_of_the_kind_of_token_is_taken(api, ask, tokens):
    given = {"token": tokens["refresh_token"], "token_type_hint": "refresh_token"}
    assert ask(REVOKE, **given).status_code == 200
    assert me(api, tokens["access_token"]).status_code == 401


def test_what_was_proved_before_the_password_changed_opens_nothing(ann):
    set_password(User.objects.get(pk=ann.pk), "another-horse-battery-9")
    with pytest.raises(DomainError):
        start_session(ann)
    assert not SignInSession.objects.live().filter(user=ann).exists()
