"""Every address x everybody x live, deleted and somebody else's: generated from the routes themselves."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from tests.security.furniture import Actor, Furnished, World, delete_model, delete_parts, make_world
from tests.security.rules import ACCOUNTS, API, PAGES, Level, Row, level_of
from tmi.api.conformance import document

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# What is deleted or somebody else's is tried by those who would get furthest, and by those who have nothing.
TELLING = {"anonymous", "outsider", "owner", "writer", "everyone"}
STATES = ("live", "deleted model", "deleted part", "another model's")
RANKED = {Level.READ: 1, Level.WRITE: 2, Level.OWN: 3, Level.RESTORE_PART: 2, Level.HOST: 1}
# A body that says too little, or is of another kind, has passed the door.
API_DONE = {200, 201, 202, 204, 400, 409, 415}
PAGE_DONE = {200, 204, 302, 303, 400, 409}
# What a GET needs so that it is answered.
QUERIES = {"export": "?format=tmi"}
OF_THE_MODEL = ("record_id", "cell_id", "entry_id", "decision_id", "delivery_id")


class Route(NamedTuple):
    """`parts` is the route with its parameters as <name>."""

    parts: str
    methods: tuple[str, ...]

    @property
    def address(self) -> str:
        """As the rows of the rules have it."""
        return PARAMETER.sub("{}", self.parts)

    @property
    def parameters(self) -> list[str]:
        return PARAMETER.findall(self.parts)


def routes(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for one in patterns:
        path = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, path)
        elif isinstance(one, URLPattern):
            yield path, one.callback


def all_routes() -> tuple[list[Route], list[Route], list[Route]]:
    """Those of the API, those of the pages, those of accounts; the admin site has its own tests."""
    api, pages, accounts = [], [], []
    for path, view in routes(get_resolver().url_patterns):
        plain = PARAMETER.sub(r"<\1>", path)
        if path.startswith("api/v1/"):
            actions = getattr(view, "actions", None) or {"get": ""}
            api.append(Route(plain.removeprefix("api/v1/"), tuple(name.upper() for name in actions)))
        elif path.startswith(("accounts/", "oauth2/")):
            accounts.append(Route(re.sub(r"[$^]", "", plain), ("GET",)))
        elif not path.startswith(("admin/", "^api/")):
            pages.append(Route(plain, ("GET", "POST")))
    return api, pages, accounts


API_ROUTES, PAGE_ROUTES, ACCOUNT_ROUTES = all_routes()


# -- the table is whole


@pytest.mark.parametrize("route", API_ROUTES, ids=lambda route: route.parts)
def test_every_route_of_the_api_has_one_row_for_each_method(route: Route) -> None:
    for method in route.methods:
        assert len(level_of(API, method, route.address)) == 1, method


@pytest.mark.parametrize("route", PAGE_ROUTES, ids=lambda route: route.parts)
def test_every_page_has_a_row(route: Route) -> None:
    found = [level_of(PAGES, method, route.address) for method in route.methods]
    assert any(found)
    assert all(len(levels) <= 1 for levels in found)


def test_every_page_of_accounts_has_a_row() -> None:
    assert [route.parts for route in ACCOUNT_ROUTES if not level_of(ACCOUNTS, "GET", route.address)] == []


def test_every_operation_of_the_api_schema_is_tried() -> None:
    tried = {(f"/api/v1/{route.address}", method) for route in API_ROUTES for method in route.methods}
    described = {
        (re.sub(r"{\w+}", "{}", path), method.upper())
        for path, operations in document()["paths"].items()
        for method in operations
        if method.upper() in METHODS and path.startswith("/api/v1/")
    }
    assert described - tried == set()


@pytest.mark.parametrize("rows", [API, PAGES], ids=["api", "pages"])
def test_every_row_speaks_of_some_route(rows: list[Row]) -> None:
    known = API_ROUTES if rows is API else PAGE_ROUTES
    unused = [
        row
        for row in rows
        if not any(
            level_of([row], method, route.address) for route in known for method in row.methods.split()
        )
    ]
    assert unused == []


# -- everybody tries everything


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture
def clients(world: World, settings: Any) -> Iterator[dict[str, Client]]:
    # The answers are held against their schemas by the other tests.
    settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if not one.endswith("CheckAnswers")]
    made = {}
    for actor in world.actors:
        made[actor.name] = APIClient(raise_request_exception=False)
        if actor.user is not None:
            made[actor.name].force_login(actor.user)
    gone = next(actor.user for actor in world.actors if actor.name == "deactivated")
    assert gone is not None
    gone.is_active = False
    gone.save()
    # Formatting a line for each of thousands of requests takes longer than to refuse them.
    logging.disable(logging.CRITICAL)
    yield made
    logging.disable(logging.NOTSET)


@pytest.mark.asvs("v5.0.0-8.2.1", "v5.0.0-8.2.2", "v5.0.0-8.3.1")
@pytest.mark.parametrize("state", STATES)
def test_the_api_lets_in_whom_the_table_says(world: World, clients: dict[str, Client], state: str) -> None:
    wrong = []
    enter(world, state)
    for route in relevant(API_ROUTES, state):
        for method in route.methods:
            [level] = level_of(API, method, route.address)
            for actor in trying(world, state):
                address = f"/api/v1/{filled(route, world, actor.at, state)}"
                status = ask(clients[actor.name], method, address)
                wanted = api_statuses(level, actor, state, method)
                if status not in wanted:
                    wrong.append(f"{actor.name}: {method} {route.parts}: {status}, not {sorted(wanted)}")
    assert wrong == [], "\n".join(wrong)


@pytest.mark.asvs("v5.0.0-8.2.1", "v5.0.0-8.2.2", "v5.0.0-8.3.1")
@pytest.mark.parametrize("state", STATES)
def test_the_pages_let_in_whom_the_table_says(world: World, clients: dict[str, Client], state: str) -> None:
    wrong = []
    enter(world, state)
    for route in relevant(PAGE_ROUTES, state):
        for method in route.methods:
            levels = level_of(PAGES, method, route.address)
            for actor in trying(world, state):
                address = f"/{filled(route, world, actor.at, state)}"
                status = ask(clients[actor.name], method, address, page=True)
                wanted = page_statuses(levels[0] if levels else None, actor, state)
                if status not in wanted:
                    wrong.append(f"{actor.name}: {method} {route.parts}: {status}, not {sorted(wanted)}")
    assert wrong == [], "\n".join(wrong)


def test_pages_of_accounts_are_open_to_whom_the_table_says(world: World, clients: dict[str, Client]) -> None:
    wrong = []
    for route in ACCOUNT_ROUTES:
        level = level_of(ACCOUNTS, "GET", route.address)[0]
        path = PARAMETER.sub("1", re.sub(r"\(\?P<\w+>.*?\)", "x", route.parts))
        for name in ("anonymous", "deactivated"):
            status = ask(clients[name], "GET", f"/{path}", page=True)
            let_in = status not in (401, 403, 404, 405, LOGIN)
            if 500 <= status < LOGIN or (level is Level.SIGNED_IN and let_in):
                wrong.append(f"{name}: {path}: {status}")
    assert wrong == [], "\n".join(wrong)


@pytest.mark.asvs("v5.0.0-8.2.1")
def test_the_admin_site_lets_in_administrators_alone(world: World, clients: dict[str, Client]) -> None:
    wrong = []
    for path, _view in routes(get_resolver().url_patterns):
        if not path.startswith("admin/") or "login" in path or "logout" in path or "jsi18n" in path:
            continue
        filled_in = PARAMETER.sub(
            "0190a000-0000-7000-8000-000000000000", re.sub(r"\(\?P<\w+>.*?\)\$?", "x", path)
        )
        for name in ("anonymous", "owner", "deactivated"):
            response = clients[name].get("/" + filled_in.replace("^", ""))
            if response.status_code not in (301, 302, 403, 404):
                wrong.append(f"{name}: {path}: {response.status_code}")
    assert wrong == [], "\n".join(wrong)


# -- how


LOGIN = 1302


def ask(client: Client, method: str, address: str, *, page: bool = False) -> int:
    """The status of an answer, LOGIN for a way to the sign-in page; all that it changed is taken back."""
    with transaction.atomic():
        kind = "application/x-www-form-urlencoded" if page else "application/json"
        body = "at=0" if page else "{}"  # a moment of a diagram; other forms do not know it
        sent = {} if method == "GET" else {"data": body, "content_type": kind}
        response = getattr(client, method.lower())(address, **sent)
        if response.streaming:
            response.close()
        transaction.set_rollback(True)
    if response.status_code == 302 and response["Location"].startswith("/accounts/login/"):
        return LOGIN
    return int(response.status_code)


def trying(world: World, state: str) -> list[Actor]:
    return [actor for actor in world.actors if state == "live" or actor.name in TELLING]


def enter(world: World, state: str) -> None:
    for where in (world.shared, world.open):
        if state == "deleted model":
            delete_model(where)
        elif state == "deleted part":
            delete_parts(where)


def relevant(known: list[Route], state: str) -> list[Route]:
    """Of a deleted part and of another model only those routes speak that name a part, or what is inside."""
    if state == "deleted part":
        return [route for route in known if "record_id" in route.parameters]
    if state == "another model's":
        return [route for route in known if set(route.parameters) & set(OF_THE_MODEL)]
    return known


def filled(route: Route, world: World, at: Furnished, state: str) -> str:
    """The address; for another model's, the way is one's own and all that follows is not."""
    whole = state == "another model's"
    sections = route.parts.split("/")
    values = []
    for section in sections:
        name = PARAMETER.match(section)
        if name:
            given = value(name[1], values, world, at, foreign=whole)
        values.append(given + section[name.end() :] if name else section)
    path = "/".join(values)
    return path + QUERIES.get(sections[-1], "") if sections[0] == "threat_models" else path


def value(name: str, before: list[str], world: World, at: Furnished, *, foreign: bool) -> str:
    if name in ("threat_model_id", "model_id"):
        return (world.theirs if foreign else at).ids["model"]
    if name == "webhook_id" and foreign:
        return world.theirs.ids["webhook_id"]
    if name == "record_id":
        return at.ids[before[-1]]
    if name == "entry_id":
        return at.ids["access" if before[-1] in ("access", "sharing") else "history"]
    if name == "name":
        return {"schemas": "Threat", "start": "iot", "templates": "iot"}.get(before[-1], "markdown")
    return at.ids.get(name) or world.ids[name]


def api_statuses(level: Level, actor: Actor, state: str, method: str) -> set[int]:
    if level is Level.OPEN:
        return API_DONE | {401}
    if actor.rank is None:
        return {401}
    done = {200} if method == "GET" else API_DONE
    if level is Level.ADMIN:
        seen = {403} if actor.name == "group member" else {403, 404}
        return done if actor.name == "administrator" else seen
    if level is Level.SIGNED_IN:
        # A group is seen by its members and by administrators.
        return done | {404}
    if level is Level.MINE:
        return done if actor.name == "owner" else {404}
    return inside(level, actor, state, done)


def page_statuses(level: Level | None, actor: Actor, state: str) -> set[int]:
    if level is Level.OPEN:
        return {200, 302}
    if level is None:
        # No such method there, or (healthz) nothing to do with who asks.
        return {LOGIN, 405} if actor.rank is None else {405}
    if actor.rank is None:
        return {LOGIN}
    return PAGE_DONE if level is Level.SIGNED_IN else inside(level, actor, state, PAGE_DONE)


def inside(level: Level, actor: Actor, state: str, done: set[int]) -> set[int]:
    """What is answered about a threat model."""
    assert actor.rank is not None
    if level is Level.MANAGE:
        return done if actor.rank == 3 and state == "live" else {404}
    if level is Level.RESTORE:
        return done if actor.rank == 3 and state == "deleted model" else {404}
    if actor.rank == 0 or state in ("deleted model", "another model's"):
        return {404}
    if actor.rank < RANKED[level]:
        return {403}
    if level is Level.HOST and state == "live":
        return done if actor.rank == 3 else {403}
    if level is Level.RESTORE_PART:
        return done if state == "deleted part" else {404}
    return {404} if state == "deleted part" else done
