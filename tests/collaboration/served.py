"""A running TMI with people, models and diagrams, for what only a real server and real sockets show."""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import redis
import requests

from tests.collaboration.tab import open_tab
from tests.e2e.site import PASSWORD, Site, start
from tests.threatmodels.drawing import IDS, box, flow

A, B, C, D, E = IDS[:5]
CELLS = [box(A, "trust_boundary"), box(B), flow(C, A, B)]
NAMES = ("owner", "writer", "second", "reader", "outsider", "leaver")


class Served:
    """The server; people are named by what they are in every drawing: owner, writer, second, reader."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site, self.url, self.folder = site, site.url, folder
        made = site.make_people(*map(str.capitalize, NAMES))
        self.ids = {name.lower(): pk for name, pk in made.items()}
        self.redis = redis.Redis(unix_socket_path=str(folder / "run" / "valkey.sock"), decode_responses=True)

    def api(self, name, method, path, body=None):
        return self.site.api(f"{name}@example.org", method, path, body)

    def ticket(self, name):
        return self.api(name, "POST", "/ws/ticket")["ticket"]

    def sql(self, statement, *values):
        """Rows of a statement on the server's own database."""
        where = {"host": str(self.folder / "run"), "user": "tmi", "dbname": "tmi"}
        with psycopg.connect(**where, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else None

    def browser(self, name):
        """A requests.Session that signed in by the page: the cookies of a browser."""
        session = requests.Session()
        page = session.get(f"{self.url}/accounts/login/", timeout=20)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[1]
        form = {"csrfmiddlewaretoken": token, "login": f"{name}@example.org", "password": PASSWORD}
        answer = session.post(f"{self.url}/accounts/login/", form, headers={"Referer": self.url}, timeout=20)
        assert "/accounts/login" not in answer.url, answer.text[:500]
        return session

    def token(self, name):
        """Another sign-in of the person: access token and refresh token."""
        given = {"grant_type": "password", "username": f"{name}@example.org", "password": PASSWORD}
        answer = requests.post(f"{self.url}/api/v1/auth/token", json=given, timeout=20)
        return answer.json()["data"]

    def ticket_of(self, access_token):
        headers = {"Authorization": f"Bearer {access_token}"}
        answer = requests.post(f"{self.url}/api/v1/ws/ticket", headers=headers, timeout=20)
        return answer.json()["data"]["ticket"]


class Drawing:
    """A diagram that the owner shares with two writers and a reader, and the sockets opened at it."""

    def __init__(self, served: Served, cells=CELLS) -> None:
        self.served, self.tabs = served, []
        self.model = served.api("owner", "POST", "/threat_models", {"name": "Shop"})["id"]
        self.path = f"/threat_models/{self.model}"
        for name, role in (("writer", "writer"), ("second", "writer"), ("reader", "reader")):
            self.share(name, role)
        body = {"name": "Main", "diagram_data": {"cells": cells}}
        self.id = served.api("owner", "POST", f"{self.path}/diagrams", body)["id"]
        self.at = f"{self.path}/diagrams/{self.id}"

    def open(self, name="writer", *, since=None, ticket=None):
        """A socket of the person by ticket; nothing was read from it yet."""
        query = {"ticket": ticket or self.served.ticket(name)} | ({} if since is None else {"since": since})
        tab = open_tab(self.served.url, self.id, query=urlencode(query))
        self.tabs.append(tab)
        return tab

    def join(self, name="writer", **more):
        """The same, once the diagram and the participants have come."""
        tab = self.open(name, **more)
        tab.until("participants_update")
        return tab

    def share(self, name, role):
        entry = {"subject_type": "user", "email": f"{name}@example.org", "role": role}
        self.served.api("owner", "POST", f"{self.path}/access", entry)

    def entry(self, name):
        """The address of the person's access entry."""
        entries = self.served.api("owner", "GET", f"{self.path}/access")
        found = next(one["id"] for one in entries if one["user_id"] == self.person(name))
        return f"{self.path}/access/{found}"

    def person(self, name):
        return self.served.ids[name]

    def cells(self):
        found = self.served.api("owner", "GET", f"{self.at}/cells")
        return {cell["id"]: cell for cell in found}

    def vector(self):
        return self.served.api("owner", "GET", self.at)["update_vector"]

    def close(self):
        for tab in self.tabs:
            tab.close()


@contextmanager
def serving(**settings: str):
    """A server with these settings, without the prefix TMI_."""
    # A short path: sockets lie below it.
    folder = Path(tempfile.mkdtemp(prefix="tmi-ws-"))
    try:
        site = start(folder / "d", **{f"TMI_{name}": value for name, value in settings.items()})
        try:
            yield Served(site, folder / "d")
        finally:
            site.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
