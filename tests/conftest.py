"""The cast of every test: an owner, a writer, a reader, an outsider and an administrator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import EVERYONE_ID, Group, User
from threatmodels.actions.access import Grant, grant_access
from threatmodels.actions.threat_model import create_threat_model
from threatmodels.models import ThreatModel


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


@pytest.fixture
def cast(db: None) -> Cast:
    people = {name: make_user(name) for name in ("owner", "writer", "reader", "outsider")}
    return Cast(**people, admin=make_user("admin", is_admin=True))


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


@pytest.fixture(autouse=True)
def everyone_survives(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[None]:
    """A transactional test empties all tables; the group of everyone is part of the schema."""
    yield
    if "transactional_db" in request.fixturenames or _is_transactional(request):
        with django_db_blocker.unblock():
            _restore_everyone()


def _is_transactional(request: pytest.FixtureRequest) -> bool:
    mark = request.node.get_closest_marker("django_db")
    return mark is not None and bool(mark.kwargs.get("transaction"))


def _restore_everyone() -> None:
    names = {"provider": "*", "group_name": "everyone", "name": "Everyone signed in"}
    about = {"description": "Every signed-in person is in this group."}
    Group.objects.get_or_create(id=EVERYONE_ID, defaults=names | about)
