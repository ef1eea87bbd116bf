"""Role x resource x method, generated: who may do what with each part of a threat model."""

from __future__ import annotations

import pytest

from tests.threatmodels.api.resources import RESOURCES, Resource

ROLES = ["owner", "writer", "reader", "outsider", "admin", "anonymous"]
# What each role is answered. An outsider learns nothing, an administrator has no role here.
READ = {"owner": 200, "writer": 200, "reader": 200, "outsider": 404, "admin": 404, "anonymous": 401}
WRITE = {"reader": 403, "outsider": 404, "admin": 404, "anonymous": 401}
OWN = {**WRITE, "writer": 403}
CODES = {401: "AUTHENTICATION_REQUIRED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}


def check(response, expected):
    assert response.status_code == expected, response.content
    if expected in CODES:
        body = response.json()
        assert body["success"] is False
        assert body["data"] is None
        assert body["error"]["code"] == CODES[expected]
        assert "Web shop" not in response.content.decode()


@pytest.fixture
def base(threat_model):
    return f"/api/v1/threat_models/{threat_model.pk}"


def make(api, cast, base, resource: Resource) -> str:
    response = api(cast.owner).post(f"{base}/{resource.name}", resource.sample, format="json")
    assert response.status_code == 201, response.content
    return f"{base}/{resource.name}/{response.json()['data']['id']}"


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_do_with_a_part_what_the_table_says(api, cast, base, resource, role):
    one = make(api, cast, base, resource)
    client = api(cast.named(role))

    check(client.get(f"{base}/{resource.name}"), READ[role])
    check(client.get(one), READ[role])
    check(client.post(f"{base}/{resource.name}", resource.sample, format="json"), WRITE.get(role, 201))
    check(client.patch(one, resource.change, format="json"), WRITE.get(role, 200))
    check(client.put(one, resource.sample, format="json"), WRITE.get(role, 200))
    check(client.delete(one), WRITE.get(role, 204))
    if role in WRITE:
        api(cast.owner).delete(one)
    check(client.post(f"{one}/restore"), WRITE.get(role, 200))


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
@pytest.mark.parametrize("role", ROLES)
def test_metadata_of_a_part_follows_the_role_on_its_model(api, cast, base, resource, role):
    one = make(api, cast, base, resource)
    client = api(cast.named(role))
    entry = {"key": "ticket", "value": "T-1"}

    check(client.get(f"{one}/metadata"), READ[role])
    check(client.post(f"{one}/metadata", entry, format="json"), WRITE.get(role, 201))
    api(cast.owner).put(f"{one}/metadata/ticket", {"value": "T-2"}, format="json")
    check(client.get(f"{one}/metadata/ticket"), READ[role])
    check(client.put(f"{one}/metadata/ticket", {"value": "T-3"}, format="json"), WRITE.get(role, 200))
    check(client.delete(f"{one}/metadata/ticket"), WRITE.get(role, 204))


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_do_with_the_model_what_the_table_says(api, cast, base, threat_model, role):
    client = api(cast.named(role))

    check(client.get(base), READ[role])
    check(client.patch(base, {"status": "In progress"}, format="json"), WRITE.get(role, 200))
    check(client.put(base, {"name": "Shop"}, format="json"), WRITE.get(role, 200))
    check(client.get(f"{base}/access"), READ[role])
    invitation = {"email": "new@example.org", "role": "reader"}
    check(client.post(f"{base}/access", invitation, format="json"), OWN.get(role, 201))
    entry = f"{base}/access/{threat_model.access_entries.get(user=cast.reader).pk}"
    check(client.patch(entry, {"role": "reader"}, format="json"), OWN.get(role, 200))
    check(
        client.put(f"{base}/access", [], format="json") if role != "owner" else client.get(base),
        OWN.get(role, 200),
    )
    check(client.delete(base), OWN.get(role, 204))
    if role != "owner":
        api(cast.owner).delete(base)
    restore = {"owner": 200, "anonymous": 401}.get(role, 404)
    check(client.post(f"{base}/restore"), restore)


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_a_part_is_not_found_below_another_model(api, cast, base, resource):
    one = make(api, cast, base, resource)
    other = (
        api(cast.owner).post("/api/v1/threat_models", {"name": "Other"}, format="json").json()["data"]["id"]
    )
    elsewhere = f"/api/v1/threat_models/{other}/{resource.name}/{one.rsplit('/', 1)[1]}"

    check(api(cast.owner).get(elsewhere), 404)
    check(api(cast.owner).patch(elsewhere, resource.change, format="json"), 404)
    check(api(cast.owner).delete(elsewhere), 404)
    assert api(cast.owner).get(one).status_code == 200


@pytest.mark.parametrize("role", ["owner", "writer", "reader"])
def test_everything_in_a_deleted_model_is_gone(api, cast, base, role):
    ones = [make(api, cast, base, resource) for resource in RESOURCES]
    api(cast.owner).delete(base)
    for one in ones:
        check(api(cast.named(role)).get(one), 404)
    check(api(cast.named(role)).get(base), 404)
