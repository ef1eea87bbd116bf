"""Queries whose SQL is put together once: they answer what the queryset would, whatever the values are."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from threading import Thread

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import SignInSession, User
from tests.conftest import make_user
from tmi.lib.compiled import Compiled

pytestmark = pytest.mark.django_db


def of_session(session_id, now):
    return SignInSession.objects.live(now).select_related("user").filter(pk=session_id)


@pytest.fixture
def sessions():
    later = timezone.now() + timedelta(days=1)
    people = [make_user(name) for name in ("ada", "bob")]
    return [SignInSession.objects.create(user=one, expires_at=later) for one in people]


def test_each_call_has_its_own_values(sessions):
    ask = Compiled(of_session, session_id=uuid.UUID, now=datetime)
    for session in (*sessions, sessions[0]):
        with CaptureQueriesContext(connection) as queries:
            [found] = ask(session_id=session.pk, now=timezone.now())
            assert (found, found.user) == (session, session.user)
        assert len(queries) == 1
    assert ask(session_id=uuid.uuid4(), now=timezone.now()) == []
    assert ask(session_id=sessions[0].pk, now=timezone.now() + timedelta(days=2)) == []


def test_rows_may_be_dictionaries_of_columns(sessions):
    ask = Compiled(lambda email: User.objects.filter(email=email).values("email", "name"), email=str)
    user = sessions[1].user
    assert ask(email=user.email) == [{"email": user.email, "name": user.name}]
    assert ask(email="%s' OR 1=1 --") == []


def test_a_value_that_is_no_parameter_is_an_error_at_once():
    ask = Compiled(lambda email, other: User.objects.filter(email=email), email=str, other=str)
    with pytest.raises(TypeError, match="other"):
        ask(email="a", other="b")


@pytest.mark.django_db(transaction=True)
def test_threads_ask_with_their_own_connections(sessions):
    ask = Compiled(of_session, session_id=uuid.UUID, now=datetime)
    ask(session_id=sessions[0].pk, now=timezone.now())
    seen = []

    def look():
        seen.append(ask(session_id=sessions[1].pk, now=timezone.now()))
        connection.close()

    thread = Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [[sessions[1]]]
