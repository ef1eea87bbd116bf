"""Tables change while people are at work, and it is never a person who has to wait long or fails."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import psycopg
import pytest
from django.core.management import get_commands
from django.db import OperationalError, connection, transaction

from tmi.lib import giving_way as module
from tmi.lib.giving_way import giving_way

pytestmark = pytest.mark.django_db(transaction=True)
HELD_SECONDS = 1.5


@pytest.fixture
def table():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE held (id int)")
        yield "held"
        cursor.execute("DROP TABLE held")


@pytest.fixture
def other():
    """Somebody else's connection."""
    settings = connection.get_connection_params()
    known = {
        name: settings[name] for name in ("host", "port", "dbname", "user", "password") if settings.get(name)
    }
    with closing(psycopg.connect(**known)) as opened:
        yield opened


def change(tries):
    def carry_out():
        tries.append(time.monotonic())
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE held ADD COLUMN name text")

    return carry_out


def test_a_change_waits_until_the_table_is_free_and_holds_up_nobody(table, other):
    other.execute("INSERT INTO held VALUES (1)")
    release = threading.Timer(HELD_SECONDS, other.commit)
    release.start()
    tries, told = [], []
    giving_way(change(tries), connection, told.append)
    release.join()
    assert len(tries) > 1
    assert len(told) == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM held WHERE name IS NULL")
        assert cursor.fetchone() == (1,)
        # Not for the session: what comes later waits as it always does.
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


def test_it_gives_up_in_the_end_and_other_faults_are_told_at_once(table, other, monkeypatch):
    monkeypatch.setattr(module, "GIVE_UP_SECONDS", 0.0)
    other.execute("INSERT INTO held VALUES (1)")
    with pytest.raises(OperationalError):
        giving_way(change([]), connection, str)
    other.rollback()

    def broken():
        raise OperationalError("no more connections")

    with pytest.raises(OperationalError, match="no more"):
        giving_way(broken, connection, str)


def test_migrate_is_the_one_that_gives_way():
    assert get_commands()["migrate"] == "tmi"
