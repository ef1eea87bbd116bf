"""What counts once, used by two hundred at once at two processes, fifty times: exactly one wins."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from accounts.actions.authorization import challenge_of
from tests.collaboration.tab import open_tab
from tests.e2e.site import PASSWORD, Site, start

pytestmark = [pytest.mark.fault, pytest.mark.xdist_group("faults")]

ROUNDS, PEOPLE = 50, 200
VERIFIER, BACK = secrets.token_urlsafe(48), "http://127.0.0.1/back"

INVITE = """
from accounts.actions.invitation import invite
for number in range({rounds}):
    print(invite(f"new-{{number}}@example.org", actor=None)[1])
"""
GIVE_CODES = """
from datetime import timedelta
from accounts.actions import authorization
from accounts.actions.authorization import give_code, register_client
from accounts.actions.session import start_session
from accounts.models import User
authorization.LIFETIME = timedelta(hours=1)
program = register_client(name="Desk", redirect_uris=["{back}"], actor=None)
session = start_session(User.objects.get(email="ann@example.org"))
print(program.client_id)
for _ in range({rounds}):
    print(give_code(program, session=session, redirect_uri="{back}", challenge="{challenge}"))
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="tmi-once-"))
    try:
        limits = {"TMI_COLLABORATION_CONNECTIONS_PER_USER": "500"}
        running = start(folder / "d", TMI_SERVER_ENGINE="uvicorn", TMI_SERVER_PROCESSES="2", **limits)
        running.make_person("Ann")
        yield running
        running.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def crowd() -> Iterator[Callable[[Callable[[], Any]], Counter[Any]]]:
    """`crowd(act)` counts what so many got who began together."""
    with ThreadPoolExecutor(PEOPLE) as pool:

        def ask(act: Callable[[], Any]) -> Counter[Any]:
            gate = threading.Barrier(PEOPLE)

            def one() -> Any:
                gate.wait(120)
                return act()

            return Counter(one.result() for one in [pool.submit(one) for _ in range(PEOPLE)])

        yield ask


def lines(site: Site, code: str) -> list[str]:
    return site.manage("shell", "--no-imports", "-c", code, timeout=300).splitlines()


def asking(site: Site, path: str, **given: str) -> Callable[[], int]:
    url = f"{site.url}/api/v1/auth/{path}"
    return lambda: requests.post(url, json=given, timeout=120).status_code


def test_a_refresh_token_is_exchanged_once(site, crowd):
    for _ in range(ROUNDS):
        tokens = sign_in(site)
        got = crowd(asking(site, "refresh", refresh_token=tokens["refresh_token"]))
        assert got[200] == 1, got
        assert set(got) <= {200, 409, 401}, got


def test_a_code_for_a_program_is_exchanged_once(site, crowd):
    made = GIVE_CODES.format(rounds=ROUNDS, back=BACK, challenge=challenge_of(VERIFIER))
    client_id, *codes = lines(site, made)[-ROUNDS - 1 :]
    given = {"grant_type": "authorization_code", "client_id": client_id, "redirect_uri": BACK}
    for code in codes:
        got = crowd(asking(site, "token", **given, code=code, code_verifier=VERIFIER))
        assert got == {200: 1, 401: PEOPLE - 1}, got


def test_an_invitation_makes_one_account(site, crowd):
    for secret in lines(site, INVITE.format(rounds=ROUNDS))[-ROUNDS:]:
        url = f"{site.url}/accounts/invitation/{secret}/"
        page = requests.get(url, timeout=20)
        form = {
            "name": "New",
            "password": PASSWORD,
            "csrfmiddlewaretoken": page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0],
        }
        cookies = page.cookies.get_dict()

        def accept(url=url, form=form, cookies=cookies):
            return requests.post(
                url,
                form,
                cookies=cookies,
                headers={"Referer": site.url},
                allow_redirects=False,
                timeout=120,
            ).status_code

        assert crowd(accept) == {302: 1, 404: PEOPLE - 1}


def test_a_ticket_opens_one_socket(site, crowd):
    ann = "ann@example.org"
    model = site.api(ann, "POST", "/threat_models", {"name": "Shop"})["id"]
    diagram = site.api(ann, "POST", f"/threat_models/{model}/diagrams", {"name": "Main"})["id"]

    def knock(ticket: str) -> bool:
        tab = open_tab(site.url, diagram, query=f"ticket={ticket}")
        try:
            tab.until("participants_update", timeout=60)
        except AssertionError:
            return False
        finally:
            tab.close()
        return True

    for _ in range(ROUNDS):
        ticket = site.api(ann, "POST", "/ws/ticket")["ticket"]
        got = crowd(lambda ticket=ticket: knock(ticket))
        assert got == {True: 1, False: PEOPLE - 1}, got


def sign_in(site: Site) -> Any:
    given = {"grant_type": "password", "username": "ann@example.org", "password": PASSWORD}
    return requests.post(f"{site.url}/api/v1/auth/token", json=given, timeout=60).json()["data"]
