"""A real browser against a real server."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.e2e.drawing import Editor
from tests.e2e.furniture import furnished
from tests.e2e.jitter import disturb
from tests.e2e.site import PASSWORD, Site, start

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One server and one browser do for all of them: they stay in one process."""
    for item in items:
        if "tests/e2e" in item.nodeid:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    # A short path: sockets lie below it.
    folder = Path(tempfile.mkdtemp(prefix="tmi-e2e-"))
    try:
        running = start(folder / "d")
        running.make_people("Owner", "Writer", "Reader")
        running.make_person("Admin", "--admin")
        yield running
        running.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, NAMES)), None) or playwright.chromium.executable_path
    if not Path(path).exists():
        give_up = pytest.fail if os.environ.get("NEED_BROWSER") else pytest.skip
        give_up("no Chromium or Chrome on PATH (Debian and Ubuntu: apt install chromium)")
    browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def states(site: Site, chromium: Browser) -> Callable[[str], Any]:
    """The cookies of a person who signed in by the page, once for all tests."""
    known: dict[str, Any] = {}

    def state_of(name: str) -> Any:
        if name not in known:
            context = chromium.new_context()
            sign_in(context.new_page(), site, name)
            known[name] = context.storage_state()
            context.close()
        return known[name]

    return state_of


def sign_in(page: Page, site: Site, name: str) -> None:
    page.goto(f"{site.url}/accounts/login/")
    page.get_by_label("Email").fill(f"{name.lower()}@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{site.url}/")


@pytest.fixture
def browser_of(
    site: Site, chromium: Browser, states: Callable[[str], Any]
) -> Iterator[Callable[..., BrowserContext]]:
    """`browser_of("Owner")` is a browser in which that person is signed in; `None` is nobody."""
    opened: list[BrowserContext] = []

    def open_for(name: str | None, **options: Any) -> BrowserContext:
        state = states(name) if name else None
        context = chromium.new_context(storage_state=state, base_url=site.url, **options)
        context.set_default_timeout(15_000)
        disturb(context)
        opened.append(context)
        return context

    yield open_for
    for context in opened:
        context.close()


@pytest.fixture
def page(browser_of: Callable[..., BrowserContext]) -> Page:
    """A page of the owner's; what the browser complains about fails the test."""
    return watched(browser_of("Owner").new_page())


def watched(page: Page) -> Page:
    """Errors of scripts and of the content policy are raised when the page is closed or asked for."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(error.stack or str(error)))
    page.on(
        "console",
        lambda m: problems.append(f"{m.text} {m.location.get('url')}") if m.type == "error" else None,
    )
    page.problems = problems  # type: ignore[attr-defined]
    return page


@pytest.fixture
def model(site: Site) -> dict[str, Any]:
    """A threat model of the owner's with one of everything, shared with the writer and the reader."""
    return furnished(site)


@pytest.fixture
def cells(site: Site, model: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """The cells as the server has them, by id."""

    def read() -> dict[str, Any]:
        path = f"/threat_models/{model['id']}/diagrams/{model['diagram']}/cells"
        return {cell["id"]: cell for cell in site.api("owner@example.org", "GET", path)}

    return read


@pytest.fixture
def editor(page: Page, model: dict[str, Any]) -> Iterator[Editor]:
    """The owner's page of the diagram of `model`; what the browser complains about fails the test."""
    opened = Editor(page, model)
    yield opened
    assert page.problems == []  # type: ignore[attr-defined]
