"""/threat_models/{id}/access, and handing a model over."""

from __future__ import annotations

import json

import pytest

from accounts.models import AuditEntry, Group, GroupMember, User
from tests.conftest import make_user
from threatmodels.actions.access import Grant, grant_access
from threatmodels.models import AccessInvitation, ThreatModelAccess

MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"
NOBODY = "0190a000-0000-7000-8000-000000000000"


@pytest.fixture
def base(threat_model):
    return f"/api/v1/threat_models/{threat_model.pk}"


@pytest.fixture
def owner(api, cast):
    return api(cast.owner)


@pytest.fixture
def team(cast):
    """A group of the owner's."""
    made = Group.objects.create(group_name="team", provider="*")
    GroupMember.objects.create(group=made, user=cast.owner)
    return made


def entries(client, base):
    return client.get(f"{base}/access").json()["data"]


def problem(response, status=400):
    assert response.status_code == status, response.content
    error = response.json()["error"]
    return error["details"]["field"] if status == 400 else error["code"]


def twice(response):
    """The place of the subject that a list has twice."""
    assert response.status_code == 409, response.content
    return response.json()["error"]["details"]["field"]


def post(client, base, **entry):
    return client.post(f"{base}/access", entry, format="json")


def put(client, base, items):
    return client.put(f"{base}/access", items, format="json")


# -- one entry


@pytest.mark.parametrize("name", ["strangers", "nobody"])
def test_a_group_of_others_is_as_good_as_none(owner, base, name):
    Group.objects.create(group_name="strangers", provider="*")
    refused = post(owner, base, provider="*", group_name=name, role="reader")
    assert problem(refused) == "group_name"
    assert "There is no such group." in refused.content.decode()


@pytest.mark.parametrize("by", ["id", "name"])
def test_a_group_is_named_by_its_id_or_by_provider_and_name(owner, base, team, by):
    subject = {"group_id": str(team.pk)} if by == "id" else {"provider": "*", "group_name": "team"}
    made = post(owner, base, subject_type="group", role="reader", **subject)
    assert made.status_code == 201
    entry = made.json()["data"]
    assert (entry["subject_type"], entry["group_id"], entry["user_id"]) == ("group", str(team.pk), None)
    assert made["Location"].endswith(f"{base}/access/{entry['id']}")
    assert post(owner, base, role="writer", **subject).status_code == 409


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"provider": "*", "group_name": "nobody"}, "group_name"),
        ({"group_name": "team"}, "subject_type"),
        ({"group_id": NOBODY}, "group_id"),
        ({"user_id": NOBODY}, "user_id"),
        ({"email": "not an address"}, "email"),
        ({"email": "new@example.org", "subject_type": "group"}, "subject_type"),
        ({"provider": "*", "group_name": "team", "subject_type": "user"}, "subject_type"),
        ({"email": "new@example.org", "group_id": NOBODY}, "subject_type"),
        ({}, "subject_type"),
        ({"email": "new@example.org", "role": "king"}, "role"),
        ({"email": "new@example.org", "pending": True}, "pending"),
    ],
)
def test_an_entry_that_does_not_fit_is_refused(owner, base, team, entry, field):
    assert problem(post(owner, base, **{"role": "reader"} | entry)) == field


def test_who_has_an_entry_is_not_invited_too(owner, base, cast):
    assert problem(post(owner, base, email="READER@example.org", role="writer"), 409) == "CONFLICT"
    assert problem(post(owner, base, email="OWNER@example.org", role="writer")) == "email"
    assert post(owner, base, email="new@example.org", role="reader").status_code == 201
    assert post(owner, base, email="NEW@example.org", role="reader").status_code == 409
    # Whether there is such an account is not told.
    assert post(owner, base, email=cast.outsider.email, role="reader").status_code == 201


def test_who_is_invited_gets_no_entry_too(owner, base, cast):
    invited = post(owner, base, email="OUTSIDER@example.org", role="reader").json()["data"]
    assert problem(post(owner, base, user_id=str(cast.outsider.pk), role="writer"), 409) == "CONFLICT"
    assert owner.delete(f"{base}/access/{invited['id']}").status_code == 204
    assert post(owner, base, user_id=str(cast.outsider.pk), role="writer").status_code == 201


