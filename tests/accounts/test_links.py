"""The links that a new instance prints."""

from __future__ import annotations

import re

import pytest
from django.core.management import call_command

from accounts.actions import links
from accounts.actions.demo import demo_user
from accounts.models import User

GOOD = {"email": "root@example.org", "name": "Root", "password": "correct-horse-battery-9"}


@pytest.fixture
def first_admin(db):
    return f"/accounts/first-admin/{links.new_link(links.FIRST_ADMIN)}/"


@pytest.fixture
def demo(db):
    demo_user()
    return f"/accounts/demo/{links.new_link(links.DEMO)}/"


@pytest.mark.asvs("v5.0.0-6.4.1", "v5.0.0-6.3.2", "v5.0.0-2.3.1")
def test_the_first_administrator_is_made_once(browse, first_admin):
    client = browse(None)
    assert client.get(first_admin).status_code == 200
    assert client.post(first_admin, GOOD)["Location"] == "/"
    user = User.objects.get(email=GOOD["email"])
    assert user.is_admin
    assert client.get("/admin/", follow=True).redirect_chain[-1] == ("/accounts/mfa/", 302)
    again = browse(None).post(first_admin, {**GOOD, "email": "eve@example.org"})
    assert again.status_code == 404
    assert not User.objects.filter(email="eve@example.org").exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [({"email": "no"}, "email"), ({"password": "short"}, "password"), ({"name": ""}, "name")],
)
def test_a_mistake_does_not_spend_the_link(browse, first_admin, change, field):
    page = browse(None).post(first_admin, GOOD | change)
    assert page.status_code == 400
    assert f'field-wrong" data-field="{field}"' in page.content.decode()
    assert browse(None).post(first_admin, GOOD).status_code == 302


def test_with_an_administrator_there_is_no_first_one(browse, first_admin, cast):
    assert browse(None).post(first_admin, GOOD).status_code == 404


def test_a_newer_link_ends_the_older(browse, first_admin):
    links.new_link(links.FIRST_ADMIN)
    assert browse(None).get(first_admin).status_code == 404


@pytest.mark.parametrize("secret", ["x", "..", "%00", "a" * 500])
def test_a_guess_gets_nowhere(browse, first_admin, demo, secret):
    for page in ("first-admin", "demo"):
        assert browse(None).get(f"/accounts/{page}/{secret}/").status_code == 404


@pytest.mark.asvs("v5.0.0-15.2.3")
def test_the_demo_link_signs_in_on_this_machine_alone(browse, demo):
    client = browse(None)
    assert client.get(demo)["Location"] == "/"
    assert client.get("/").status_code == 200
    assert browse(None).get(demo, REMOTE_ADDR="192.0.2.7").status_code == 404
    assert browse(None).get(demo, headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 404


def test_the_demo_user_has_no_password(demo):
    assert not demo_user().has_usable_password()


def test_the_links_are_printed_while_they_are_of_use(db, capsys):
    call_command("first_run_links")
    assert "first-admin" in capsys.readouterr().out
    User.objects.create(email="a@example.org", name="A", is_admin=True)
    call_command("first_run_links")
    assert "first-admin" not in capsys.readouterr().out


def test_without_the_demo_its_link_ends(browse, demo, capsys):
    call_command("first_run_links", demo=True)
    [link] = re.findall(r"/accounts/demo/\S+", capsys.readouterr().out)
    assert browse(None).get(link).status_code == 302
    call_command("first_run_links")
    assert "/demo/" not in capsys.readouterr().out
    assert browse(None).get(link).status_code == 404
