"""Groups and people: who finds whom, and who may change what."""

from __future__ import annotations

import pytest

from accounts.actions.group import update_group
from accounts.models import EVERYONE_ID, AuditEntry, Group, GroupMember
from threatmodels.actions.access import Grant, grant_access
from tmi.lib.errors import NotFound
from tmi.lib.json import encode

GROUPS, USERS = "/api/v1/groups", "/api/v1/users"


def data(answer, status=200):
    assert answer.status_code == status, answer.content
    return answer.json()["data"]


@pytest.fixture
def team(cast):
    group = Group.objects.create(group_name="team", name="The team")
    for user in (cast.owner, cast.writer):
        GroupMember.objects.create(group=group, user=user)
    return group


def names(answer):
    return [group["group_name"] for group in data(answer)]


def emails(answer):
    return sorted(user["email"].split("@")[0] for user in data(answer))


def test_a_person_sees_their_own_groups_an_administrator_all(cast, api, team):
    assert names(api(cast.owner).get(GROUPS)) == ["everyone", "team"]
    assert names(api(cast.outsider).get(GROUPS)) == ["everyone"]
    assert names(api(cast.admin).get(f"{GROUPS}?search=TEA")) == ["team"]
    assert names(api(cast.admin).get(f"{GROUPS}?search=TEA&search=every")) == ["everyone", "team"]
    assert api(cast.outsider).get(f"{GROUPS}/{team.pk}").status_code == 404
    assert api(None).get(GROUPS).status_code == 401


def test_members_know_each_other(cast, api, team):
    assert emails(api(cast.owner).get(f"{GROUPS}/{team.pk}/members")) == ["owner", "writer"]
    assert api(cast.outsider).get(f"{GROUPS}/{team.pk}/members").status_code == 404
    assert api(cast.owner).get(f"{GROUPS}/{EVERYONE_ID}/members").status_code == 403


def test_an_administrator_makes_changes_and_deletes_groups(cast, api):
    client = api(cast.admin)
    made = data(client.post(GROUPS, {"group_name": "red", "name": "Red"}, format="json"), 201)
    assert made["provider"] == "*"
    url = f"{GROUPS}/{made['id']}"
    assert client.post(GROUPS, {"group_name": "red"}, format="json").status_code == 409
    assert data(client.patch(url, {"name": "Redder"}, format="json"))["name"] == "Redder"
    data(client.post(f"{url}/members", {"user_id": str(cast.reader.pk)}, format="json"), 201)
    again = client.post(f"{url}/members", {"user_id": str(cast.reader.pk)}, format="json")
    assert again.status_code == 409
    assert names(api(cast.reader).get(GROUPS)) == ["everyone", "red"]
    assert client.delete(f"{url}/members/{cast.reader.pk}").status_code == 204
    assert client.delete(f"{url}/members/{cast.reader.pk}").status_code == 404
    assert client.delete(url).status_code == 204
    actions = AuditEntry.objects.filter(entity_type="group").order_by("created_at", "id")
    assert list(actions.values_list("action", flat=True)) == [
        "create",
        "update",
        "add_member",
        "remove_member",
        "delete",
    ]


def test_others_change_nothing(cast, api, team):
    client = api(cast.owner)
    assert client.post(GROUPS, {"group_name": "x"}, format="json").status_code == 403
    assert client.patch(f"{GROUPS}/{team.pk}", {"name": "x"}, format="json").status_code == 403
    assert client.delete(f"{GROUPS}/{team.pk}").status_code == 403
    one = {"user_id": str(cast.reader.pk)}
    assert client.post(f"{GROUPS}/{team.pk}/members", one, format="json").status_code == 403
    assert client.delete(f"{GROUPS}/{team.pk}/members/{cast.writer.pk}").status_code == 403
    assert team.members.count() == 2