def test_an_address_that_nobody_has_proved_is_invited_beside_its_account(owner, base, cast):
    User.objects.filter(pk=cast.outsider.pk).update(email_verified=False)
    assert post(owner, base, email=cast.outsider.email, role="reader").status_code == 201
    assert post(owner, base, user_id=str(cast.outsider.pk), role="writer").status_code == 201


def test_with_the_entry_of_a_person_goes_what_their_address_is_invited_to(api, owner, base, cast):
    """An address may become somebody's only after it was invited."""
    User.objects.filter(pk=cast.outsider.pk).update(email_verified=False)
    post(owner, base, email=cast.outsider.email, role="reader")
    entry = post(owner, base, user_id=str(cast.outsider.pk), role="writer").json()["data"]
    User.objects.filter(pk=cast.outsider.pk).update(email_verified=True)
    assert owner.delete(f"{base}/access/{entry['id']}").status_code == 204
    assert cast.outsider.email not in {one["email"] for one in entries(owner, base)}
    assert api(User.objects.get(pk=cast.outsider.pk)).get(base).status_code == 404


def test_a_member_leaves_and_removes_nobody_else(api, base, cast, threat_model):
    reader = api(cast.reader)
    mine, other = (threat_model.access_entries.get(user=user).pk for user in (cast.reader, cast.writer))
    assert reader.delete(f"{base}/access/{other}").status_code == 403
    assert reader.delete(f"{base}/access/{mine}").status_code == 204
    assert reader.get(base).status_code == 404
    told = AuditEntry.objects.get(entity_id=mine, action="revoke")
    assert (told.actor, told.changes["role"]) == (cast.reader, ["reader", None])


def test_the_same_role_again_is_no_change(owner, base, cast, threat_model):
    one = f"{base}/access/{threat_model.access_entries.get(user=cast.reader).pk}"
    before = AuditEntry.objects.count()
    assert owner.patch(one, {"role": "reader"}, format="json").status_code == 200
    assert AuditEntry.objects.count() == before
    assert owner.patch(one, {"role": "writer"}, format="json").json()["data"]["role"] == "writer"
    assert AuditEntry.objects.count() == before + 1


# -- the list


def test_what_get_gave_is_put_back_and_nothing_happens(owner, base, team):
    post(owner, base, group_id=str(team.pk), role="writer")
    post(owner, base, email="new@example.org", role="reader")
    before, told = entries(owner, base), AuditEntry.objects.count()
    answer = put(owner, base, before)
    assert answer.status_code == 200, answer.content
    assert answer.json()["data"] == entries(owner, base) == before
    assert AuditEntry.objects.count() == told


def test_put_makes_its_items_the_only_entries(owner, base, cast, team, threat_model):
    post(owner, base, email="new@example.org", role="reader")
    listed = {one["email"]: one for one in entries(owner, base)}
    kept, invited = listed["writer@example.org"], listed["new@example.org"]
    items = [
        {**kept, "role": "reader"},
        {"id": invited["id"], "role": "writer"},
        {"user_id": str(cast.outsider.pk), "role": "owner"},
        {"provider": "*", "group_name": "team", "role": "reader"},
    ]
    made = put(owner, base, items).json()["data"]
    assert sorted((one["display_name"], one["role"]) for one in made) == [
        ("Outsider", "owner"),
        ("Writer", "reader"),
        ("new@example.org", "writer"),
        (str(team), "reader"),
    ]
    assert {kept["id"], invited["id"]} < {one["id"] for one in made}
    told = AuditEntry.objects.filter(entity_type="access").order_by("-created_at", "-pk")[:5]
    assert sorted(one.action for one in told) == ["change", "change", "grant", "grant", "revoke"]
    assert not threat_model.access_entries.filter(user=cast.reader).exists()


