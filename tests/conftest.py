"""The cast of every test: an owner, a writer, a reader, an outsider and an administrator."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.models.signals import post_migrate
from django.test import Client
from rest_framework.test import APIClient
from whitenoise.middleware import WhiteNoiseMiddleware

from accounts.models import EVERYONE_ID, Group, User
from threatmodels.actions.access import Grant, grant_access
from threatmodels.actions.threat_model import create_threat_model
from threatmodels.models import ThreatModel

TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def make_user(name: str, **fields: object) -> User:
    """A local account without a password; `name` becomes NAME@example.org."""
    return User.objects.create(
        email=f"{name}@example.org", name=name.capitalize(), email_verified=True, **fields
    )


@dataclass
class Cast:
    owner: User
    writer: User
    reader: User
    outsider: User
    admin: User

    def named(self, name: str) -> User | None:
        """The person of this role; None for anonymous."""
        return getattr(self, name, None)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """With TMI_DATABASE_POSTGRES_ROW_LEVEL_SECURITY=true every test runs with the policies on."""
    if settings.CONFIG.database.postgres.row_level_security:
        with django_db_blocker.unblock():
            call_command("tmi_rls", "enable", stdout=io.StringIO())


@pytest.fixture(scope="session", autouse=True)
def static_files_are_found_once() -> Iterator[None]:
    """Each test client puts the middlewares together anew, and this one would read the whole folder again."""
    read, known = WhiteNoiseMiddleware.add_files, {}

    def add_files(self: Any, root: Any, prefix: Any = None) -> None:
        if self.autorefresh:
            read(self, root, prefix)
            return
        if root not in known:
            read(self, root, prefix)
            known[root] = dict(self.files)
        self.files.update(known[root])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files", add_files)
        yield


@pytest.fixture
def cast(db: None) -> Cast:
    people = {name: make_user(name) for name in ("owner", "writer", "reader", "outsider")}
    return Cast(**people, admin=with_factor(make_user("admin", is_admin=True)))


def with_factor(user: User) -> User:
    """The person with an authenticator app, as the admin site asks of administrators."""
    TOTP.activate(user, TOTP_SECRET)
    return user


@pytest.fixture
def threat_model(cast: Cast) -> ThreatModel:
    """A model of the owner's, shared with the writer and the reader."""
    made = create_threat_model(actor=cast.owner, name="Web shop", description="Sells things")
    grant_access(made, actor=cast.owner, grant=Grant("writer", user=cast.writer))
    grant_access(made, actor=cast.owner, grant=Grant("reader", user=cast.reader))
    return made


@pytest.fixture
def api() -> Callable[[User | None], APIClient]:
    """`api(user)` is a REST client signed in as that person; `api(None)` is anonymous."""

    def client_of(user: User | None) -> APIClient:
        client = APIClient(raise_request_exception=False)
        if user is not None:
            client.force_login(user)
        return client

    return client_of


@pytest.fixture
def browse() -> Callable[[User | None], Client]:
    """`browse(user)` loads pages as that person."""

    def client_of(user: User | None) -> Client:
        client = Client(raise_request_exception=False)
        if user is not None:
            client.force_login(user)
        return client

    return client_of


@pytest.fixture(scope="session", autouse=True)
def everyone_survives() -> Iterator[None]:
    """A transactional test empties all tables; the group of everyone is part of the schema."""
    post_migrate.connect(_restore_everyone, dispatch_uid="tests.everyone")  # also sent by what empties them
    yield
    post_migrate.disconnect(dispatch_uid="tests.everyone")


def _restore_everyone(sender: Any, using: str, **_: Any) -> None:
    if sender.label != "accounts" or "groups" not in connections[using].introspection.table_names():
        return
    names = {"provider": "*", "group_name": "everyone", "name": "Everyone signed in"}
    about = {"description": "Every signed-in person is in this group."}
    Group.objects.using(using).get_or_create(id=EVERYONE_ID, defaults=names | about)