def test_the_group_of_everyone_stays_as_it_is(cast, api):
    client, url = api(cast.admin), f"{GROUPS}/{EVERYONE_ID}"
    assert client.patch(url, {"name": "All"}, format="json").status_code == 403
    assert client.delete(url).status_code == 403
    one = {"user_id": str(cast.reader.pk)}
    assert client.post(f"{url}/members", one, format="json").status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "group_name"),
        ({"group_name": ""}, "group_name"),
        ({"group_name": "x" * 201}, "group_name"),
        ({"group_name": "x", "provider": "google"}, "provider"),
        ({"group_name": "x", "members": []}, "members"),
    ],
)
def test_bad_input_names_its_field(cast, api, body, field):
    answer = api(cast.admin).post(GROUPS, body, format="json")
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == field


def test_people_are_found_by_those_who_share_something_with_them(cast, api, threat_model, team):
    assert emails(api(cast.reader).get(USERS)) == ["owner", "reader", "writer"]
    assert emails(api(cast.outsider).get(USERS)) == ["outsider"]
    assert emails(api(cast.admin).get(USERS)) == ["admin", "outsider", "owner", "reader", "writer"]
    assert emails(api(cast.outsider).get(f"{USERS}?email=owner@example.org")) == []
    assert emails(api(cast.reader).get(f"{USERS}?email=OWNER@example.org")) == ["owner"]
    assert emails(api(cast.reader).get(f"{USERS}?search=writ")) == ["writer"]
    assert emails(api(cast.reader).get(f"{USERS}?search=writ&search=OWN")) == ["owner", "writer"]


def test_members_of_a_group_with_access_are_found(cast, api, threat_model):
    group = Group.objects.create(group_name="auditors")
    GroupMember.objects.create(group=group, user=cast.outsider)
    grant_access(threat_model, actor=cast.owner, grant=Grant("reader", group=group))
    assert "outsider" in emails(api(cast.owner).get(USERS))


def test_everyone_makes_nobody_known(cast, api, threat_model):
    grant_access(
        threat_model, actor=cast.owner, grant=Grant("reader", group=Group.objects.get(pk=EVERYONE_ID))
    )
    assert "outsider" not in emails(api(cast.reader).get(USERS))


def test_a_deactivated_person_is_not_offered(cast, api, threat_model):
    cast.writer.is_active = False
    cast.writer.save()
    assert "writer" not in emails(api(cast.owner).get(USERS))
    assert "writer" in emails(api(cast.admin).get(USERS))


@pytest.mark.parametrize(
    "url", [f"{USERS}?nope=1", f"{USERS}?page=0", f"{USERS}?search=%00", f"{GROUPS}?q=1"]
)
def test_bad_parameters_are_named(cast, api, url):
    answer = api(cast.owner).get(url)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] in url


def test_lists_run_a_fixed_number_of_queries(cast, api, threat_model, django_assert_max_num_queries):
    for index in range(12):
        group = Group.objects.create(group_name=f"g{index}")
        GroupMember.objects.create(group=group, user=cast.owner)
    client = api(cast.owner)
    for url in (USERS, GROUPS):
        with django_assert_max_num_queries(5):
            assert client.get(url).status_code == 200


def test_a_group_is_changed_in_the_state_that_if_match_names(cast, api, team):
    client, url = api(cast.admin), f"{GROUPS}/{team.pk}"
    tag = client.get(url).headers["ETag"]
    changed = client.patch(url, {"name": "Red"}, format="json", headers={"If-Match": tag})
    assert data(changed)["name"] == "Red"
    assert client.patch(url, {"name": "X"}, format="json", headers={"If-Match": tag}).status_code == 412
    assert client.delete(url, headers={"If-Match": tag}).status_code == 412
    assert client.delete(url, headers={"If-Match": changed.headers["ETag"]}).status_code == 204