def test_a_subject_that_is_listed_without_its_id_keeps_its_entry(owner, base, cast):
    before = {one["user_id"]: one["id"] for one in entries(owner, base)}
    items = [{"user_id": str(cast.writer.pk), "role": "writer"}]
    [left] = put(owner, base, items).json()["data"]
    assert left["id"] == before[str(cast.writer.pk)]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"display_name": "Somebody else"}, "/0/display_name"),
        ({"email": "else@example.org"}, "/0/email"),
        ({"pending": True}, "/0/pending"),
        ({"role": "king"}, "/0/role"),
        ({"id": NOBODY}, "/0/id"),
        ({"bogus": 1}, "/0/bogus"),
    ],
)
def test_of_a_listed_entry_only_the_role_changes(owner, base, changed, field):
    first, *rest = before = entries(owner, base)
    assert problem(put(owner, base, [first | changed, *rest])) == field
    assert entries(owner, base) == before


def test_a_list_is_taken_whole_or_not_at_all(owner, base, cast):
    before = entries(owner, base)
    new = {"email": "new@example.org", "role": "reader"}
    assert problem(put(owner, base, [new, {"user_id": str(cast.owner.pk), "role": "reader"}])) == "/1/user_id"
    assert problem(put(owner, base, [new, {"role": "reader"}])) == "/1/subject_type"
    assert twice(put(owner, base, [new, new])) == "/1"
    assert twice(put(owner, base, [*before, before[0]])) == "/2"
    again = {"user_id": before[0]["user_id"], "role": "owner"}
    assert twice(put(owner, base, [*before, again])) == "/2"
    assert problem(put(owner, base, {"role": "reader"})) == ""
    assert entries(owner, base) == before


@pytest.mark.parametrize("who", ["reader", "outsider"])
def test_a_person_by_id_and_by_address_is_one_subject(owner, base, cast, who):
    before = entries(owner, base)
    person = cast.named(who)
    by_id = {"user_id": str(person.pk), "role": "reader"}
    by_address = {"email": person.email.upper(), "role": "reader"}
    assert twice(put(owner, base, [by_address, by_id])) == "/1"
    assert twice(put(owner, base, [by_id, by_address])) == "/1"
    assert entries(owner, base) == before


def test_a_person_who_is_listed_by_address_keeps_their_entry(owner, base, cast):
    before = {one["user_id"]: one["id"] for one in entries(owner, base)}
    [left] = put(owner, base, [{"email": cast.writer.email, "role": "reader"}]).json()["data"]
    assert (left["id"], left["pending"]) == (before[str(cast.writer.pk)], False)


def test_a_second_owner_may_replace_themselves_away(api, base, cast, threat_model):
    second = make_user("second")
    grant_access(threat_model, actor=cast.owner, grant=Grant("owner", user=second))
    items = [{"user_id": str(cast.outsider.pk), "role": "reader"}]
    api(second).put(f"{base}/access", items, format="json")
    assert [one["user_id"] for one in entries(api(cast.owner), base)] == [str(cast.outsider.pk)]


# -- invitations


def test_who_accepts_an_invitation_changes_the_model(api, base, cast, owner, threat_model):
    late = make_user("late")
    post(owner, base, email="Late@example.org", role="reader")
    before = owner.get(base).json()["data"]["updated_at"]
    seen = api(late).get(base)
    after = owner.get(base).json()["data"]["updated_at"]
    assert seen.json()["data"]["updated_at"] == after > before
    [entry] = [one for one in entries(owner, base) if one["email"] == late.email]
    assert (entry["pending"], entry["user_id"]) == (False, str(late.pk))


def test_who_got_the_model_needs_no_entry_for_an_earlier_invitation(api, base, cast, owner):
    post(owner, base, email=cast.outsider.email, role="reader")
    owner.patch(base, {"owner_id": str(cast.outsider.pk)}, format="json")
    assert api(cast.outsider).get(base).status_code == 200
    assert not ThreatModelAccess.objects.filter(user=cast.outsider).exists()
    assert not AccessInvitation.objects.exists()


# -- another owner


