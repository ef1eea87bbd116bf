"""What counts once is used by many at once: exactly one wins. More of them, in tests/faults/test_once.py."""

from __future__ import annotations

import itertools
import secrets
import time
from collections import Counter

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client
from rest_framework.test import APIClient

from accounts.actions.authorization import challenge_of, give_code, register_client
from accounts.actions.group import create_group
from accounts.actions.invitation import invite
from accounts.actions.session import end_all_sessions, issue_refresh_token, start_session
from accounts.actions.ticket import issue_ticket, spend_ticket
from accounts.actions.user import create_local_user
from accounts.mfa import use_code
from accounts.models import SignInSession, User
from tests.conftest import TOTP_SECRET, make_user, with_factor
from tests.races import at_once
from tmi.lib.errors import Conflict, ValidationFailed

BACK, VERIFIER = "http://127.0.0.1/back", secrets.token_urlsafe(48)
NEW = {"name": "New", "password": "correct-horse-battery-9"}
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("races")]

ROUNDS, PEOPLE = 2, 20


def post(path, **given):
    return APIClient().post(f"/api/v1/auth/{path}", given, format="json")


def test_a_ticket_lets_one_in():
    session = start_session(make_user("ann"))
    for _ in range(ROUNDS):
        ticket, _until = issue_ticket(session)
        got = at_once(PEOPLE, lambda ticket=ticket: spend_ticket(ticket))
        assert Counter(one is not None for one in got) == {True: 1, False: PEOPLE - 1}


def test_a_refresh_token_is_exchanged_once():
    user = make_user("ann")
    for _ in range(ROUNDS):
        session = start_session(user)
        token = issue_refresh_token(session)
        got = at_once(PEOPLE, lambda token=token: post("refresh", refresh_token=token).status_code)
        # The others came within ten seconds, or else were the sign that somebody has stolen it.
        assert got.count(200) == 1
        assert set(got) <= {200, 409, 401}
        assert session.refresh_tokens.filter(used_at=None).count() == 1


def test_a_code_for_a_program_is_exchanged_once():
    session = start_session(make_user("ann"))
    program = register_client(name="Desk", redirect_uris=[BACK], actor=None)
    given = {"grant_type": "authorization_code", "client_id": program.client_id, "redirect_uri": BACK}
    for _ in range(ROUNDS):
        code = give_code(program, session=session, redirect_uri=BACK, challenge=challenge_of(VERIFIER))
        ask = {**given, "code": code, "code_verifier": VERIFIER}
        got = at_once(PEOPLE, lambda ask=ask: post("token", **ask).status_code)
        assert Counter(got) == {200: 1, 401: PEOPLE - 1}
        # Those who came after the first are the sign that somebody else had it.
        assert not SignInSession.objects.live().filter(client=program).exists()


def test_an_invitation_makes_one_account(settings):
    # What is raced for is the invitation; two hundred slow hashes would only take time.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    for number in range(ROUNDS):
        email = f"new-{number}@example.org"
        _made, secret = invite(email, actor=None)
        path = f"/accounts/invitation/{secret}/"
        got = at_once(PEOPLE, lambda path=path: Client().post(path, NEW).status_code)
        assert Counter(got) == {302: 1, 404: PEOPLE - 1}
        assert User.objects.local().with_email(email).count() == 1


def test_a_code_of_an_app_counts_once():
    for number in range(ROUNDS):
        user = with_factor(make_user(f"ann-{number}"))
        code = format_hotp_value(hotp_value(TOTP_SECRET, int(time.time()) // 30 + 1))
        got = at_once(PEOPLE, lambda user=user, code=code: use_code(user, code))
        assert Counter(one is not None for one in got) == {True: 1, False: PEOPLE - 1}


def test_signing_out_and_refreshing_at_once_end_both():
    user = make_user("ann")
    for _ in range(ROUNDS):
        token = issue_refresh_token(start_session(user))
        turns = itertools.count()

        def act(token=token, turns=turns):
            if next(turns) % 2:
                return post("refresh", refresh_token=token).status_code
            return end_all_sessions(user)

        at_once(PEOPLE, act)
        assert not SignInSession.objects.live().filter(user=user).exists()
        assert post("refresh", refresh_token=token).status_code == 401


def test_a_group_is_made_once():
    admin = make_user("admin", is_admin=True)

    def made():
        try:
            return create_group(actor=admin, group_name="red")
        except Conflict:
            return None

    got = at_once(PEOPLE, made)
    assert sum(one is not None for one in got) == 1


def test_an_account_is_made_once():
    def made():
        try:
            return create_local_user(email="new@example.org")
        except ValidationFailed:
            return None

    got = at_once(PEOPLE, made)
    assert sum(one is not None for one in got) == 1