def test_a_group_takes_a_json_patch(cast, api, team):
    client, url = api(cast.admin), f"{GROUPS}/{team.pk}"
    operations = [
        {"op": "replace", "path": "/group_name", "value": "crew"},
        {"op": "add", "path": "/description", "value": "Who sails"},
        {"op": "remove", "path": "/name"},
    ]
    patched = client.patch(url, encode(operations), content_type="application/json-patch+json")
    assert data(patched) == {
        "id": str(team.pk),
        "provider": "*",
        "group_name": "crew",
        "name": None,
        "description": "Who sails",
    }


def test_a_membership_has_an_address(cast, api, team):
    client, url = api(cast.admin), f"{GROUPS}/{team.pk}/members"
    made = client.post(url, {"user_id": str(cast.reader.pk)}, format="json")
    assert client.delete(made.headers["Location"]).status_code == 204


@pytest.fixture
def lists(cast, team, threat_model):
    """The lists of people and groups, each with a field that tells its items apart."""
    for index in range(3):
        group = Group.objects.create(group_name=f"g{index}", name=None if index else "Zero")
        GroupMember.objects.create(group=group, user=cast.owner)
    return {GROUPS: "group_name", USERS: "email", f"{GROUPS}/{team.pk}/members": "email"}


def test_people_and_groups_come_in_any_order_and_by_cursor(cast, api, lists):
    client = api(cast.owner)
    for url, field in lists.items():
        for sort in ("name", "-name", f"-{field}", f"provider,-{field}"):
            whole = data(client.get(f"{url}?sort={sort}"))
            assert len(whole) >= 2
            walked, cursor = [], ""
            while cursor is not None:
                page = client.get(f"{url}?sort={sort}&limit=1&cursor={cursor}")
                walked += data(page)
                cursor = page.json()["meta"]["pagination"]["next_cursor"]
            assert walked == whole
        falling = [one[field] for one in data(client.get(f"{url}?sort=-{field}"))]
        assert falling == sorted(falling, reverse=True)


def test_people_and_groups_are_told_in_part(cast, api, lists):
    for url, field in lists.items():
        assert {tuple(one) for one in data(api(cast.owner).get(f"{url}?fields={field}"))} == {(field,)}
        for query in ("fields=password", "sort=password", "cursor=x"):
            refused = api(cast.owner).get(f"{url}?{query}")
            assert refused.status_code == 400
            assert refused.json()["error"]["details"]["field"] == query.split("=")[0]


def test_what_a_provider_says_of_its_groups_stays(cast, api, browse):
    group = Group.objects.create(provider="acme", group_name="ops")
    GroupMember.objects.create(group=group, user=cast.reader)
    client, url = api(cast.admin), f"{GROUPS}/{group.pk}"
    assert client.patch(url, {"name": "Operations"}, format="json").status_code == 200
    assert client.patch(url, {"group_name": "root"}, format="json").status_code in (400, 409)
    one = {"user_id": str(cast.writer.pk)}
    assert client.post(f"{url}/members", one, format="json").status_code == 409
    assert client.delete(f"{url}/members/{cast.reader.pk}").status_code == 409
    formset = {f"members-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    form = {"group_name": "root", "name": "Ops", **formset}
    browse(cast.admin).post(f"/admin/accounts/group/{group.pk}/change/", form)
    group.refresh_from_db()
    assert (group.group_name, group.name) == ("ops", "Ops")
    assert [member.user for member in group.members.all()] == [cast.reader]


def test_a_group_that_was_deleted_meanwhile_stays_so(cast, team):
    Group.objects.filter(pk=team.pk).delete()
    with pytest.raises(NotFound):
        update_group(team, actor=cast.admin, changes={"name": "Back"})
    assert not Group.objects.filter(pk=team.pk).exists()


def test_a_group_with_access_counts_as_used(cast, threat_model, team):
    before = team.usage_count
    grant_access(threat_model, actor=cast.owner, grant=Grant(role="reader", group=team))
    team.refresh_from_db()
    assert team.usage_count == before + 1
