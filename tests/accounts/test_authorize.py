"""/oauth2/authorize and the exchange of its codes: how native and single-page programs come in."""

from __future__ import annotations

import secrets
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from accounts.actions.authorization import challenge_of, register_client
from accounts.actions.session import end_session
from accounts.models import AuditEntry, AuthorizationCode, SignInSession
from tmi.lib.errors import ValidationFailed

TOKEN, ME, AUTHORIZE = "/api/v1/auth/token", "/api/v1/me", "/oauth2/authorize"
BACK = "http://127.0.0.1:4321/back?kept=1"
VERIFIER = secrets.token_urlsafe(48)


@pytest.fixture
def program(cast):
    uris = ["http://127.0.0.1/back?kept=1", "com.example.desk:/back", "https://spa.example.org/back"]
    return register_client(name="Desk", redirect_uris=uris, actor=cast.admin)


@pytest.fixture
def asked(program):
    return {
        "response_type": "code",
        "client_id": program.client_id,
        "redirect_uri": BACK,
        "state": "s-1 &=",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    }


@pytest.fixture
def exchange(api, program):
    """`exchange(code, **other)` asks for tokens as the program."""

    def ask(code, **other):
        known = {"client_id": program.client_id, "redirect_uri": BACK, "code_verifier": VERIFIER}
        given = {"grant_type": "authorization_code", "code": code, **known, **other}
        return api(None).post(TOKEN, given, format="json")

    return ask


def told(answer):
    assert answer.status_code == 302, answer.content.decode()
    return {name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query).items()}


def allow(client, asked):
    return told(client.post(AUTHORIZE, {**asked, "decision": "allow"}))


def me(api, token):
    return api(None).get(ME, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.asvs("v5.0.0-10.7.1", "v5.0.0-10.7.2")
def test_a_person_lets_a_program_in(browse, api, cast, asked, exchange, program):
    client = browse(cast.owner)
    page = client.get(AUTHORIZE, asked)
    assert "Let Desk in?" in page.content.decode()
    assert "form-action 'self' http://127.0.0.1:4321" in page["Content-Security-Policy"]
    back = client.post(AUTHORIZE, {**asked, "decision": "allow"})
    assert back["Location"].startswith(BACK + "&")
    given = told(back)
    assert (given["state"], given["iss"], given["kept"]) == ("s-1 &=", "tmi", "1")
    tokens = exchange(given["code"]).json()["data"]
    assert me(api, tokens["access_token"]).json()["data"]["id"] == str(cast.owner.pk)
    made = SignInSession.objects.get(client=program)
    assert made.user == cast.owner
    assert AuditEntry.objects.filter(action="authorize", entity_id=program.pk, actor=cast.owner).exists()


@pytest.mark.asvs("v5.0.0-10.7.3")
def test_a_program_that_is_let_in_is_among_the_sign_ins_and_can_be_thrown_out(
    browse, api, cast, asked, exchange
):
    client = browse(cast.owner)
    token = exchange(allow(client, asked)["code"]).json()["data"]["access_token"]
    assert "Desk" in client.get("/accounts/sessions/").content.decode()
    made = SignInSession.objects.get(client__name="Desk")
    client.post(f"/accounts/sessions/{made.pk}/end/")
    assert me(api, token).status_code == 401


def test_whoever_is_not_signed_in_signs_in_first(browse, db, asked):
    answer = browse(None).get(AUTHORIZE, asked)
    assert answer["Location"].startswith("/accounts/login/?next=/oauth2/authorize%3F")


def test_no_site_lets_itself_in_for_a_person(cast, asked):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.owner)
    assert client.post(AUTHORIZE, {**asked, "decision": "allow"}).status_code == 403
    assert not AuthorizationCode.objects.exists()


def test_a_person_may_say_no(browse, cast, asked):
    answer = told(browse(cast.owner).post(AUTHORIZE, {**asked, "decision": "deny"}))
    assert answer["error"] == "access_denied"
    assert "code" not in answer


@pytest.mark.asvs("v5.0.0-10.4.1")
@pytest.mark.parametrize(
    "other",
    [
        {"redirect_uri": "https://evil.example.org/"},
        {"redirect_uri": "http://127.0.0.1:4321/elsewhere"},
        {"redirect_uri": "http://localhost:4321/back?kept=1"},
        {"redirect_uri": "https://spa.example.org/back/../other"},
        {"redirect_uri": ""},
        {"client_id": "nobody"},
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_the_programs(browse, cast, asked, other):
    for way in (browse(cast.owner).get, browse(cast.owner).post):
        answer = way(AUTHORIZE, {**asked, **other, "decision": "allow"})
        assert answer.status_code == 400
        assert "Location" not in answer


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"state": "x" * 1001}, "invalid_request"),
    ],
)
def test_what_is_wrong_is_told_to_the_program(browse, cast, asked, other, error):
    assert told(browse(cast.owner).get(AUTHORIZE, {**asked, **other}))["error"] == error


