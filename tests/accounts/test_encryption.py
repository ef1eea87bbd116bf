"""Keys of what is encrypted at rest are changed while everything stays readable."""

from __future__ import annotations

import io

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from tests.conftest import TOTP_SECRET, make_user, with_factor


def stored(user):
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token FROM users WHERE internal_uuid = %s", [user.pk])
        [token] = cursor.fetchone()
    return token, Authenticator.objects.get(user=user, type="totp").data["secret"]


def rotate():
    out = io.StringIO()
    call_command("rotate_encryption", stdout=out)
    return out.getvalue()


@pytest.fixture
def ada(db):
    return with_factor(make_user("ada", access_token="provider-token-1"))


@pytest.mark.asvs("v5.0.0-11.2.2")
def test_everything_is_encrypted_anew_and_the_old_key_may_go(ada, settings):
    old, new = settings.ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    before = stored(ada)
    settings.ENCRYPTION_KEYS = [new, old]
    assert User.objects.get(pk=ada.pk).access_token == "provider-token-1"
    assert rotate().startswith("2 encrypted anew, 0 were")
    assert not set(before) & set(stored(ada))
    assert rotate().startswith("0 encrypted anew, 2 were")
    settings.ENCRYPTION_KEYS = [new]
    assert User.objects.get(pk=ada.pk).access_token == "provider-token-1"
    assert Fernet(new).decrypt(stored(ada)[1].encode()).decode() == TOTP_SECRET


def test_what_no_key_opens_is_said_and_left_alone(ada, settings):
    before = stored(ada)
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match="2 values are under no configured key"):
        rotate()
    assert stored(ada) == before


@pytest.mark.django_db(transaction=True)
def test_the_rotation_overwrites_nothing_newer(settings):
    """A sign-in may write while the command runs: the command replaces only what it has read."""
    user = make_user("late", access_token="first")
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.ENCRYPTION_KEYS]
    written = []

    def write_in_between(execute, sql, params, many, context):
        if 'UPDATE "' in sql and not written:  # row-level security says something before it
            written.append(sql)
            User.objects.filter(pk=user.pk).update(access_token="second")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(write_in_between):
        rotate()
    assert written
    assert User.objects.get(pk=user.pk).access_token == "second"
