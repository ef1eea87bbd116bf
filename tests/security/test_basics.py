"""Requirements of ASVS that no other test happens to show: passwords, files, programs, addresses."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest
from django.test import RequestFactory

from accounts.actions.user import create_local_user
from tests.accounts.test_sign_up import PASSWORD
from tmi.address import client_address
from tmi.config import BASE_DIR

CHANGE = "/accounts/password/change/"
APPS = ("accounts", "threatmodels", "collaboration", "tmi")
# These start engines, web processes and housekeeping, from the configuration alone.
STARTERS = {
    "tmi/engines/account.py",
    "tmi/engines/process.py",
    "tmi/engines/postgres.py",
    "tmi/engines/valkey.py",
    "tmi/server/children.py",
    "tmi/server/supervisor.py",
}


@pytest.fixture
def ann(db: None) -> Any:
    return create_local_user(email="ann@example.org", name="Ann", password=PASSWORD)


@pytest.fixture
def hers(ann: Any, browse: Any) -> Any:
    client = browse(None)
    client.post("/accounts/login/", {"login": ann.email, "password": PASSWORD})
    return client


def change(client: Any, new: str, old: str = PASSWORD) -> None:
    client.post(CHANGE, {"oldpassword": old, "password1": new, "password2": new})


@pytest.mark.asvs("v5.0.0-1.2.5")
def test_no_part_that_people_reach_starts_a_program() -> None:
    starting = set()
    for app in APPS:
        for path in (BASE_DIR / app).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                imported = isinstance(node, ast.Import) and any(
                    one.name == "subprocess" for one in node.names
                )
                called = isinstance(node, ast.Attribute) and node.attr in (
                    "system",
                    "popen",
                    "execv",
                    "spawnv",
                )
                if imported or called or (isinstance(node, ast.ImportFrom) and node.module == "subprocess"):
                    starting.add(path.relative_to(BASE_DIR).as_posix())
    assert starting <= STARTERS


@pytest.mark.asvs("v5.0.0-6.2.3")
def test_a_new_password_asks_for_the_old_one(ann: Any, hers: Any) -> None:
    change(hers, "another-horse-battery-7", old="not-the-old-one-1")
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


@pytest.mark.asvs("v5.0.0-6.2.5", "v5.0.0-6.2.8", "v5.0.0-6.2.9")
@pytest.mark.parametrize(
    "new",
    [
        "только слова и пробелы 🙂",
        " begins and ends with a space ",
        "x7-" * 40,
        'quotes " and \\ and <b> & %00',
        "UPPER and lower Case 9",
    ],
)
def test_any_characters_make_a_password_and_it_is_checked_as_typed(
    ann: Any, hers: Any, browse: Any, new: str
) -> None:
    change(hers, new)
    ann.refresh_from_db()
    assert ann.check_password(new)
    for other in {new.strip(), new.lower(), new[:72]} - {new}:
        assert not ann.check_password(other)
    answer = browse(None).post("/accounts/login/", {"login": ann.email, "password": new})
    assert answer["Location"] == "/"


@pytest.mark.asvs("v5.0.0-6.2.6", "v5.0.0-6.2.7")
@pytest.mark.parametrize("path", ["/accounts/login/", CHANGE])
def test_passwords_are_masked_and_managers_of_passwords_can_fill_them_in(
    hers: Any, browse: Any, path: str
) -> None:
    page = (browse(None) if "login" in path else hers).get(path).content.decode()
    fields = [one for one in re.findall(r"<input[^>]*>", page) if "password" in one]
    assert fields
    for one in fields:
        assert 'type="password"' in one
        assert re.search(r'autocomplete="(current|new)-password"', one)
        assert "onpaste" not in one


@pytest.mark.asvs("v5.0.0-7.4.4")
def test_every_page_has_the_way_out(hers: Any) -> None:
    for path in ("/", "/threat-models/new", "/threat-models/import", "/accounts/preferences/", "/webhooks"):
        assert "/accounts/logout/" in hers.get(path).content.decode(), path


@pytest.mark.asvs("v5.0.0-13.4.1", "v5.0.0-13.4.3")
@pytest.mark.parametrize(
    "path",
    [".git/HEAD", ".git/config", "static/", "static/css/", "static/../tmi/settings.py", ".env", "var/"],
)
def test_no_folder_is_listed_and_nothing_of_the_repository_served(browse: Any, db: None, path: str) -> None:
    assert browse(None).get(f"/{path}").status_code in (302, 404)
    assert browse(None).get(f"/{path}", follow=True).status_code == 404


@pytest.mark.asvs("v5.0.0-4.1.3", "v5.0.0-15.3.4")
@pytest.mark.parametrize(
    ("direct", "forwarded", "believed"),
    [
        ("192.0.2.1", "10.9.9.9", "192.0.2.1"),
        ("10.0.0.5", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.5", "1.2.3.4, 192.0.2.7", "192.0.2.7"),
        ("10.0.0.5", "1.2.3.4, 10.0.0.6", "1.2.3.4"),
        ("10.0.0.5", "", "10.0.0.5"),
    ],
)
def test_a_forwarded_address_is_believed_of_configured_proxies_alone(
    settings: Any, direct: str, forwarded: str, believed: str
) -> None:
    server = settings.CONFIG.server.model_copy(update={"trusted_proxies": ["10.0.0.0/24"]})
    settings.CONFIG = settings.CONFIG.model_copy(update={"server": server})
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = RequestFactory().get("/", REMOTE_ADDR=direct, headers=headers)
    assert client_address(request) == believed
