"""Client credentials: made once, shown once, and good for a token of their owner."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.actions.authorization import register_client
from accounts.actions.session import start_session
from accounts.models import ClientCredential, SignInSession
from accounts.tokens import access_token

URL = "/api/v1/me/client_credentials"
TOKEN = "/api/v1/auth/token"


@pytest.fixture
def credential(cast, api):
    answer = api(cast.owner).post(URL, {"name": "Build server"}, format="json")
    assert answer.status_code == 201
    return answer.json()["data"]


def ask(client, credential, **headers):
    given = {name: credential[name] for name in ("client_id", "client_secret")}
    return client.post(TOKEN, {"grant_type": "client_credentials", **given}, format="json", headers=headers)


@pytest.mark.asvs("v5.0.0-11.4.3", "v5.0.0-7.2.2")
def test_the_secret_is_shown_once_and_kept_only_as_a_hash(cast, api, credential):
    assert len(credential["client_secret"]) >= 43
    listed = api(cast.owner).get(URL).json()["data"]
    assert [one["id"] for one in listed] == [credential["id"]]
    assert "client_secret" not in listed[0]
    [stored] = ClientCredential.objects.values()
    assert credential["client_secret"] not in str(stored)


def test_a_program_signs_in_as_its_owner(cast, api, credential):
    answer = ask(api(None), credential)
    assert answer.status_code == 200
    token = answer.json()["data"]["access_token"]
    me = api(None).get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert me.json()["data"]["id"] == str(cast.owner.pk)
    assert api(cast.owner).get(f"{URL}/{credential['id']}").json()["data"]["last_used_at"]


@pytest.mark.parametrize("behind", ["credential", "client"])
def test_a_program_makes_and_deletes_no_credentials(cast, api, credential, behind):
    """They would outlive what let it in."""
    row = (
        ClientCredential.objects.get()
        if behind == "credential"
        else register_client(name="CLI", redirect_uris=["http://127.0.0.1/cb"], actor=cast.admin)
    )
    token = access_token(start_session(cast.owner, **{behind: row}))
    program = api(None)
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert program.get(URL).status_code == 200
    one = f"{URL}/{credential['id']}"
    match = program.get(one)["ETag"]
    for refused in (
        program.post(URL, {"name": "Mine"}, format="json"),
        program.delete(one, headers={"If-Match": match}),
    ):
        assert refused.status_code == 403
        assert refused.json()["error"]["code"] == "PERMISSION_DENIED"
    assert ClientCredential.objects.count() == 1


def test_http_basic_does_too(api, credential):
    pair = f"{credential['client_id']}:{credential['client_secret']}".encode()
    headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    body = {"grant_type": "client_credentials"}
    assert api(None).post(TOKEN, body, format="json", headers=headers).status_code == 200
    for bad in ("Basic ???", "Basic " + base64.b64encode(b"nocolon").decode()):
        answer = api(None).post(TOKEN, body, format="json", headers={"Authorization": bad})
        assert answer.status_code == 401


@pytest.mark.asvs("v5.0.0-10.4.10")
def test_a_wrong_secret_says_no_more_than_a_wrong_id(api, credential):
    wrong = ask(api(None), credential | {"client_secret": "x" * 64})
    unknown = ask(api(None), credential | {"client_id": "tmi_nobody"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["error"] == unknown.json()["error"]
    assert wrong.json()["error"]["code"] == "AUTHENTICATION_REQUIRED"


def test_what_is_over_no_longer_signs_in(cast, api, credential):
    row = ClientCredential.objects.get()
    for change in ({"expires_at": timezone.now() - timedelta(seconds=1)}, {"is_active": False}):
        ClientCredential.objects.filter(pk=row.pk).update(**change)
        assert ask(api(None), credential).status_code == 401
        ClientCredential.objects.filter(pk=row.pk).update(expires_at=None, is_active=True)
    cast.owner.is_active = False
    cast.owner.save()
    assert ask(api(None), credential).status_code == 401


def test_a_deleted_credential_is_worth_nothing(cast, api, credential):
    assert api(cast.owner).delete(f"{URL}/{credential['id']}").status_code == 204
    assert ask(api(None), credential).status_code == 401


def test_nobody_reaches_the_credentials_of_others(cast, api, credential):
    for client in (api(cast.outsider), api(cast.admin)):
        assert client.get(f"{URL}/{credential['id']}").status_code == 404
        assert client.delete(f"{URL}/{credential['id']}").status_code == 404
        assert client.get(URL).json()["data"] == []
    assert api(None).get(URL).status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "x", "expires_at": "2027-13-45T00:00:00Z"}, "expires_at"),
        ({"name": "x", "expires_at": "2027-01-01T00:00:00"}, "expires_at"),
        ({"name": "x", "client_secret": "mine"}, "client_secret"),
    ],
)
def test_bad_input_names_its_field(cast, api, body, field):
    answer = api(cast.owner).post(URL, body, format="json")
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == field
    assert not ClientCredential.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"grant_type": "client_credentials"}, "client_id"),
        ({"grant_type": "password", "username": "a"}, "password"),
        ({"grant_type": "password", "username": "a", "password": "b", "client_id": "c"}, "client_id"),
        ({"grant_type": "magic"}, "grant_type"),
    ],
)
def test_each_grant_has_its_fields(api, db, body, field):
    answer = api(None).post(TOKEN, body, format="json")
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == field


def test_a_credential_is_deleted_in_the_state_that_if_match_names(cast, api, credential):
    client, url = api(cast.owner), f"{URL}/{credential['id']}"
    tag = client.get(url).headers["ETag"]
    assert client.delete(url, headers={"If-Match": '"other"'}).status_code == 412
    assert client.delete(url, headers={"If-Match": tag}).status_code == 204


def refresh(client, tokens):
    return client.post("/api/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]}, format="json")


def test_a_program_stays_signed_in_no_longer_than_its_credential_is_good(cast, api):
    until = timezone.now() + timedelta(hours=1)
    made = api(cast.owner).post(URL, {"name": "Short", "expires_at": until.isoformat()}, format="json")
    tokens = ask(api(None), made.json()["data"]).json()["data"]
    ends = SignInSession.objects.filter(credential__name="Short").values_list("expires_at", flat=True)
    assert list(ends) == [until]
    tokens = refresh(api(None), tokens).json()["data"]
    assert list(ends.all()) == [until]
    ClientCredential.objects.update(expires_at=timezone.now())
    assert refresh(api(None), tokens).status_code == 401
    assert me(api, tokens) == 401


def test_a_credential_that_is_switched_off_ends_what_it_opened(api, credential):
    tokens = ask(api(None), credential).json()["data"]
    assert me(api, tokens) == 200
    ClientCredential.objects.update(is_active=False)
    assert me(api, tokens) == 401
    assert refresh(api(None), tokens).status_code == 401


def me(api, tokens):
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return api(None).get("/api/v1/me", headers=headers).status_code
