"""Access that is given, changed and taken away by several at once."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import connection, connections, transaction

from accounts.models import AuditEntry
from tests.conftest import make_user
from tests.races import at_once
from threatmodels import access
from threatmodels.actions.access import Grant, change_access, grant_access, replace_access, revoke_access
from threatmodels.models import AccessInvitation, ThreatModelAccess
from tmi.lib.errors import NotFound

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("races")]

ROUNDS, PEOPLE = 5, 8


def outcome(act):
    """What the call came to: done, or not found."""
    try:
        act()
    except NotFound:
        return "gone"
    return "done"


def overtaken(act, by):
    """The outcome of `act` where `by` has happened but is not committed when `act` begins."""

    def other():
        try:
            return outcome(act)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            by()
            asked = pool.submit(other)
            until_somebody_waits(asked)
        return asked.result()


def until_somebody_waits(asked):
    waiting = """SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    for _ in range(500):
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0] or asked.done():
                return
        time.sleep(0.02)


def test_an_entry_is_revoked_once(cast, threat_model):
    for number in range(ROUNDS):
        grant = Grant("reader", user=make_user(f"late-{number}"))
        entry = grant_access(threat_model, actor=cast.owner, grant=grant)
        got = at_once(
            PEOPLE,
            lambda entry=entry: outcome(lambda: revoke_access(threat_model, actor=cast.owner, entry=entry)),
        )
        assert Counter(got) == {"done": 1, "gone": PEOPLE - 1}
        assert AuditEntry.objects.filter(entity_id=entry.pk, action="revoke").count() == 1


def written(client, one, role):
    """The status of a change, or without a role of a removal."""
    answer = client.patch(one, {"role": role}, format="json") if role else client.delete(one)
    return answer.status_code


def test_an_entry_that_was_just_revoked_cannot_be_changed(api, cast, threat_model):
    client = api(cast.owner)
    base = f"/api/v1/threat_models/{threat_model.pk}/access"
    for number in range(ROUNDS):
        grant = Grant("reader", user=make_user(f"late-{number}"))
        one = f"{base}/{grant_access(threat_model, actor=cast.owner, grant=grant).pk}"
        roles = iter([None, *["writer"] * (PEOPLE - 1)])
        got = at_once(PEOPLE, lambda one=one, roles=roles: written(client, one, next(roles)))
        assert set(got) <= {200, 204, 404}
        assert client.patch(one, {"role": "writer"}, format="json").status_code == 404


def test_an_invitation_is_withdrawn_or_accepted_never_both(cast, threat_model):
    for number in range(ROUNDS):
        late = make_user(f"late-{number}")
        grant = Grant("writer", email=late.email)
        invitation = grant_access(threat_model, actor=cast.owner, grant=grant)
        revoke = partial(revoke_access, threat_model, actor=cast.owner, entry=invitation)
        calls = iter([revoke, *[partial(access.get_threat_model, late, threat_model.pk)] * (PEOPLE - 1)])
        at_once(PEOPLE, lambda calls=calls: outcome(next(calls)))
        withdrawn = AuditEntry.objects.filter(entity_id=invitation.pk, action="revoke").exists()
        assert ThreatModelAccess.objects.filter(user=late).exists() is not withdrawn
        assert not AccessInvitation.objects.exists()


def test_who_waits_for_an_invitation_that_is_being_withdrawn_gets_nothing(cast, threat_model):
    """The guest has read the invitation, and waits for the model, while the owner withdraws it."""
    late = make_user("late")
    invitation = grant_access(threat_model, actor=cast.owner, grant=Grant("writer", email=late.email))
    asked = overtaken(
        lambda: access.get_threat_model(late, threat_model.pk),
        lambda: revoke_access(threat_model, actor=cast.owner, entry=invitation),
    )
    assert asked == "gone"
    assert not ThreatModelAccess.objects.filter(user=late).exists()


def test_lists_of_access_are_replaced_one_after_the_other(cast, threat_model):
    lists = [[Grant("reader", user=cast.outsider)], [Grant("writer", user=cast.reader)]]
    for _ in range(ROUNDS):
        calls = iter([lists[number % 2] for number in range(PEOPLE)])
        at_once(
            PEOPLE, lambda calls=calls: replace_access(threat_model, actor=cast.owner, grants=next(calls))
        )
        [entry] = threat_model.access_entries.all()
        assert entry.user in (cast.outsider, cast.reader)


def test_changes_of_one_entry_are_told_one_after_the_other(cast, threat_model):
    entry = threat_model.access_entries.get(user=cast.reader)
    roles = iter(["writer", "owner"] * (PEOPLE // 2))
    at_once(PEOPLE, lambda: change_access(threat_model, actor=cast.owner, entry=entry, role=next(roles)))
    told = AuditEntry.objects.filter(entity_id=entry.pk, action="change").order_by("created_at", "pk")
    chain = [change["role"] for change in told.values_list("changes", flat=True)]
    assert chain[0][0] == "reader"
    assert {pair[0] for pair in chain[1:]} <= {"writer", "owner"}
    assert all(before != after for before, after in chain)
