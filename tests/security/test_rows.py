"""Row-level security: the database alone refuses what a view forgot to refuse."""

from __future__ import annotations

import io
import uuid
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Value

from tests.schema.catalog import our_tables
from tests.security.furniture import World, make_world
from threatmodels import access
from threatmodels.actions.threat_model import create_threat_model, transfer_threat_model
from threatmodels.models import ThreatModel
from tmi.lib import rows

# What belongs to no threat model: people, sign-ins, and what an installation has once.
ELSEWHERE = {
    "users",
    "groups",
    "group_members",
    "sign_in_sessions",
    "refresh_tokens",
    "client_credentials",
    "oauth_clients",
    "authorization_codes",
    "kept_answers",
    "socket_tickets",
    "one_time_links",
    "sign_up_invitations",
    "rule_packs",
}


@pytest.fixture
def policies(db: None, settings: Any) -> None:
    """On for this test, as the configuration would have it."""
    call_command("tmi_rls", "enable", stdout=io.StringIO())
    postgres = settings.CONFIG.database.postgres.model_copy(update={"row_level_security": True})
    database = settings.CONFIG.database.model_copy(update={"postgres": postgres})
    settings.CONFIG = settings.CONFIG.model_copy(update={"database": database})


@pytest.fixture
def world(policies: None) -> World:
    return make_world()


def covered() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT polrelid::regclass::text FROM pg_policy ORDER BY 1")
        return [table for [table] in cursor.fetchall()]


def seen(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchone()[0]


def test_every_table_has_policies_or_is_known_to_need_none(db):
    assert set(covered()) | ELSEWHERE == our_tables()
    assert not set(covered()) & ELSEWHERE


def test_nobody_and_strangers_see_no_row_and_a_reader_sees_those_of_their_model(world):
    reader = next(actor.user for actor in world.actors if actor.name == "reader")
    stranger = uuid.uuid4()
    ours = [table for table in covered() if table != "audit_entries"]
    everything = {table: seen(table) for table in ours}
    with rows.scope(rows.NOBODY):
        assert {table: seen(table) for table in ours} == dict.fromkeys(ours, 0)
    with rows.scope(stranger):
        assert list(ThreatModel.objects.values_list("pk", flat=True)) == [world.open.threat_model.pk]
    with rows.scope(rows.EVERYTHING):
        assert {table: seen(table) for table in ours} == everything
    with rows.scope(reader.pk):
        visible = set(ThreatModel.objects.values_list("pk", flat=True))
        assert visible == {one.threat_model.pk for one in (world.shared, world.open, world.theirs)}
    with rows.scope(next(actor.user for actor in world.actors if actor.name == "outsider").pk):
        visible = set(ThreatModel.objects.values_list("pk", flat=True))
        assert visible == {world.open.threat_model.pk, world.theirs.threat_model.pk}
    assert {table: seen(table) for table in ours} == everything


def test_views_of_the_database_ask_the_policies_too(world):
    with rows.scope(uuid.uuid4()):
        assert seen("threat_model_summary") == 1  # what is shared with everyone
        assert seen("threat_report") == 1


def test_nobody_writes_into_a_model_that_they_do_not_see(world):
    with rows.scope(rows.NOBODY):
        assert ThreatModel.objects.update(name="Taken over") == 0
        assert ThreatModel.objects.all()._raw_delete("default") == 0
    assert not ThreatModel.objects.filter(name="Taken over").exists()


@pytest.mark.asvs("v5.0.0-8.4.1", "v5.0.0-13.2.2")
@pytest.mark.parametrize("on", [False, True], ids=["without the policies", "with the policies"])
def test_a_view_whose_check_was_removed_shows_nothing_with_the_policies(
    request, db, api, browse, monkeypatch, on
):
    if on:
        request.getfixturevalue("policies")
    elif rows.is_on():
        pytest.skip("row-level security is on for all tests of this run")
    world = make_world()
    outsider = next(actor.user for actor in world.actors if actor.name == "outsider")

    def everybody_is_an_owner(user: Any, pk: Any, *, deleted: bool) -> ThreatModel:
        found = (
            ThreatModel.objects.filter(pk=pk).annotate(role_rank=Value(3), is_invited=Value(False)).first()
        )
        if found is None:
            raise access.NotFound
        return found

    monkeypatch.setattr(access, "_load", everybody_is_an_owner)
    base = f"/api/v1/threat_models/{world.shared.ids['model']}"
    threat = f"{base}/threats/{world.shared.ids['threats']}"
    page = f"/threat-models/{world.shared.ids['model']}/history"
    client = api(outsider)
    answers = [client.get(f"{base}/threats"), client.get(threat), client.get(f"{base}/history")]
    answers += [client.patch(threat, {"name": "Taken over"}, format="json"), client.delete(threat)]
    answers += [client.get(f"{base}/export?format=tmi"), browse(outsider).get(page)]
    statuses = {answer.status_code for answer in answers}
    shown = [b"Forged" in answer.content or b"Canary" in answer.content for answer in answers]
    if on:
        assert statuses == {404}
        assert not any(shown)
    else:
        assert 404 not in statuses
        assert any(shown)


def test_an_id_that_an_invisible_row_has_is_a_conflict_as_ever(world, api):
    outsider = next(actor.user for actor in world.actors if actor.name == "outsider")
    bulk = f"/api/v1/threat_models/{world.theirs.ids['model']}/assets/bulk"
    body = [{"id": world.shared.ids["assets"], "name": "Mine", "type": "data"}]
    answer = api(outsider).put(bulk, body, format="json")
    assert answer.status_code == 409, answer.content


def test_the_administrator_sees_everything_in_the_admin_site_alone(world, browse, api):
    admin = next(actor.user for actor in world.actors if actor.name == "administrator")
    listed = browse(admin).get("/admin/threatmodels/threatmodel/").content.decode()
    assert "Canary shop" in listed
    assert api(admin).get(f"/api/v1/threat_models/{world.shared.ids['model']}").status_code == 404


def test_the_command_says_and_takes_back(policies):
    said = io.StringIO()
    call_command("tmi_rls", "status", stdout=said)
    assert "threat_models: on" in said.getvalue()
    call_command("tmi_rls", "disable", stdout=said)
    call_command("tmi_rls", "status", stdout=said)
    assert "threat_models: off" in said.getvalue()


def test_an_owner_hands_over_with_the_policies_on(policies, cast):
    model = create_threat_model(actor=cast.owner, name="Wallet")
    with rows.scope(cast.owner.pk):
        transfer_threat_model(model, actor=cast.owner, owner=cast.writer)
    model.refresh_from_db()
    assert model.owner == cast.writer