def test_a_scheme_of_ones_own_is_come_back_to(browse, cast, asked):
    given = {**asked, "redirect_uri": "com.example.desk:/back", "decision": "allow"}
    answer = browse(cast.owner).post(AUTHORIZE, given)
    assert answer["Location"].startswith("com.example.desk:/back?code=")


@pytest.mark.asvs("v5.0.0-10.4.6")
@pytest.mark.parametrize(
    "other",
    [
        {"code_verifier": secrets.token_urlsafe(48)},
        {"code_verifier": "short"},
        {"client_id": "app_other"},
        {"redirect_uri": "http://127.0.0.1:4322/back?kept=1"},
    ],
)
def test_a_code_is_worth_nothing_to_somebody_else(browse, cast, asked, exchange, other):
    code = allow(browse(cast.owner), asked)["code"]
    assert exchange(code, **other).json()["error"]["code"] == "TOKEN_INVALID"
    # Whoever has seen it cannot try until it fits.
    assert exchange(code).json()["error"]["code"] == "TOKEN_INVALID"


@pytest.mark.asvs("v5.0.0-10.4.2")
def test_a_code_that_comes_back_ends_what_it_gave(browse, api, cast, asked, exchange):
    code = allow(browse(cast.owner), asked)["code"]
    token = exchange(code).json()["data"]["access_token"]
    assert me(api, token).status_code == 200
    assert exchange(code).status_code == 401
    assert me(api, token).status_code == 401


@pytest.mark.asvs("v5.0.0-10.4.3")
def test_a_code_lives_a_minute(browse, cast, asked, exchange):
    code = allow(browse(cast.owner), asked)["code"]
    AuthorizationCode.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert exchange(code).status_code == 401


def test_a_code_dies_with_the_sign_in_that_gave_it(browse, cast, asked, exchange):
    code = allow(browse(cast.owner), asked)["code"]
    end_session(SignInSession.objects.get(user=cast.owner))
    assert exchange(code).status_code == 401


def test_a_program_that_was_switched_off_is_unknown(browse, cast, asked, exchange, program):
    code = allow(browse(cast.owner), asked)["code"]
    program.is_active = False
    program.save()
    assert browse(cast.owner).get(AUTHORIZE, asked).status_code == 400
    assert exchange(code).status_code == 401


@pytest.mark.parametrize("name", ["code", "client_id", "redirect_uri", "code_verifier"])
def test_what_is_missing_is_named(api, db, program, name):
    given = {"code": "x", "client_id": program.client_id, "redirect_uri": BACK, "code_verifier": VERIFIER}
    del given[name]
    answer = api(None).post(TOKEN, {"grant_type": "authorization_code", **given}, format="json")
    assert answer.json()["error"]["details"]["field"] == name


@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "http://example.org/back",
        "http://localhost/back",
        "https://u@example.org/",
        "https://example.org/#x",
        "data:text/html,x",
        "plain:/back",
        "https://",
        "https://example.org:99999/",
        "https://example.org/ x",
    ],
)
def test_programs_register_no_address_that_could_be_anybodys(db, uri):
    with pytest.raises(ValidationFailed):
        register_client(name="Bad", redirect_uris=[uri], actor=None)


# -- single-page programs, which live at another origin

SPA = "https://spa.example.org"


def test_a_single_page_program_reads_the_api_from_where_it_is_at_home(browse, api, cast, asked, exchange):
    back = f"{SPA}/back"
    code = allow(browse(cast.owner), {**asked, "redirect_uri": back})["code"]
    token = exchange(code, redirect_uri=back).json()["data"]["access_token"]
    answer = api(None).get(ME, headers={"Authorization": f"Bearer {token}", "Origin": SPA})
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == SPA
    assert "Origin" in answer["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer
    refused = api(None).get(ME, headers={"Origin": SPA})
    assert (refused.status_code, refused["Access-Control-Allow-Origin"]) == (401, SPA)


def test_a_browser_is_told_before_it_sends_what_a_program_may_send(browse, program):
    asks = {"Origin": SPA, "Access-Control-Request-Method": "PATCH"}
    answer = browse(None).options("/api/v1/threat_models", headers=asks)
    assert answer.status_code == 204
    assert "PATCH" in answer["Access-Control-Allow-Methods"]
    assert "Authorization" in answer["Access-Control-Allow-Headers"]
    assert browse(None).options("/accounts/login/", headers=asks).get("Access-Control-Allow-Origin") is None


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example.org",
        "http://spa.example.org",
        "https://spa.example.org:8443",
        "https://spa.example.org.evil.example",
        "com.example.desk:",
        "http://localhost:5173",
        "http://[",
        "null",
    ],
)
def test_pages_of_others_read_nothing(browse, cast, program, origin):
    answer = browse(cast.owner).get(ME, headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in answer


def test_a_program_on_loopback_may_have_any_port(browse, program):
    answer = browse(None).get(ME, headers={"Origin": "http://127.0.0.1:5173"})
    assert answer["Access-Control-Allow-Origin"] == "http://127.0.0.1:5173"


def test_a_program_that_was_switched_off_reads_nothing(browse, program):
    program.is_active = False
    program.save()
    assert "Access-Control-Allow-Origin" not in browse(None).get(ME, headers={"Origin": SPA})
