"""A threat model from nothing to deleted, without a mouse."""

from __future__ import annotations

from tests.e2e.conftest import watched
from tests.e2e.site import PASSWORD, unique


def focus(page, name, *, limit=80):
    """Tabs until the element with this accessible name is focused."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate(NAME_OF_FOCUSED) == name:
            assert page.evaluate(OUTLINED), f"nothing shows that {name} is focused"
            return
    raise AssertionError(f"Tab does not reach {name}")


NAME_OF_FOCUSED = """() => {
  const it = document.activeElement
  const label = it.labels?.[0]?.innerText ?? it.getAttribute("aria-label") ?? it.innerText
  return (label || "").replace(/[*\\s]+/g, " ").trim()
}"""
OUTLINED = """() => {
  const style = getComputedStyle(document.activeElement)
  return style.outlineStyle !== "none" || style.boxShadow !== "none"
}"""


def test_a_threat_model_is_made_changed_and_deleted_by_keyboard(browser_of, site):
    page = watched(browser_of(None).new_page())
    name = unique("Kiosk")
    page.goto("/")
    focus(page, "Email")
    page.keyboard.type("owner@example.org")
    focus(page, "Password")
    page.keyboard.type(PASSWORD)
    with page.expect_navigation(url=f"{site.url}/"):
        page.keyboard.press("Enter")

    focus(page, "New threat model")
    page.keyboard.press("Enter")
    page.wait_for_url("**/new")
    focus(page, "Name")
    page.keyboard.type(name)
    focus(page, "Save")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"h1:has-text('{name}')")

    focus(page, "New threat")
    page.keyboard.press("Enter")
    page.wait_for_url("**/threats/new")
    focus(page, "Name")
    page.keyboard.type("The screen is painted over")
    focus(page, "Severity")
    page.keyboard.type("High")
    focus(page, "Save")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('painted over')")
    assert "High" in page.inner_text("main")

    focus(page, name)
    page.keyboard.press("Enter")
    page.wait_for_selector(f"h1:has-text('{name}')")
    focus(page, "More")
    page.keyboard.press("Enter")
    focus(page, "Delete this threat model")
    page.keyboard.press("Enter")
    page.wait_for_url("**/delete")
    focus(page, "Delete")
    page.keyboard.press("Enter")
    page.wait_for_url("**/threat-models/deleted")
    assert name in page.inner_text("main")
    focus(page, "Restore " + name, limit=200)
    page.keyboard.press("Enter")
    page.wait_for_selector(f"h1:has-text('{name}')")
    assert page.problems == []


def test_the_first_tab_skips_to_the_content(page):
    page.goto("/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_escape_closes_a_menu_and_gives_the_focus_back(page):
    page.goto("/")
    focus(page, "Owner")
    page.keyboard.press("Enter")
    assert page.get_by_role("button", name="Sign out").is_visible()
    page.keyboard.press("Escape")
    assert not page.get_by_role("button", name="Sign out").is_visible()
    assert page.evaluate(NAME_OF_FOCUSED) == "Owner"


def test_a_refused_form_keeps_what_was_typed_and_reads_the_errors_first(page, model):
    page.goto(f"/threat-models/{model['id']}/threats/new")
    page.get_by_label("Description").fill("typed with care")
    page.get_by_role("button", name="Save").click()
    page.wait_for_function("document.activeElement.getAttribute('role') === 'alert'")
    assert page.get_by_label("Description").input_value() == "typed with care"
    page.get_by_role("link", name="Name").click()
    assert page.evaluate("document.activeElement.name") == "name"
