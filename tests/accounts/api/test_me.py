"""What a person sees and changes of themselves."""

from __future__ import annotations

import pytest

from accounts.actions.session import start_session
from accounts.models import Group, GroupMember
from accounts.tokens import access_token
from tmi.lib.json import encode

ME = "/api/v1/me"


def data(answer, status=200):
    assert answer.status_code == status, answer.content
    return answer.json()["data"]


@pytest.fixture
def team(cast):
    group = Group.objects.create(group_name="team")
    GroupMember.objects.create(group=group, user=cast.owner)
    return group


def test_the_profile(cast, api, team):
    me = data(api(cast.owner).get(ME))
    assert set(me) == {
        "id",
        "email",
        "name",
        "provider",
        "email_verified",
        "groups",
        "is_admin",
        "created_at",
        "last_login",
    }
    assert [group["group_name"] for group in me["groups"]] == ["everyone", "team"]
    assert data(api(cast.owner).get(f"{ME}/groups")) == me["groups"]


def test_the_name_can_be_changed_and_nothing_else(cast, api):
    assert data(api(cast.owner).patch(ME, {"name": "Olga"}, format="json"))["name"] == "Olga"
    for field in ("email", "is_admin", "id", "password"):
        refused = api(cast.owner).patch(ME, {field: "x"}, format="json")
        assert refused.json()["error"]["details"]["field"] == field
    assert api(cast.owner).patch(ME, {"name": " "}, format="json").status_code == 400


def test_preferences_are_replaced_whole(cast, api):
    url = f"{ME}/preferences"
    assert data(api(cast.owner).get(url)) == {}
    data(api(cast.owner).put(url, {"theme": "dark", "a": 1}, format="json"))
    assert data(api(cast.owner).put(url, {"theme": "light"}, format="json")) == {"theme": "light"}
    assert data(api(cast.owner).get(url)) == {"theme": "light"}
    assert data(api(cast.writer).get(url)) == {}


@pytest.mark.parametrize("body", ["[]", '"x"', "3", "null"])
def test_preferences_are_an_object(cast, api, body):
    answer = api(cast.owner).put(f"{ME}/preferences", body, content_type="application/json")
    assert answer.status_code == 400


@pytest.mark.parametrize("kind", ["", "application/json", "text/plain"])
def test_nothing_is_no_preferences(cast, api, kind):
    data(api(cast.owner).put(f"{ME}/preferences", {"theme": "dark"}, format="json"))
    answer = api(cast.owner).generic("PUT", f"{ME}/preferences", b"", kind)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert data(api(cast.owner).get(f"{ME}/preferences")) == {"theme": "dark"}


def test_preferences_have_an_end(cast, api):
    assert api(cast.owner).put(f"{ME}/preferences", {"a": "x" * 16_384}, format="json").status_code == 400
    assert data(api(cast.owner).get(f"{ME}/preferences")) == {}


@pytest.mark.parametrize("theme", ["dark", "light", "<script>", 3, None, ["x"]])
def test_any_preference_leaves_the_pages_whole(cast, api, browse, theme):
    data(api(cast.owner).put(f"{ME}/preferences", {"theme": theme}, format="json"))
    page = browse(cast.owner).get("/")
    assert page.status_code == 200
    assert '<script>"' not in page.content.decode()


@pytest.mark.asvs("v5.0.0-7.5.2")
def test_a_person_sees_and_ends_their_sign_ins(cast, api):
    elsewhere = start_session(cast.owner, address="192.0.2.1", user_agent="curl")
    client = api(cast.owner)
    listed = data(client.get(f"{ME}/sessions"))
    assert [one["current"] for one in listed].count(True) == 1
    [other] = [one for one in listed if not one["current"]]
    assert (other["id"], other["address"], other["user_agent"]) == (str(elsewhere.pk), "192.0.2.1", "curl")
    bearer = {"Authorization": f"Bearer {access_token(elsewhere)}"}
    assert api(None).get(ME, headers=bearer).status_code == 200
    assert client.delete(f"{ME}/sessions/{elsewhere.pk}").status_code == 204
    assert api(None).get(ME, headers=bearer).status_code == 401
    assert len(data(client.get(f"{ME}/sessions"))) == 1
    assert client.delete(f"{ME}/sessions/{elsewhere.pk}").status_code == 404


def test_nobody_ends_the_sign_ins_of_others(cast, api):
    theirs = start_session(cast.owner)
    for who in (cast.outsider, cast.admin):
        assert api(who).delete(f"{ME}/sessions/{theirs.pk}").status_code == 404
    theirs.refresh_from_db()
    assert theirs.ended_at is None


def test_nobody_is_me_without_signing_in(api, db):
    for path in ("", "/groups", "/preferences", "/sessions"):
        assert api(None).get(ME + path).status_code == 401


def test_the_profile_is_changed_in_the_state_that_if_match_names(cast, api):
    client = api(cast.owner)
    tag = client.get(ME).headers["ETag"]
    changed = client.patch(ME, {"name": "Olga"}, format="json", headers={"If-Match": tag})
    assert data(changed)["name"] == "Olga"
    assert client.patch(ME, {"name": "X"}, format="json", headers={"If-Match": tag}).status_code == 412
    assert changed.headers["ETag"] == client.get(ME).headers["ETag"]
    assert data(client.get(ME))["name"] == "Olga"


def test_preferences_are_replaced_in_the_state_that_if_match_names(cast, api):
    client, url = api(cast.owner), f"{ME}/preferences"
    tag = client.get(url).headers["ETag"]
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
    data(client.put(url, {"theme": "dark"}, format="json", headers={"If-Match": tag}))
    assert client.put(url, {}, format="json", headers={"If-Match": tag}).status_code == 412
    assert data(client.get(url)) == {"theme": "dark"}


def json_patch(client, url, *operations):
    return client.patch(url, encode(list(operations)), content_type="application/json-patch+json")


def test_the_profile_takes_a_json_patch(cast, api):
    client = api(cast.owner)
    renamed = json_patch(
        client,
        ME,
        {"op": "test", "path": "/name", "value": "Owner"},
        {"op": "replace", "path": "/name", "value": "O"},
    )
    assert data(renamed)["name"] == "O"
    assert json_patch(client, ME, {"op": "test", "path": "/name", "value": "Owner"}).status_code == 409
    for operation, field in (
        ({"op": "replace", "path": "/is_admin", "value": True}, "is_admin"),
        ({"op": "add", "path": "/colour", "value": "red"}, "colour"),
        ({"op": "remove", "path": "/name"}, "name"),
        ({"op": "remove", "path": "/is_admin"}, "is_admin"),
    ):
        refused = json_patch(client, ME, operation)
        assert (refused.status_code, refused.json()["error"]["details"]["field"]) == (400, field)
    assert data(client.get(ME))["name"] == "O"


@pytest.mark.parametrize(
    ("body", "field"),
    [({"a": ["x", "b\x1b"]}, "/a/1"), ({"a": {"c\x07": 1}}, "/a"), ({"a": "\x7f"}, "/a"), ({"\t": 1}, "")],
)
def test_preferences_hold_no_control_characters(cast, api, body, field):
    refused = api(cast.owner).put(f"{ME}/preferences", body, format="json")
    assert (refused.status_code, refused.json()["error"]["details"]["field"]) == (400, field)
    data(api(cast.owner).put(f"{ME}/preferences", {"a": ["two\n\tlines", 1, None, True]}, format="json"))
