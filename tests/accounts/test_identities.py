"""Sign-in by a real OpenID Connect provider, and by a server that speaks as GitHub does."""

from __future__ import annotations

import http.server
import json
import re
import shutil
import threading
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from allauth.socialaccount.models import SocialAccount
from pydantic import ValidationError

from accounts.actions.invitation import invite
from accounts.actions.user import create_local_user, set_active
from accounts.models import AuditEntry, GroupMember, SignInSession, SignUpInvitation, User
from tests.tools import openid
from threatmodels.models import AccessInvitation
from tmi.config_schema import OAuth, Provider

CALLBACK = "http://testserver/oauth2/callback"
PASSWORD = "correct-horse-battery-9"
ADA = {"sub": "ada-1", "email": "ada@example.org", "email_verified": True, "name": "Ada"}

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(shutil.which("node") is None, reason="no node on PATH, with which the provider runs"),
    pytest.mark.xdist_group("openid"),
]


@pytest.fixture(scope="session")
def issuer():
    with openid.provider(CALLBACK) as address:
        yield address


@pytest.fixture
def configure(settings):
    """`configure(name, **fields)` makes a provider of this name usable; requests may go to loopback."""

    def make(**providers):
        oauth = settings.CONFIG.auth.oauth.model_copy(
            update={"callback_url": CALLBACK, "providers": providers}
        )
        auth = settings.CONFIG.auth.model_copy(update={"oauth": oauth})
        outgoing = settings.CONFIG.outgoing.model_copy(update={"allowed_networks": ["127.0.0.0/8"]})
        settings.CONFIG = settings.CONFIG.model_copy(update={"auth": auth, "outgoing": outgoing})

    return make


def acme(issuer, **fields):
    scopes = ["openid", "email", "profile", "groups"]
    known = {"name": "Acme", "client_id": openid.CLIENT_ID, "client_secret": openid.CLIENT_SECRET}
    return Provider(**{**known, "issuer": issuer, "scopes": scopes, **fields})


@pytest.fixture
def configured(configure, issuer):
    configure(acme=acme(issuer))


def leave(client, name="acme", **given):
    """Where the page leads that stands between us and the provider."""
    page = client.post(f"/accounts/sign-in-with/{name}/", given)
    assert page.status_code == 200, page.content.decode()[:800]
    return unescape(re.search(r'href="(http[^"]+)"', page.content.decode())[1])


def come_by(client, claims, name="acme", **given):
    """The whole way: to the provider, sign in there, and back."""
    where = leave(client, name, **given)
    issuer = "{0.scheme}://{0.netloc}".format(urlsplit(where))
    back = openid.consent(where, openid.claim(issuer, **claims), CALLBACK)
    return client.get(openid.path_of(back))


def me(client):
    return client.get("/api/v1/me").json()["data"]


def test_a_person_of_a_provider_comes_in_and_is_known_by_what_it_says(browse, configured):
    client = browse(None)
    assert come_by(client, ADA)["Location"] == "/"
    person = User.objects.get(provider="acme")
    assert (person.provider_user_id, person.email, person.name) == ("ada-1", "ada@example.org", "Ada")
    assert person.email_verified
    assert not person.has_usable_password()
    assert SignInSession.objects.live().filter(user=person).exists()
    assert me(client)["provider"] == "acme"
    again = browse(None)
    come_by(again, ADA)
    assert me(again)["id"] == str(person.pk)
    assert AuditEntry.objects.filter(entity_id=person.pk, action="create").count() == 1


