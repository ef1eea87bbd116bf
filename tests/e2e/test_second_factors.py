"""Second factors and programs in a real browser, whose authenticator is a virtual one."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import time
import urllib.error
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

from tests.e2e.conftest import sign_in, watched
from tests.e2e.site import PASSWORD
from tests.e2e.test_accessibility import assert_accessible

PEOPLE = ("Keyholder", "Chief", "Guest", "Builder")
MAKE_PEOPLE = """
from accounts.actions.user import create_local_user
for name in {names}:
    email = name.lower() + "@example.org"
    create_local_user(email=email, name=name, password="{password}", is_admin=name == "Chief")
"""


@pytest.fixture(scope="module")
def people(site: Any) -> None:
    site.manage("shell", "--no-imports", "-c", MAKE_PEOPLE.format(names=PEOPLE, password=PASSWORD))


@pytest.fixture
def person_of(site: Any, chromium: Any, people: None) -> Any:
    """`person_of("Guest")` is a page of one of the people who has just signed in."""
    contexts = []

    def make(name: str) -> Any:
        context = chromium.new_context(base_url=site.url)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = watched(context.new_page())
        sign_in(page, site, name)
        return page

    yield make
    for context in contexts:
        context.close()


def prove(page: Any) -> None:
    """Tells the password once more, where the page asks for it."""
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def sign_out(page: Any) -> None:
    page.goto("/accounts/logout/")
    page.locator("main").get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/")


def add_authenticator(page: Any) -> None:
    """What a telephone or a computer has built in: keeps passkeys, and its owner's finger is always there."""
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    features = ("hasResidentKey", "hasUserVerification", "isUserVerified", "automaticPresenceSimulation")
    options = {"protocol": "ctap2", "transport": "internal", **dict.fromkeys(features, True)}
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_is_made_signs_in_and_is_the_second_factor_of_the_password(site, person_of):
    page = person_of("Keyholder")
    add_authenticator(page)
    page.goto("/accounts/mfa/webauthn/add/")
    prove(page)
    page.get_by_label("Name").fill("Laptop")
    page.get_by_label("Passwordless").check()
    assert_accessible(page)
    page.get_by_role("button", name="Add").click()
    page.wait_for_url(lambda url: not url.endswith("/add/"))
    page.goto("/accounts/mfa/webauthn/")
    assert page.get_by_role("rowheader", name="Laptop Passkey").is_visible()
    assert_accessible(page)

    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{site.url}/")

    sign_out(page)
    page.get_by_label("Email").fill("keyholder@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/accounts/mfa/authenticate/**")
    assert_accessible(page)
    page.get_by_role("button", name="Use a security key").click()
    page.wait_for_url(f"{site.url}/")
    with pytest.raises(urllib.error.HTTPError) as refused:
        site.api("keyholder@example.org", "GET", "/me")
    assert refused.value.code == 401
    assert page.problems == []


def test_an_app_is_set_up_with_recovery_codes_and_opens_the_administration(site, person_of):
    page = person_of("Chief")
    page.goto("/admin/")
    assert page.url.endswith("/accounts/mfa/")
    page.goto("/accounts/mfa/totp/activate/")
    prove(page)
    assert_accessible(page)
    assert page.locator("img").evaluate("it => it.complete && it.naturalWidth > 100")
    secret = page.get_by_label("Authenticator secret").input_value()
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    page.get_by_label("Code", exact=False).last.fill(code)
    page.get_by_role("button", name="Activate").click()
    page.wait_for_url("**/accounts/mfa/recovery-codes/**")
    codes = page.get_by_label("Unused codes").input_value().split()
    assert len(codes) == 10
    assert_accessible(page)
    page.goto("/admin/")
    assert page.get_by_text("Sign-in sessions").first.is_visible()
    sign_out(page)
    page.get_by_label("Email").fill("chief@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Code", exact=False).first.fill(codes[0])
    page.get_by_role("button", name="Sign In", exact=True).click()
    page.wait_for_url(f"{site.url}/")
    assert page.problems == []


REGISTER = """
from accounts.actions.authorization import register_client
print(register_client(name="Desk", redirect_uris=["http://127.0.0.1/back"], actor=None).client_id)
"""


def test_a_person_lets_a_program_in_and_it_gets_tokens(site, person_of):
    client_id = site.manage("shell", "-c", REGISTER).splitlines()[-1]
    page = person_of("Guest")
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    back = "http://127.0.0.1:47111/back"
    page.route(f"{back}**", lambda route: route.fulfill(body="done"))
    page.goto(
        f"/oauth2/authorize?response_type=code&client_id={client_id}&redirect_uri={back}&state=x"
        f"&code_challenge={challenge}&code_challenge_method=S256"
    )
    assert page.get_by_role("heading", name="Let Desk in?").is_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Let in").click()
    page.wait_for_url(f"{back}**")
    code = re.search(r"code=([^&]+)", page.url)[1]
    given = {"grant_type": "authorization_code", "client_id": client_id, "redirect_uri": back}
    tokens = site._send("POST", "/auth/token", {**given, "code": code, "code_verifier": verifier}, {})
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert site._send("GET", "/me", None, bearer)["email"] == "guest@example.org"
    assert page.problems == []


def test_a_credential_is_made_seen_once_and_deleted(site, person_of):
    page = person_of("Builder")
    page.goto("/accounts/credentials/")
    page.get_by_label("Name").fill("Build server")
    page.get_by_role("button", name="Create").click()
    shown = page.locator("dl.facts code").all_inner_texts()
    assert_accessible(page)
    given = {"grant_type": "client_credentials", "client_id": shown[0], "client_secret": shown[1]}
    assert site._send("POST", "/auth/token", given, {})["token_type"] == "Bearer"
    page.goto("/accounts/sessions/")
    assert page.get_by_text("Build server").is_visible()
    page.goto("/accounts/credentials/")
    assert shown[1] not in page.content()
    page.get_by_role("button", name="Delete Build server").click()
    assert page.get_by_text("You have none yet.").is_visible()
    with pytest.raises(urllib.error.HTTPError):
        site._send("POST", "/auth/token", given, {})
    assert page.problems == []


def test_leaving_and_being_invited_are_pages_like_others(site, person_of, browser_of):
    link = site.manage("invite", "invited@example.org").splitlines()[-1]
    page = watched(browser_of(None).new_page())
    page.goto(re.sub(r"^https?://[^/]+", "", link))
    assert page.get_by_text("invited@example.org").is_visible()
    assert_accessible(page)
    page.get_by_label("Name").fill("Invited")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url(f"{site.url}/")
    page.goto("/accounts/delete/")
    assert_accessible(page)
    prove(page)
    assert_accessible(page)
    page.get_by_role("button", name="Delete for good").click()
    page.wait_for_url("**/accounts/login/")
    with pytest.raises(urllib.error.HTTPError):
        site.api("invited@example.org", "GET", "/me")
    assert page.problems == []
