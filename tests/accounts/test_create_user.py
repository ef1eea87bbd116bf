"""`manage.py create_user`."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.db.models import RestrictedError

from accounts.models import AuditEntry, Group, GroupMember, User

PASSWORD = "correct-horse-battery-9"


def create(monkeypatch, *args, password=None):
    out = io.StringIO()
    if password is not None:
        monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
        args = (*args, "--password-stdin")
    call_command("create_user", *args, stdout=out)
    return User.objects.get(pk=out.getvalue().strip())


def test_an_account_is_made_once_and_completed_later(db, monkeypatch):
    made = create(monkeypatch, "Ann@example.org", "--name", "Ann", password=PASSWORD)
    assert (made.email, made.name, made.is_admin, made.email_verified) == (
        "Ann@example.org",
        "Ann",
        False,
        True,
    )
    assert made.check_password(PASSWORD)
    again = create(monkeypatch, "ann@EXAMPLE.org", "--admin", "--group", "red", "--group", "blue")
    assert again.pk == made.pk
    assert again.is_admin
    assert again.check_password(PASSWORD)
    groups = GroupMember.objects.filter(user=made).values_list("group__group_name", flat=True)
    assert sorted(groups) == ["blue", "red"]
    assert create(monkeypatch, "ann@example.org", "--name", "Anna").name == "Anna"
    before = AuditEntry.objects.count()
    create(monkeypatch, "ann@example.org", "--admin", "--group", "red", password=PASSWORD)
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "two\nlines"])
def test_what_is_no_name_of_a_group_is_one_line_and_nothing_is_made(db, monkeypatch, name):
    groups = Group.objects.count()
    with pytest.raises(CommandError, match=r"^group: "):
        create(monkeypatch, "ann@example.org", "--group", name)
    assert Group.objects.count() == groups
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("email", "password"), [("no address", None), ("a@example.org", "short"), (" ", None)]
)
def test_what_is_wrong_is_one_line_and_nothing_is_made(db, monkeypatch, email, password):
    with pytest.raises(CommandError, match=r"email|password"):
        create(monkeypatch, email, "--group", "red", password=password)
    assert not User.objects.exists()
    assert not GroupMember.objects.exists()


def test_who_owns_models_is_not_deleted(cast, threat_model):
    with pytest.raises((RestrictedError, IntegrityError)), transaction.atomic():
        cast.owner.delete()
    assert User.objects.filter(pk=cast.owner.pk).exists()
