"""Second factors, on the pages and at the token endpoint."""

from __future__ import annotations

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache

from accounts import throttle
from accounts.actions.user import create_local_user
from accounts.models import AuditEntry, SignInSession
from tests.conftest import TOTP_SECRET, with_factor

PASSWORD = "correct-horse-battery-9"
TOKEN = "/api/v1/auth/token"


def code(secret=TOTP_SECRET, steps=0):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


@pytest.fixture
def ann(db):
    cache.clear()
    return create_local_user(email="ann@example.org", name="Ann", password=PASSWORD)


@pytest.fixture
def guarded(ann):
    return with_factor(ann)


def sign_in(client, user):
    return client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})


def ask(api, user, **more):
    given = {"grant_type": "password", "username": user.email, "password": PASSWORD, **more}
    return api(None).post(TOKEN, given, format="json")


def test_the_password_alone_opens_nothing(guarded, browse):
    client = browse(None)
    assert sign_in(client, guarded)["Location"].startswith("/accounts/mfa/authenticate/")
    assert client.get("/").status_code == 302
    assert not SignInSession.objects.filter(user=guarded).exists()
    assert client.post("/accounts/mfa/authenticate/", {"code": "000000"}).status_code == 200
    assert client.get("/").status_code == 302
    assert client.post("/accounts/mfa/authenticate/", {"code": code()})["Location"] == "/"
    assert client.get("/").status_code == 200


@pytest.mark.asvs("v5.0.0-6.5.1")
def test_a_code_counts_once(guarded, browse):
    used = code()
    for expected in (302, 200):
        client = browse(None)
        sign_in(client, guarded)
        assert client.post("/accounts/mfa/authenticate/", {"code": used}).status_code == expected


def test_the_token_endpoint_asks_for_the_code_once_the_password_is_right(guarded, api):
    wanted = ask(api, guarded)
    assert wanted.status_code == 401
    assert wanted.json()["error"]["code"] == "AUTHENTICATION_REQUIRED"
    assert wanted.json()["error"]["details"]["field"] == "otp"
    wrong_password = ask(api, guarded, password="wrong-password-1", otp=code())
    assert "otp" not in wrong_password.content.decode()
    assert ask(api, guarded, otp="000000").status_code == 401
    now = code()
    assert ask(api, guarded, otp=now).status_code == 200
    assert ask(api, guarded, otp=now).status_code == 401


def test_without_a_second_factor_a_code_does_no_harm(ann, api):
    assert ask(api, ann, otp="123456").status_code == 200


def test_a_recovery_code_works_once(guarded, api):
    spare = RecoveryCodes.activate(guarded).get_unused_codes()[0]
    assert ask(api, guarded, otp=spare).status_code == 200
    assert ask(api, guarded, otp=spare).status_code == 401


def test_an_account_with_passkeys_alone_is_sent_to_a_browser(ann, api):
    Authenticator.objects.create(user=ann, type="webauthn", data={"name": "Key", "credential": {}})
    refused = ask(api, ann)
    assert refused.status_code == 401
    assert "passkey" in refused.json()["error"]["details"]["reason"]
    assert ask(api, ann, otp="123456").status_code == 401


def test_an_app_is_set_up_by_the_page_and_its_secret_kept_encrypted(
    ann, browse, django_capture_on_commit_callbacks
):
    client = browse(None)
    sign_in(client, ann)
    asked = client.get("/accounts/mfa/totp/activate/")
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    client.post("/accounts/reauthenticate/?next=/accounts/mfa/totp/activate/", {"password": PASSWORD})
    client.get("/accounts/mfa/totp/activate/")
    secret = client.session["mfa.totp.secret"]
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/mfa/totp/activate/", {"code": code(secret)})
    held = Authenticator.objects.get(user=ann, type="totp")
    assert held.data["secret"].startswith("gAAAA")
    assert Authenticator.objects.get(user=ann, type="recovery_codes").data["seed"].startswith("gAAAA")
    assert AuditEntry.objects.filter(entity_id=ann.pk, action="add_factor").count() == 2
    shown = client.get("/accounts/mfa/recovery-codes/").content.decode()
    first = held.user.authenticator_set.get(type="recovery_codes").wrap().get_unused_codes()[0]
    assert first in shown


def test_the_code_that_set_up_the_app_has_been_used(ann, browse, api, django_capture_on_commit_callbacks):
    client = browse(None)
    sign_in(client, ann)
    client.post("/accounts/reauthenticate/?next=/accounts/mfa/totp/activate/", {"password": PASSWORD})
    client.get("/accounts/mfa/totp/activate/")
    secret = client.session["mfa.totp.secret"]
    used = code(secret)
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/mfa/totp/activate/", {"code": used})
    assert ask(api, ann, otp=used).status_code == 401
    assert ask(api, ann, otp=code(secret, steps=1)).status_code == 200


def test_guessing_codes_is_slowed_down_like_guessing_passwords(guarded, api, browse, settings):
    limits = settings.CONFIG.rate_limits.model_copy(update={"sign_in_per_minute": 1000})
    settings.CONFIG = settings.CONFIG.model_copy(update={"rate_limits": limits})
    client = browse(None)
    sign_in(client, guarded)
    for _ in range(2):
        assert ask(api, guarded, otp="000000").status_code == 401
        client.post("/accounts/mfa/authenticate/", {"code": "000000"})
    # With those four counted the wait is longer than a slow machine takes for the next lines.
    for _ in range(7):
        throttle.failed(throttle.code_account(guarded))
    refused = ask(api, guarded, otp=code())
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 1
    page = client.post("/accounts/mfa/authenticate/", {"code": code()})
    assert page.status_code == 429
    assert int(page["Retry-After"]) > 1
    # The password was right each time, which does not end the count.
    again = browse(None)
    sign_in(again, guarded)
    assert again.post("/accounts/mfa/authenticate/", {"code": code()}).status_code == 429


def test_a_used_code_stays_used_for_as_long_as_it_would_be_good(guarded, api):
    """Codes are good for a step before and after their own: longer than a cache keeps what was used."""
    used = code(steps=1)
    assert ask(api, guarded, otp=used).status_code == 200
    cache.clear()
    assert ask(api, guarded, otp=used).status_code == 401
    assert ask(api, guarded, otp=code()).status_code == 401
