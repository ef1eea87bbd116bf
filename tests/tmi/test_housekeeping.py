"""What is past its time goes, what is not stays; at any time, on any node, by one process at a time."""

from __future__ import annotations

import os
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from allauth.account.models import EmailAddress
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.actions.links import DEMO, FIRST_ADMIN, new_link
from accounts.actions.user import join_groups
from accounts.models import AuditEntry, OneTimeLink, User
from tests.conftest import Cast, make_user
from tests.schema.rows import Rows
from threatmodels import log
from threatmodels.actions.diagram import create_diagram
from threatmodels.actions.record import create_record
from threatmodels.models import Diagram, Threat, ThreatModel
from tmi.config import Config
from tmi.housekeeping import run
from tmi.lib import sweep

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def ago(**how: float) -> Any:
    return NOW - timedelta(**how)


@pytest.fixture
def rows() -> Any:
    """Adds rows by SQL and counts those of a table."""
    with connection.cursor() as cursor:
        yield Rows(cursor)


@pytest.fixture
def configured(settings: Any) -> Any:
    """`configured(section, key=value)` changes the configuration."""

    def change(section: str, **values: Any) -> None:
        config: Config = settings.CONFIG
        changed = getattr(config, section).model_copy(update=values)
        settings.CONFIG = config.model_copy(update={section: changed})

    return change


# -- deletions


def test_what_was_deleted_long_ago_is_removed_with_all_that_is_in_it(
    cast: Cast, threat_model: ThreatModel
) -> None:
    kept = ThreatModel.objects.create(
        name="Kept", owner=cast.owner, created_by=cast.owner, deleted_at=ago(days=29)
    )
    create_record(Threat, threat_model=threat_model, actor=cast.owner, name="Spoofed")
    ThreatModel.objects.filter(pk=threat_model.pk).update(deleted_at=ago(days=31))
    removed = run()
    assert removed["threat models"] == 1
    assert [model.pk for model in ThreatModel.objects.all()] == [kept.pk]
    assert not Threat.objects.exists()
    entry = AuditEntry.objects.get(action="purge")
    assert (entry.entity_type, entry.entity_id, entry.actor) == ("threat_model", threat_model.pk, None)


def test_a_part_deleted_long_ago_is_removed_and_its_threat_model_stays(
    cast: Cast, threat_model: ThreatModel
) -> None:
    old, young, live = (
        create_record(Threat, threat_model=threat_model, actor=cast.owner, name=name)
        for name in ("Old", "Young", "Live")
    )
    Threat.objects.filter(pk=old.pk).update(deleted_at=ago(days=31))
    Threat.objects.filter(pk=young.pk).update(deleted_at=ago(days=1))
    assert run()["threats"] == 1
    assert set(Threat.objects.values_list("pk", flat=True)) == {young.pk, live.pk}
    assert AuditEntry.objects.get(action="purge").threat_model_id == threat_model.pk


def test_how_long_a_deletion_can_be_undone_is_configured(threat_model: ThreatModel, configured: Any) -> None:
    ThreatModel.objects.filter(pk=threat_model.pk).update(deleted_at=ago(days=31))
    configured("retention", deleted_days=40)
    run()
    assert ThreatModel.objects.filter(pk=threat_model.pk).exists()


# -- people


@pytest.mark.parametrize(
    ("table", "gone", "stays"),
    [
        ("sign_in_sessions", {"expires_at": ago(days=2)}, {"expires_at": ago(hours=2)}),
        ("sign_in_sessions", {"ended_at": ago(days=2)}, {"ended_at": ago(hours=2)}),
        ("refresh_tokens", {"expires_at": ago(minutes=1)}, {"used_at": ago(minutes=1)}),
        ("socket_tickets", {"expires_at": ago(minutes=1)}, {}),
        ("authorization_codes", {"expires_at": ago(hours=25)}, {"expires_at": ago(hours=23)}),
        ("kept_answers", {"created_at": ago(hours=25)}, {"created_at": ago(hours=23)}),
        ("sign_up_invitations", {"expires_at": ago(days=31)}, {"expires_at": ago(days=29)}),
        ("sign_up_invitations", {"used_at": ago(days=31)}, {"used_at": ago(days=29)}),
    ],
)
def test_what_opens_no_door_any_more_is_forgotten(rows: Rows, table: str, gone: Any, stays: Any) -> None:
    future = {} if table == "kept_answers" else {"expires_at": NOW + timedelta(days=1)}
    old, young = rows.add(table, **future | gone), rows.add(table, **future | stays)
    run()
    assert not rows.has(table, old)
    assert rows.has(table, young)


