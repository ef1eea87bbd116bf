"""axe-core on every page, light and dark; no page is wider than a phone; no page breaks its own policy."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.e2e.conftest import watched
from tests.e2e.furniture import furnished

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
ANONYMOUS = ["/api/docs", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/nowhere"]
PAGES = [
    "/",
    "/?q=nothing-is-called-like-this",
    "/threat-models/new",
    "/threat-models/import",
    "/threat-models/deleted",
    "/accounts/password/change/",
    "/accounts/email/",
    "/accounts/logout/",
    "/accounts/preferences/",
    "/accounts/security/",
    "/accounts/sessions/",
    "/accounts/credentials/",
    "/accounts/identities/",
    "/accounts/mfa/",
    "/accounts/mfa/webauthn/",
    "/accounts/reauthenticate/",
    "{model}",
    "{model}/edit",
    "{model}/delete",
    "{model}/import",
    "{model}/history",
    "{model}/report",
    "{model}/suggestions",
    "{model}/diagrams/{diagram}/suggestions",
    "{model}/deleted",
    "{model}/sharing",
    "{model}/diagrams/{diagram}/details",
    "{model}/diagrams/{diagram}/timeline",
    *(
        path
        for kind in ("diagram", "threat", "asset", "document", "note", "repository")
        for path in (
            f"{{model}}/{kind}s/new".replace("ys/", "ies/"),
            f"{{model}}/{kind}s/{{{kind}}}".replace("ys/", "ies/"),
            f"{{model}}/{kind}s/{{{kind}}}/edit".replace("ys/", "ies/"),
        )
    ),
]

# What reaches out of the page, unless it lies in something that scrolls by itself.
TOO_WIDE = """() => [...document.querySelectorAll("body *")].filter((it) =>
  document.documentElement.scrollWidth > innerWidth && it.getBoundingClientRect().right > innerWidth + 1
  && !it.closest(".table-wrap, .picture, .visually-hidden")).map((it) => it.outerHTML.slice(0, 200))"""


def assert_accessible(page: Any) -> None:
    """axe finds nothing on the page, light and dark, and a narrow telephone shows all of it."""
    before = page.viewport_size
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.wait_for_selector(f"html[data-bs-theme={theme}]")
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, f"{page.url} {theme}: {found.generate_report()}"
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate(TOO_WIDE) == [], page.url
    page.set_viewport_size(before)


@pytest.fixture(scope="module")
def known(site: Any) -> dict[str, str]:
    made = furnished(site)
    ids = {name: str(made[name]) for name in ("diagram", "threat", "asset", "document", "note", "repository")}
    return {"model": f"/threat-models/{made['id']}", **ids}


@pytest.mark.parametrize("path", [*(f"anonymous {path}" for path in ANONYMOUS), *PAGES])
def test_page_is_accessible_and_fits(browser_of, known, path):
    who, path = (None, path.split()[1]) if path.startswith("anonymous") else ("Owner", path)
    page = watched(browser_of(who).new_page())
    answer = page.goto(path.format(**known))
    assert answer is not None
    assert_accessible(page)
    if path != "/nowhere":
        assert answer.status == 200
        assert page.problems == []
