"""The sign-in page, and how guessing is slowed down there and at the token endpoint alike."""

from __future__ import annotations

import uuid

import pytest

from accounts import throttle
from accounts.actions.session import end_session
from accounts.actions.user import create_local_user
from accounts.models import SignInSession
from tmi.lib.redis import client as redis_client

PASSWORD = "correct-horse-battery-9"
LOGIN, TOKEN = "/accounts/login/", "/api/v1/auth/token"


@pytest.fixture
def ann(db):
    """With an address of her own, for failures are counted by address."""
    return create_local_user(email=f"ann-{uuid.uuid4().hex[:8]}@example.org", name="Ann", password=PASSWORD)


@pytest.fixture
def throttled(settings):
    limits = settings.CONFIG.rate_limits.model_copy(update={"sign_in_per_minute": 1000})
    settings.CONFIG = settings.CONFIG.model_copy(update={"rate_limits": limits})


def sign_in(client, user, password=PASSWORD):
    return client.post(LOGIN, {"login": user.email, "password": password})


@pytest.mark.asvs("v5.0.0-7.2.4", "v5.0.0-7.2.3")
def test_a_person_signs_in_and_out(ann, browse):
    client = browse(None)
    assert sign_in(client, ann)["Location"] == "/"
    assert client.get("/").status_code == 200
    [session] = SignInSession.objects.live().filter(user=ann)
    out = client.post("/accounts/logout/")
    assert out["Location"] == LOGIN
    session.refresh_from_db()
    assert session.ended_at is not None
    assert client.get("/").status_code == 302


@pytest.mark.asvs("v5.0.0-7.4.1")
def test_a_cookie_is_worth_nothing_once_the_sign_in_has_ended(ann, browse):
    client = browse(None)
    sign_in(client, ann)
    end_session(SignInSession.objects.get(user=ann))
    assert client.get("/")["Location"].startswith(LOGIN)


@pytest.mark.asvs("v5.0.0-3.7.2")
def test_one_is_led_where_one_wanted_to_go_but_never_away(ann, browse):
    client = browse(None)
    asked = client.get("/threat-models/new")
    assert asked["Location"] == f"{LOGIN}?next=/threat-models/new"
    given = {"login": ann.email, "password": PASSWORD, "next": "/threat-models/new"}
    assert client.post(LOGIN, given)["Location"] == "/threat-models/new"
    away = {**given, "next": "https://evil.example.org/"}
    assert browse(None).post(LOGIN, away)["Location"] == "/"


@pytest.mark.asvs("v5.0.0-6.3.8")
def test_the_page_does_not_tell_whether_an_account_exists(ann, browse):
    wrong = sign_in(browse(None), ann, "wrong-password")
    unknown = browse(None).post(LOGIN, {"login": "nobody@example.org", "password": "wrong-password"})
    told = "The email address and/or password you specified are not correct."
    assert told in wrong.content.decode()
    assert told in unknown.content.decode()
    assert wrong.status_code == unknown.status_code


def test_a_closed_account_does_not_enter(ann, browse):
    ann.is_active = False
    ann.save()
    client = browse(None)
    sign_in(client, ann)
    assert client.get("/").status_code == 302
    assert not SignInSession.objects.filter(user=ann).exists()


def test_nobody_signs_up_by_themselves_unless_that_is_open(browse, db):
    page = browse(None).post("/accounts/signup/", {"email": "a@example.org", "password1": PASSWORD})
    assert "closed" in page.content.decode().lower()


@pytest.mark.asvs("v5.0.0-6.3.1")
def test_five_failures_cost_a_growing_wait_on_page_and_endpoint(ann, api, browse, throttled):
    for _ in range(4):
        sign_in(browse(None), ann, "wrong-password")
    ask = {"grant_type": "password", "username": ann.email, "password": "wrong-password"}
    assert api(None).post(TOKEN, ask, format="json").status_code == 401
    # The first wait is a second, which a slow machine takes for the next line.
    for _ in range(4):
        throttle.failed(ann.email)
    refused = api(None).post(TOKEN, {**ask, "password": PASSWORD}, format="json")
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "RATE_LIMITED"
    assert 8 < int(refused["Retry-After"]) <= 17
    page = sign_in(browse(None), ann)
    assert "Too many failed login attempts" in page.content.decode()
    assert page.status_code == 429
    assert 4 < int(page["Retry-After"]) <= 17
    for _ in range(10):
        throttle.failed(ann.email)
    assert 17 < int(api(None).post(TOKEN, ask, format="json")["Retry-After"]) <= 61


def test_a_good_password_ends_the_count(ann, browse, throttled):
    for _ in range(4):
        sign_in(browse(None), ann, "wrong-password")
    assert sign_in(browse(None), ann)["Location"] == "/"
    for _ in range(4):
        sign_in(browse(None), ann, "wrong-password")
    assert sign_in(browse(None), ann)["Location"] == "/"


def test_an_address_may_try_so_often_a_minute(ann, api, settings, db):
    limits = settings.CONFIG.rate_limits.model_copy(update={"sign_in_per_minute": 2})
    settings.CONFIG = settings.CONFIG.model_copy(update={"rate_limits": limits})
    here = {"REMOTE_ADDR": "192.0.2.99"}
    redis_client().delete("rate_limit:192.0.2.99:sign_in")
    ask = {"grant_type": "password", "username": "x@example.org", "password": "y"}
    answers = [api(None).post(TOKEN, ask, format="json", **here).status_code for _ in range(3)]
    assert answers == [401, 401, 429]


def test_redis_holds_no_address_in_clear(ann, browse, throttled):
    sign_in(browse(None), ann, "wrong-password")
    assert not [key for key in redis_client().keys("*") if "example.org" in key]


@pytest.mark.asvs("v5.0.0-7.4.3", "v5.0.0-6.2.2")
def test_a_new_password_signs_out_everywhere_else(ann, browse):
    here, there = browse(None), browse(None)
    sign_in(here, ann)
    sign_in(there, ann)
    new = "another-horse-battery-7"
    given = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert here.post("/accounts/password/change/", given).status_code == 302
    assert there.get("/").status_code == 302
    assert sign_in(browse(None), ann, new)["Location"] == "/"


@pytest.mark.asvs("v5.0.0-6.2.1", "v5.0.0-6.2.4")
@pytest.mark.parametrize("weak", ["password123", "short", "1234567890", "ann@example.org"])
def test_a_weak_password_is_refused(ann, browse, weak):
    client = browse(None)
    sign_in(client, ann)
    given = {"oldpassword": PASSWORD, "password1": weak, "password2": weak}
    page = client.post("/accounts/password/change/", given)
    assert "field-wrong" in page.content.decode()
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)