def test_expired_browser_sessions_and_mailed_links_are_forgotten(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_session VALUES ('old', '', %s), ('young', '', %s)",
            [ago(minutes=1), NOW + timedelta(days=1)],
        )
        cursor.execute(
            'INSERT INTO account_emailaddress (email, verified, "primary", user_id) '
            "VALUES ('a@example.org', false, true, %s) RETURNING id",
            [cast.owner.pk],
        )
        [address] = cursor.fetchone()
        cursor.execute(
            "INSERT INTO account_emailconfirmation (created, key, email_address_id) "
            "VALUES (%s, 'old', %s), (%s, 'young', %s)",
            [ago(days=30), address, NOW, address],
        )
    removed = run()
    assert (removed["browser sessions"], removed["mailed links"]) == (1, 1)


def signed_up(name: str, **fields: Any) -> User:
    """An account as the sign-up page leaves it behind, eight days ago."""
    made = make_user(name, **{"created_at": ago(days=8), **fields})
    User.objects.filter(pk=made.pk).update(email_verified=False)
    EmailAddress.objects.create(user=made, email=made.email, primary=True)
    return made


def accounts() -> set[str]:
    return set(User.objects.values_list("name", flat=True))


def test_an_account_that_nobody_opened_is_removed_and_its_address_is_free(db: None) -> None:
    signed_up("gone")
    signed_up("young", created_at=ago(days=6))
    signed_up("inside", last_login=ago(days=8))
    make_user("made", created_at=ago(days=8))
    signed_up("ada", provider="acme", provider_user_id="1")
    proved = signed_up("proved")
    EmailAddress.objects.filter(user=proved).update(verified=True)
    assert run()["unconfirmed accounts"] == 1
    assert accounts() == {"Young", "Inside", "Made", "Ada", "Proved"}
    assert not EmailAddress.objects.filter(email="gone@example.org").exists()


def test_an_unopened_account_stays_where_anything_belongs_to_it(cast: Cast) -> None:
    owner, member, made, author = (signed_up(name) for name in ("own", "member", "made", "author"))
    ThreatModel.objects.create(name="Kept", owner=owner, created_by=owner)
    join_groups(member, ["Team"], actor=cast.admin)
    audit.write(entity_type="user", entity_id=made.pk, action="create", actor=cast.admin, changes={})
    audit.write(entity_type="user", entity_id=cast.owner.pk, action="update", actor=author, changes={})
    assert run()["unconfirmed accounts"] == 0
    assert {"Own", "Member", "Made", "Author"} <= accounts()


def test_how_long_an_account_waits_is_configured(db: None, configured: Any) -> None:
    signed_up("waiting")
    for days in (0, 30):
        configured("retention", unconfirmed_days=days)
        run()
        assert accounts() == {"Waiting"}


def test_the_link_of_the_first_administrator_goes_when_there_is_one(cast: Cast) -> None:
    new_link(FIRST_ADMIN)
    new_link(DEMO)
    cast.admin.is_admin = False
    cast.admin.save()
    run()
    assert OneTimeLink.objects.count() == 2
    cast.admin.is_admin = True
    cast.admin.save()
    run()
    assert [link.purpose for link in OneTimeLink.objects.all()] == [DEMO]


# -- diagrams


def test_old_operations_go_but_for_the_last_ones_and_those_after_the_checkpoint(
    cast: Cast, threat_model: ThreatModel, rows: Rows, configured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "LEAST_KEPT", 10)
    diagrams = [
        create_diagram(threat_model=threat_model, actor=cast.owner, name=name) for name in ("One", "Two")
    ]
    for diagram, checkpoint in zip(diagrams, (100, 30), strict=True):
        for number in range(1, 101):
            rows.add(
                "diagram_operations", diagram_id=diagram.pk, sequence_number=number, created_at=ago(days=50)
            )
        Diagram.objects.filter(pk=diagram.pk).update(update_vector=100, cells_vector=checkpoint)
    assert run()["operations"] == 0, "by default the log is kept for good"
    configured("collaboration", log_retention_days=60)
    assert run()["operations"] == 0
    configured("collaboration", log_retention_days=40)
    assert run()["operations"] == 90 + 30
    left = [diagram.operations.order_by("sequence_number").first() for diagram in diagrams]
    assert [one.sequence_number for one in left] == [91, 31]


def test_sessions_that_ended_long_ago_are_forgotten_and_stale_ones_end(rows: Rows) -> None:
    table = "collaboration_sessions"
    old, young = rows.add(table, ended_at=ago(days=91)), rows.add(table, ended_at=ago(days=89))
    stale, live = rows.add(table, active_at=ago(hours=1)), rows.add(table)
    run()
    assert not rows.has(table, old)
    assert rows.has(table, young)
    assert rows.get(table, stale, "ended_at") is not None
    assert rows.get(table, live, "ended_at") is None


