"""Other addresses of a local account: what counts for an address counts for whoever proved it."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress

from accounts.actions.user import create_local_user
from accounts.models import AuditEntry, User
from tests.accounts.test_sign_up import mailing, sink  # noqa: F401  fixtures
from tests.conftest import make_user
from threatmodels.models import AccessInvitation

PASSWORD = "correct-horse-battery-9"
EMAIL = "/accounts/email/"


@pytest.fixture
def ann(db):
    return create_local_user(email="ann@example.org", name="Ann", password=PASSWORD)


@pytest.fixture
def anns(ann, browse):
    """Her browser, freshly signed in, in which she has proved herself once more."""
    client = browse(None)
    client.post("/accounts/login/", {"login": ann.email, "password": PASSWORD})
    client.post(f"/accounts/reauthenticate/?next={EMAIL}", {"password": PASSWORD})
    return client


def add(client, email):
    return client.post(EMAIL, {"action_add": "", "email": email})


def choose(client, email):
    return client.post(EMAIL, {"action_primary": "", "email": email})


@pytest.mark.asvs("v5.0.0-7.5.1")
def test_an_address_is_changed_only_by_whoever_knows_the_password(ann, browse):
    client = browse(None)
    client.force_login(ann)
    assert add(client, "new@example.org")["Location"].startswith("/accounts/reauthenticate/")
    assert not EmailAddress.objects.filter(email="new@example.org").exists()


def test_an_address_that_is_not_proved_does_not_become_the_accounts(ann, anns):
    add(anns, "boss@example.org")
    choose(anns, "boss@example.org")
    anns.post(EMAIL, {"action_remove": "", "email": ann.email})
    choose(anns, "boss@example.org")
    ann.refresh_from_db()
    assert (ann.email, ann.email_verified) == ("ann@example.org", True)


def test_an_unproved_address_opens_no_model_that_was_shared_with_it(browse, db, threat_model, cast):
    """An account of an open instance without mail may call itself anything."""
    eve = create_local_user(email="eve@example.org", name="Eve", password=PASSWORD)
    EmailAddress.objects.filter(user=eve).update(verified=False)
    AccessInvitation.objects.create(
        threat_model=threat_model, email="boss@example.org", role="owner", granted_by=cast.owner
    )
    client = browse(None)
    client.post("/accounts/login/", {"login": eve.email, "password": PASSWORD})
    client.post(f"/accounts/reauthenticate/?next={EMAIL}", {"password": PASSWORD})
    add(client, "boss@example.org")
    choose(client, "boss@example.org")
    eve.refresh_from_db()
    assert eve.email == "boss@example.org"
    assert not eve.email_verified
    assert client.get(f"/threat-models/{threat_model.pk}").status_code == 404
    changed = AuditEntry.objects.get(entity_id=eve.pk, action="update").changes
    assert changed["email"] == [None, "changed"]


@pytest.mark.parametrize("name", ["bob@example.org", "BOB@example.org"])
def test_the_address_of_another_local_account_is_refused(anns, ann, name):
    create_local_user(email="bob@example.org", name="Bob", password=PASSWORD)
    EmailAddress.objects.filter(user=ann).update(verified=False)
    for answer in (add(anns, name), choose(anns, name), choose(anns, name.lower())):
        assert answer.status_code < 500
    ann.refresh_from_db()
    assert ann.email == "ann@example.org"


def test_two_accounts_that_added_one_address_do_not_both_get_it(anns, ann, browse):
    """Neither has proved it: whoever comes first has it, and the other is told, not shown an error."""
    EmailAddress.objects.filter(user=ann).update(verified=False)
    add(anns, "team@example.org")
    other = create_local_user(email="bob@example.org", name="Bob", password=PASSWORD)
    EmailAddress.objects.filter(user=other).update(verified=False)
    bobs = browse(None)
    bobs.post("/accounts/login/", {"login": other.email, "password": PASSWORD})
    bobs.post(f"/accounts/reauthenticate/?next={EMAIL}", {"password": PASSWORD})
    add(bobs, "team@example.org")
    assert choose(anns, "team@example.org").status_code < 500
    assert choose(bobs, "team@example.org").status_code < 500
    assert User.objects.local().with_email("team@example.org").count() == 1


def test_an_account_of_a_provider_hides_no_address(anns):
    make_user("shared", provider="google", provider_user_id="1")
    assert add(anns, "shared@example.org").status_code < 500


def test_an_address_is_taken_over_once_its_mail_was_answered(ann, anns, mailing):  # noqa: F811
    add(anns, "second@example.org")
    assert mailing.mails[-1][0] == ["second@example.org"] or any(
        to == ["second@example.org"] for to, _ in mailing.mails
    )
    [link] = re.findall(r"https?://\S+?(/accounts/confirm-email/\S+)", mailing.text())
    anns.post(link)
    choose(anns, "second@example.org")
    ann.refresh_from_db()
    assert (ann.email, ann.email_verified) == ("second@example.org", True)
    told = [to for to, mail in mailing.mails if "hanged" in str(mail["Subject"])]
    assert ["ann@example.org"] in told


def test_what_a_person_does_with_addresses_and_password_is_written_down(ann, anns):
    add(anns, "second@example.org")
    anns.post(EMAIL, {"action_remove": "", "email": "second@example.org"})
    new = "another-horse-battery-9"
    given = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    anns.post("/accounts/password/change/", given)
    ann.refresh_from_db()
    assert ann.check_password(new)
    entries = AuditEntry.objects.filter(entity_id=ann.pk, actor=ann)
    told = dict(entries.values_list("action", "changes"))
    assert told["add_email"] == told["remove_email"] == {}
    assert told["set_password"] == {}