@pytest.mark.asvs("v5.0.0-10.2.1", "v5.0.0-10.2.2")
def test_pkce_and_state_go_along_and_the_callback_is_the_one_of_the_configuration(browse, configured):
    asked = parse_qs(urlsplit(leave(browse(None))).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert len(asked["state"][0]) >= 16
    assert asked["redirect_uri"] == [CALLBACK]


@pytest.mark.asvs("v5.0.0-10.1.2", "v5.0.0-7.6.2")
def test_an_answer_for_another_browser_is_refused(browse, configured, issuer):
    back = openid.consent(leave(browse(None)), openid.claim(issuer, **ADA), CALLBACK)
    other = browse(None)
    assert other.get(openid.path_of(back)).status_code == 400
    assert not User.objects.filter(provider="acme").exists()


def test_an_answer_counts_once(browse, configured, issuer):
    client = browse(None)
    back = openid.consent(leave(client), openid.claim(issuer, **ADA), CALLBACK)
    assert client.get(openid.path_of(back)).status_code == 302
    assert client.get(openid.path_of(back)).status_code == 400


@pytest.mark.asvs("v5.0.0-10.1.1", "v5.0.0-11.3.1", "v5.0.0-11.3.2", "v5.0.0-11.3.3")
def test_the_tokens_of_the_provider_are_kept_encrypted(browse, configured, django_db_blocker):
    from django.db import connection

    come_by(browse(None), ADA)
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token FROM users WHERE provider = 'acme'")
        [stored] = cursor.fetchone()
    assert stored.startswith("gAAAA")
    kept = User.objects.get(provider="acme").access_token
    assert kept
    assert kept not in stored
    assert not any(
        kept in json.dumps(row) for row in SocialAccount.objects.values_list("extra_data", flat=True)
    )


@pytest.mark.asvs("v5.0.0-6.8.1", "v5.0.0-10.5.2")
def test_the_same_address_at_another_provider_opens_nothing(browse, configured, api):
    """An identity was once taken over by the address that another provider claims."""
    ann = create_local_user(email="ann@example.org", name="Ann", password=PASSWORD)
    client = browse(None)
    come_by(client, {**ADA, "sub": "mallory", "email": "ANN@example.org"})
    stranger = User.objects.get(provider="acme")
    assert me(client)["id"] == str(stranger.pk) != str(ann.pk)
    ask = {"grant_type": "password", "username": "ann@example.org", "password": PASSWORD}
    token = api(None).post("/api/v1/auth/token", ask, format="json").json()["data"]["access_token"]
    mine = api(None).get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {token}").json()["data"]
    assert mine["id"] == str(ann.pk)


def test_a_person_of_a_provider_cannot_get_a_password_that_opens_a_local_account(browse, configured):
    client = browse(None)
    come_by(client, {**ADA, "email": "ann@example.org"})
    assert client.post(
        "/accounts/password/set/", {"password1": PASSWORD, "password2": PASSWORD}
    ).status_code in (302, 404)
    given = {"login": "ann@example.org", "password": PASSWORD}
    assert browse(None).post("/accounts/login/", given).status_code == 200


def test_groups_are_those_of_the_claim_at_every_sign_in(browse, configured):
    client = browse(None)
    come_by(client, {**ADA, "groups": ["staff", "security", "", 7, "x" * 300]})
    person = User.objects.get(provider="acme")
    assert groups_of(person) == {("acme", "security"), ("acme", "staff")}
    come_by(browse(None), {**ADA, "groups": ["security", "auditors"]})
    assert groups_of(person) == {("acme", "security"), ("acme", "auditors")}
    told = AuditEntry.objects.filter(entity_id=person.pk, action__in=["join_group", "leave_group"])
    assert {"group": [None, "auditors"]} in told.values_list("changes", flat=True)
    assert {"group": ["staff", None]} in told.values_list("changes", flat=True)
    used = person.memberships.get(group__group_name="security").group
    assert used.usage_count == 2
    come_by(browse(None), {**ADA, "groups": []})
    assert groups_of(person) == set()


def test_a_provider_gives_no_group_of_another_or_of_here(browse, configured, cast):
    from accounts.models import Group

    Group.objects.create(provider="*", group_name="administrators")
    come_by(browse(None), {**ADA, "groups": ["administrators", "everyone"]})
    person = User.objects.get(provider="acme")
    assert {provider for provider, _name in groups_of(person)} == {"acme"}


def groups_of(person):
    return set(GroupMember.objects.filter(user=person).values_list("group__provider", "group__group_name"))


def test_an_address_that_is_not_proved_accepts_no_invitation(browse, configured, threat_model, cast):
    AccessInvitation.objects.create(
        threat_model=threat_model, email="ada@example.org", role="writer", granted_by=cast.owner
    )
    doubtful = browse(None)
    come_by(doubtful, {**ADA, "email_verified": False})
    assert doubtful.get(f"/api/v1/threat_models/{threat_model.pk}").status_code == 404
    proved = browse(None)
    come_by(proved, ADA)
    assert proved.get(f"/api/v1/threat_models/{threat_model.pk}").status_code == 200


def test_a_deactivated_person_stays_out(browse, configured, cast):
    come_by(browse(None), ADA)
    set_active(User.objects.get(provider="acme"), is_active=False, actor=cast.admin)
    client = browse(None)
    come_by(client, ADA)
    assert client.get("/").status_code == 302
    assert not SignInSession.objects.live().filter(user__provider="acme").exists()


@pytest.mark.parametrize(
    "claims", [{"sub": "x"}, {"sub": "x", "email": "no address", "email_verified": True}]
)
def test_what_the_provider_leaves_out_is_said_and_nothing_is_made(browse, configured, claims):
    assert come_by(browse(None), claims).status_code == 400
    assert not User.objects.filter(provider="acme").exists()


def test_names_may_be_anything(browse, configured):
    come_by(browse(None), {**ADA, "name": "A\u0000d\u202ea <b>" + "x" * 400})
    name = User.objects.get(provider="acme").name
    assert "a <b>x" in name
    assert len(name) <= 200
    assert not {"\x00", "\u202e"} & set(name)


@pytest.mark.parametrize(("mode", "enters"), [("open", True), ("invite", False), ("closed", False)])
def test_who_gets_an_account_is_configured(browse, configure, issuer, mode, enters):
    configure(acme=acme(issuer, signup=mode))
    client = browse(None)
    come_by(client, ADA)
    assert User.objects.filter(provider="acme").exists() is enters


def test_an_invitation_opens_the_door_to_its_proved_address(browse, configure, issuer, cast):
    configure(acme=acme(issuer, signup="invite"))
    invite("Ada@example.org", actor=cast.admin)
    come_by(browse(None), {**ADA, "email_verified": False})
    assert not User.objects.filter(provider="acme").exists()
    come_by(browse(None), ADA)
    assert User.objects.filter(provider="acme").exists()
    assert not SignUpInvitation.objects.open().exists()


def test_the_history_tells_that_an_address_changed_and_not_which(browse, configure, issuer, cast):
    configure(acme=acme(issuer))
    come_by(browse(None), ADA)
    come_by(browse(None), {**ADA, "email": "countess@example.org"})
    person = User.objects.get(provider="acme")
    assert person.email == "countess@example.org"
    entries = AuditEntry.objects.filter(entity_id=person.pk)
    assert [one.changes["email"] for one in entries.filter(action="update")] == [[None, "changed"]]
    assert "example.org" not in str(list(entries.values_list("changes", flat=True)))


# -- linking


@pytest.fixture
def ann(db):
    return create_local_user(email="ann@example.org", name="Ann", password=PASSWORD)


@pytest.fixture
def anns(browse, ann):
    client = browse(None)
    client.post("/accounts/login/", {"login": ann.email, "password": PASSWORD})
    # Linking asks for the password again.
    client.post("/accounts/reauthenticate/?next=/", {"password": PASSWORD})
    return client


def test_an_identity_is_linked_while_signed_in_and_opens_the_account_then(browse, configured, ann, anns):
    assert (
        come_by(anns, {**ADA, "groups": ["staff"]}, process="connect")["Location"] == "/accounts/identities/"
    )
    assert "ada@example.org" in anns.get("/accounts/identities/").content.decode()
    assert groups_of(ann) == {("acme", "staff")}
    later = browse(None)
    come_by(later, ADA)
    assert me(later)["id"] == str(ann.pk)
    ann.refresh_from_db()
    assert (ann.email, ann.provider) == ("ann@example.org", "local")
    assert AuditEntry.objects.filter(entity_id=ann.pk, action="link_identity").exists()


def test_nobody_links_without_being_signed_in(browse, configured):
    answer = browse(None).post("/accounts/sign-in-with/acme/", {"process": "connect"})
    assert answer.status_code == 403


def test_an_identity_of_another_account_is_not_linked(browse, configured, ann, anns):
    come_by(browse(None), ADA)
    come_by(anns, ADA, process="connect")
    assert not SocialAccount.objects.filter(user=ann).exists()
    assert SocialAccount.objects.get().user.provider == "acme"


def test_a_linked_identity_is_removed_with_its_groups(browse, configured, ann, anns):
    come_by(anns, {**ADA, "groups": ["staff"]}, process="connect")
    held = SocialAccount.objects.get(user=ann)
    anns.post("/accounts/identities/", {"account": held.pk})
    assert not SocialAccount.objects.filter(user=ann).exists()
    assert groups_of(ann) == set()


def test_the_identity_that_made_an_account_stays(browse, configured):
    client = browse(None)
    come_by(client, ADA)
    held = SocialAccount.objects.get()
    page = client.post("/accounts/identities/", {"account": held.pk})
    assert "alert-danger" in page.content.decode()
    assert SocialAccount.objects.filter(pk=held.pk).exists()


# -- providers that do not keep to the protocol


class Odd(http.server.BaseHTTPRequestHandler):
    answers: dict = {}
    asked: list = []

    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        self.asked.append((self.path, self.rfile.read(length).decode()))
        status, body = self.answers.get(urlsplit(self.path).path, (404, {}))
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status == 302:
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = answer  # noqa: N815  the names that the server looks for

    def log_message(self, *args):
        pass


@pytest.fixture
def odd():
    """`odd(answers)` is the address of a server that answers so; `odd.asked` is what it was asked."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Odd.answers, Odd.asked = {}, []
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize(
    "document",
    [
        (200, {}),
        (200, b"not json"),
        (200, []),
        (500, {}),
        (302, {}),
        (200, {"issuer": "https://else.example", "authorization_endpoint": "https://else.example/a"}),
        (200, b"[" * 100_000),
    ],
)
def test_a_provider_that_publishes_nonsense_is_said_to_be_away(browse, configure, odd, document):
    configure(odd=acme(odd))
    Odd.answers["/.well-known/openid-configuration"] = document
    assert browse(None).post("/accounts/sign-in-with/odd/").status_code == 503


@pytest.mark.asvs("v5.0.0-1.3.6")
def test_metadata_of_a_provider_never_lead_inside(browse, configure, odd, settings):
    """SSRF by what a provider publishes: its endpoints are on an address of the inside."""
    configure(odd=acme(odd))
    outgoing = settings.CONFIG.outgoing.model_copy(update={"allowed_networks": ["127.0.0.1/32"]})
    settings.CONFIG = settings.CONFIG.model_copy(update={"outgoing": outgoing})
    port = urlsplit(odd).port
    Odd.answers["/.well-known/openid-configuration"] = (
        200,
        {
            "issuer": odd,
            "authorization_endpoint": f"{odd}/authorize",
            "token_endpoint": f"http://127.0.0.2:{port}/token",
            "jwks_uri": f"http://127.0.0.2:{port}/jwks",
        },
    )
    client = browse(None)
    state = parse_qs(urlsplit(leave(client, "odd")).query)["state"][0]
    answer = client.get(f"/oauth2/callback?{urlencode({'state': state, 'code': 'x'})}")
    assert answer.status_code in (401, 503)
    assert all(path.startswith("/.well-known") for path, _body in Odd.asked)


@pytest.mark.asvs("v5.0.0-6.8.2", "v5.0.0-10.5.3", "v5.0.0-10.5.4")
def test_an_id_token_that_nobody_signed_is_refused(browse, configure, odd):
    import jwt

    configure(odd=acme(odd))
    forged = jwt.encode(
        {"iss": odd, "aud": "tmi", "sub": "x", "exp": 9999999999}, "k" * 32, headers={"kid": "1"}
    )
    Odd.answers |= {
        "/.well-known/openid-configuration": (
            200,
            {
                "issuer": odd,
                "authorization_endpoint": f"{odd}/authorize",
                "token_endpoint": f"{odd}/token",
                "jwks_uri": f"{odd}/jwks",
            },
        ),
        "/token": (200, {"access_token": "t", "id_token": forged}),
        "/jwks": (200, {"keys": []}),
    }
    client = browse(None)
    state = parse_qs(urlsplit(leave(client, "odd")).query)["state"][0]
    answer = client.get(f"/oauth2/callback?{urlencode({'state': state, 'code': 'x'})}")
    assert answer.status_code == 401
    assert not User.objects.filter(provider="odd").exists()


def test_github_is_asked_for_the_proved_address(browse, configure, odd):
    configure(github=Provider(client_id="hub", client_secret="s", issuer=odd))
    Odd.answers |= {
        "/login/oauth/access_token": (200, {"access_token": "gho_1", "token_type": "bearer"}),
        "/api/v3/user": (200, {"id": 42, "login": "ada", "name": "Ada", "email": "public@example.org"}),
        "/api/v3/user/emails": (
            200,
            [
                {"email": "old@example.org", "primary": False, "verified": False},
                {"email": "ada@example.org", "primary": True, "verified": True},
            ],
        ),
    }
    client = browse(None)
    where = leave(client, "github")
    assert where.startswith(f"{odd}/login/oauth/authorize?")
    asked = parse_qs(urlsplit(where).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [CALLBACK]
    client.get(f"/oauth2/callback?{urlencode({'state': asked['state'][0], 'code': 'abc'})}")
    person = User.objects.get(provider="github")
    assert (person.provider_user_id, person.email, person.email_verified) == ("42", "ada@example.org", True)
    [exchange] = [body for path, body in Odd.asked if path.endswith("access_token")]
    assert "code_verifier=" in exchange


def test_a_cancelled_sign_in_says_so(browse, configured):
    client = browse(None)
    state = parse_qs(urlsplit(leave(client)).query)["state"][0]
    answer = client.get(
        f"/oauth2/callback?{urlencode({'state': state, 'error': 'access_denied'})}", follow=True
    )
    assert "Nothing was changed" in answer.content.decode()


def test_what_is_not_configured_is_no_provider(browse, configured):
    for name in ("local", "google", "ACME"):
        assert browse(None).post(f"/accounts/sign-in-with/{name}/").status_code == 404


def test_no_provider_may_be_called_local():
    with pytest.raises(ValidationError, match="accounts with a password"):
        OAuth(providers={"local": {"client_id": "x", "issuer": "https://x.example"}})


def test_requests_to_providers_are_no_ordinary_ones(db):
    from accounts.social import SocialAdapter

    with pytest.raises(requests.ConnectionError):
        SocialAdapter().get_requests_session().get("http://127.0.0.1:9/")