def test_a_session_that_nobody_is_said_to_have_left_does_not_end_by_silence(rows: Rows) -> None:
    table = "collaboration_sessions"
    silent, left = (rows.add(table, active_at=ago(hours=1)) for _ in range(2))
    rows.add("session_participants", session_id=silent)
    rows.add("session_participants", session_id=left, left_at=ago(hours=1))
    run()
    assert rows.get(table, silent, "ended_at") is None
    assert rows.get(table, left, "ended_at") is not None


# -- webhooks, logs


def test_deliveries_are_kept_for_so_many_days(rows: Rows, configured: Any) -> None:
    old, young = (rows.add("webhook_deliveries", created_at=ago(days=days)) for days in (31, 29))
    assert run()["webhook deliveries"] == 1
    assert not rows.has("webhook_deliveries", old)
    assert rows.has("webhook_deliveries", young)
    configured("webhooks", kept_days=20)
    assert run()["webhook deliveries"] == 1


def test_log_files_that_were_put_aside_long_ago_go_on_a_quiet_server_too(
    db: None, configured: Any, tmp_path: Path
) -> None:
    for name, days in (("tmi.log", 31), ("tmi.log.1", 29), ("tmi.log.2", 31), ("other.log.1", 31)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (ago(days=days).timestamp(),) * 2)
    configured("logging", log_dir=str(tmp_path))
    assert run()["log files"] == 1
    assert {path.name for path in tmp_path.iterdir()} == {"tmi.log", "tmi.log.1", "other.log.1"}


# -- the audit


def test_audit_entries_are_kept_for_good_unless_a_retention_is_configured(
    rows: Rows, configured: Any
) -> None:
    old, young = (rows.add("audit_entries", created_at=ago(days=days)) for days in (401, 399))
    run()
    assert rows.has("audit_entries", old)
    configured("retention", audit_days=400)
    assert run()["audit entries"] == 1
    assert not rows.has("audit_entries", old)
    assert rows.has("audit_entries", young)


@pytest.mark.parametrize(("days", "word"), [(500, ""), (29, "on")], ids=["without the word", "young"])
def test_nothing_else_may_remove_an_audit_entry(rows: Rows, days: int, word: str) -> None:
    key = rows.add("audit_entries", created_at=ago(days=days))
    rows.cursor.execute("SELECT set_config('tmi.retention', %s, true)", [word])
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        rows.delete("audit_entries", key)
    assert rows.has("audit_entries", key)


def test_the_word_holds_for_housekeeping_alone(rows: Rows, configured: Any) -> None:
    configured("retention", audit_days=400)
    rows.add("audit_entries", created_at=ago(days=401))
    assert run()["audit entries"] == 1
    key = rows.add("audit_entries", created_at=ago(days=401))
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        rows.delete("audit_entries", key)


# -- one at a time


@pytest.mark.django_db(transaction=True)
def test_whoever_comes_second_leaves_it_to_the_first(
    cast: Cast, threat_model: ThreatModel, capsys: Any
) -> None:
    ThreatModel.objects.filter(pk=threat_model.pk).update(deleted_at=ago(days=31))
    settings = connection.settings_dict
    where = {"host": settings["HOST"], "user": settings["USER"], "dbname": settings["NAME"]}
    with psycopg.connect(**where) as first:
        first.execute("SELECT pg_advisory_xact_lock(%s)", [sweep.LOCK])
        call_command("housekeeping")
        assert capsys.readouterr().out == "another process is doing it\n"
        assert ThreatModel.objects.filter(pk=threat_model.pk).exists()
    call_command("housekeeping")
    assert "threat models: 1\n" in capsys.readouterr().out
    assert not ThreatModel.objects.filter(pk=threat_model.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_what_somebody_restores_at_this_moment_stays(cast: Cast, threat_model: ThreatModel) -> None:
    ThreatModel.objects.filter(pk=threat_model.pk).update(deleted_at=ago(days=31))
    settings = connection.settings_dict
    where = {"host": settings["HOST"], "user": settings["USER"], "dbname": settings["NAME"]}
    with psycopg.connect(**where) as restoring:
        restoring.execute("UPDATE threat_models SET deleted_at = NULL WHERE id = %s", [threat_model.pk])
        assert run()["threat models"] == 0
    assert ThreatModel.objects.get(pk=threat_model.pk).deleted_at is None


def test_many_rows_go_in_several_turns(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    session = rows.add("sign_in_sessions", expires_at=NOW + timedelta(days=1))
    for _ in range(25):
        rows.add("socket_tickets", session_id=session, ticket=uuid.uuid4().hex, expires_at=ago(minutes=1))
    monkeypatch.setitem(sweep.in_batches.__kwdefaults__, "batch", 10)
    assert run()["tickets"] == 25