def hand_over(client, base, kind, owner_id):
    body = {"owner_id": owner_id}
    if kind == JSON_PATCH:
        body = [{"op": "replace", "path": "/owner_id", "value": owner_id}]
    if kind == "PUT":
        return client.put(base, {"name": "Web shop", **body}, format="json")
    return client.patch(base, json.dumps(body), content_type=kind)


KINDS = pytest.mark.parametrize("kind", [MERGE, JSON_PATCH, "PUT"])


@KINDS
def test_a_model_is_handed_over(owner, base, cast, threat_model, kind):
    answer = hand_over(owner, base, kind, str(cast.writer.pk))
    assert answer.status_code == 200
    assert answer.json()["data"]["owner_id"] == str(cast.writer.pk)
    threat_model.refresh_from_db()
    assert threat_model.owner == cast.writer
    left = {entry.user: entry.role for entry in threat_model.access_entries.all()}
    assert left == {cast.owner: "owner", cast.reader: "reader"}
    told = AuditEntry.objects.get(entity_id=threat_model.pk, action="transfer")
    assert told.changes == {"owner_id": [str(cast.owner.pk), str(cast.writer.pk)]}


@KINDS
def test_only_an_owner_hands_a_model_over(api, base, cast, threat_model, kind):
    assert problem(hand_over(api(cast.writer), base, kind, str(cast.writer.pk)), 403) == "PERMISSION_DENIED"
    # The owner who is there already is no change.
    assert hand_over(api(cast.writer), base, kind, str(cast.owner.pk)).status_code == 200
    grant_access(threat_model, actor=cast.owner, grant=Grant("owner", user=cast.outsider))
    assert hand_over(api(cast.outsider), base, kind, str(cast.writer.pk)).status_code == 200


@KINDS
def test_nobody_gets_a_model_who_is_not_there(owner, base, cast, threat_model, kind):
    User.objects.filter(pk=cast.outsider.pk).update(is_active=False)
    for who in (NOBODY, str(cast.outsider.pk), "x"):
        assert problem(hand_over(owner, base, kind, who)) == "owner_id"
    threat_model.refresh_from_db()
    assert threat_model.owner == cast.owner


def test_a_model_is_handed_over_with_its_other_changes_or_not_at_all(owner, base, cast, threat_model):
    body = {"owner_id": str(cast.writer.pk), "name": "x" * 300}
    assert problem(owner.patch(base, body, format="json")) == "name"
    threat_model.refresh_from_db()
    assert threat_model.owner == cast.owner


def json_patch(client, path, *operations):
    return client.patch(path, json.dumps(operations), content_type="application/json-patch+json")


def test_a_patch_leaves_no_model_without_an_owner(owner, base, cast, threat_model):
    assert problem(json_patch(owner, base, {"op": "remove", "path": "/owner_id"})) == "owner_id"
    assert problem(owner.patch(base, {"owner_id": None}, format="json")) == "owner_id"
    threat_model.refresh_from_db()
    assert threat_model.owner == cast.owner


def test_a_role_is_changed_by_a_json_patch_too(api, cast, threat_model):
    base = f"/api/v1/threat_models/{threat_model.pk}/access"
    client = api(cast.owner)
    entry = next(e for e in client.get(base).json()["data"] if e["user_id"] == str(cast.reader.pk))
    path = f"{base}/{entry['id']}"
    test = {"op": "test", "path": "/role", "value": "reader"}
    done = json_patch(client, path, test, {"op": "replace", "path": "/role", "value": "writer"})
    assert (done.status_code, done.json()["data"]["role"]) == (200, "writer")
    assert json_patch(client, path, test).status_code in {400, 409}
    refused = json_patch(client, path, {"op": "replace", "path": "/user_id", "value": str(cast.outsider.pk)})
    assert refused.status_code == 400
    assert json_patch(client, path, {"op": "remove", "path": "/role"}).status_code == 400
    [again] = [e for e in client.get(base).json()["data"] if e["id"] == entry["id"]]
    assert again["role"] == "writer"
