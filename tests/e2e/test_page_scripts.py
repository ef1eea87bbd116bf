"""What the scripts of the pages do when sign-ins, stores, themes and tabs change under them."""

from __future__ import annotations

import re
from typing import Any

import pypdfium2
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import sign_in
from tests.e2e.site import Site, unique
from tests.e2e.test_pages import base, status

OWNER = "owner@example.org"


def kept(site: Site, model: dict[str, Any], name: str) -> Any:
    return site.api(OWNER, "GET", f"/threat_models/{model['id']}/threats/{model['threat']}")[name]


def sign_out(page: Page) -> None:
    page.goto("/")
    page.locator(".account-menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/accounts/login/|/$"))


@pytest.fixture
def tabs(site: Site, browser_of: Any, model: dict[str, Any]) -> tuple[Page, Page]:
    """Two tabs of a browser with a sign-in of its own, the first at the threat."""
    context: BrowserContext = browser_of(None)
    one, two = context.new_page(), context.new_page()
    sign_in(one, site, "Writer")
    one.goto(f"{base(model)}/threats/{model['threat']}")
    return one, two


def test_what_is_typed_while_signed_out_is_saved_after_a_sign_in_in_another_tab(site, tabs, model):
    threat, other = tabs
    sign_out(other)
    threat.get_by_label("Mitigation").fill("Typed while signed out")
    expect(status(threat)).to_contain_text("You are signed out")
    assert kept(site, model, "mitigation") == "TLS"
    sign_in(other, site, "Writer")
    expect(status(threat)).to_have_text("Saved", timeout=20_000)
    assert kept(site, model, "mitigation") == "Typed while signed out"
    threat.get_by_label("Mitigation").fill("And after it")
    expect(status(threat)).to_have_text("Saved")
    assert kept(site, model, "mitigation") == "And after it"


def test_the_draft_of_one_person_is_not_sent_as_anothers_and_waits_for_them(site, tabs, model):
    threat, other = tabs
    sign_out(other)
    threat.get_by_label("Mitigation").fill("The writer's text")
    expect(status(threat)).to_contain_text("You are signed out")
    sign_in(other, site, "Owner")
    expect(status(threat)).to_contain_text("Somebody else", timeout=20_000)
    threat.close()
    other.goto(f"{base(model)}/threats/{model['threat']}")
    expect(other.get_by_label("Mitigation")).to_have_value("TLS")
    assert kept(site, model, "mitigation") == "TLS"
    sign_out(other)
    sign_in(other, site, "Writer")
    other.goto(f"{base(model)}/threats/{model['threat']}")
    expect(other.get_by_label("Mitigation")).to_have_value("The writer's text")
    expect(status(other)).to_have_text("Saved")
    assert kept(site, model, "mitigation") == "The writer's text"


REFUSE = """for (const name of ["getItem", "setItem", "removeItem"]) {
  Storage.prototype[name] = () => { throw new DOMException("full", "QuotaExceededError") }
}"""


def test_fields_save_themselves_where_the_browser_keeps_nothing(site, page, model):
    page.add_init_script(REFUSE)
    page.goto(f"{base(model)}/threats/{model['threat']}")
    page.get_by_label("Mitigation").fill("Nothing is kept here")
    expect(status(page)).to_have_text("Saved")
    assert kept(site, model, "mitigation") == "Nothing is kept here"
    page.context.set_offline(True)
    page.get_by_label("Mitigation").fill("Offline")
    expect(status(page)).to_contain_text("Keep this page open")


def test_the_shape_of_a_severity_follows_the_choice_in_the_table(page, model):
    page.goto(base(model))
    row = page.get_by_role("row", name=re.compile("Nobody knows"))
    row.get_by_label("Severity").select_option("critical")
    expect(status(page)).to_have_text("Saved")
    shown = row.locator(".inline-severity")
    expect(shown).to_have_class("inline-severity severity-critical")
    expect(shown.locator("svg")).to_have_attribute("data-severity", "critical")
    expect(shown.get_by_label("Severity")).to_have_value("critical")
    assert not page.problems


def test_models_are_found_as_one_types_and_back_leads_to_whole_pages(site, page):
    name = unique("Lookup").replace(" ", "")
    site.api(OWNER, "POST", "/threat_models", {"name": name})
    site.api(OWNER, "POST", "/threat_models", {"name": unique("Something else")})
    page.goto("/")
    words = [name[: 3 + n] for n in range(12)]
    for word in words:
        page.get_by_label("Search").fill(word)
        expect(page).to_have_url(re.compile(f"q={word}&"))
    expect(page.get_by_role("row", name=re.compile(name))).to_have_count(1)
    expect(page.locator("#threat-models")).not_to_contain_text("Something else")
    for word in reversed(words[:-1]):
        page.go_back()
        expect(page.get_by_label("Search")).to_have_value(word)
        expect(page.locator(".site-header")).to_have_count(1)
        expect(page.get_by_role("heading", level=1)).to_have_text("Threat models")
    page.get_by_label("Search").fill(name)
    expect(page.locator("#threat-models tbody tr")).to_have_count(1)
    assert not page.problems


def test_roles_are_given_changed_and_taken_on_the_sharing_page(site, page, model, browser_of):
    site.make_person("Newcomer")
    # Who has opened the model is known by name from then on.
    browser_of("Writer").new_page().goto(base(model))
    page.goto(f"{base(model)}/sharing")
    row = page.locator("tbody tr").filter(has_text="reader@example.org")
    role = row.get_by_label("Role")
    role.focus()
    page.keyboard.press("ArrowDown")
    expect(status(page)).to_have_text("Saved")
    expect(role).to_be_focused()
    page.reload()
    expect(role).to_have_value("writer")
    expect(row.get_by_role("button", name="Set")).to_have_count(0)
    # People whom one shares something with are offered by name.
    page.get_by_label("Email").press_sequentially("writ")
    expect(page.locator("#people-found option[value='writer@example.org']")).to_have_count(1)
    page.get_by_label("Email").fill("newcomer@example.org")
    page.get_by_label("Role", exact=True).last.select_option("reader")
    page.get_by_role("button", name="Give access").click()
    expect(page.get_by_role("status")).to_contain_text("Access given.")
    newcomer = page.get_by_role("row", name=re.compile("newcomer@example.org"))
    newcomer.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("status")).to_contain_text("Access removed.")
    expect(newcomer).to_have_count(0)
    assert not page.problems


def test_everyone_signed_in_is_a_switch_with_a_role(page, model):
    page.goto(f"{base(model)}/sharing")
    switch = page.get_by_role("switch", name="Everyone signed in has access")
    part = page.get_by_role("region", name="Everyone signed in")
    expect(switch).not_to_be_checked()
    part.get_by_label("Role of everyone signed in").select_option("writer")
    switch.press("Space")
    expect(part).to_contain_text("Everyone signed in has access now: Writer.")
    expect(status(page)).to_have_text("Saved")
    expect(switch).to_be_focused()
    page.reload()
    expect(switch).to_be_checked()
    switch.uncheck()
    expect(part).to_contain_text("Only those who are named here")
    page.reload()
    expect(switch).not_to_be_checked()
    assert not page.problems


def test_a_role_that_cannot_be_saved_is_put_back_and_said(site, page, model):
    page.goto(f"{base(model)}/sharing")
    role = page.locator("tbody tr").filter(has_text="reader@example.org").get_by_label("Role")
    page.context.set_offline(True)
    role.select_option("writer")
    expect(status(page)).to_have_text("Not saved: the server cannot be reached.")
    expect(role).to_have_value("reader")
    page.context.set_offline(False)
    [entry] = [
        one
        for one in site.api(OWNER, "GET", f"/threat_models/{model['id']}/access")
        if one["role"] == "reader"
    ]
    site.api(OWNER, "DELETE", f"/threat_models/{model['id']}/access/{entry['id']}")
    role.select_option("writer")
    expect(status(page)).to_contain_text("load the page again")
    expect(role).to_have_value("reader")


def test_without_scripts_roles_are_set_with_a_button(browser_of, model):
    page = browser_of("Owner", java_script_enabled=False).new_page()
    page.goto(f"{base(model)}/sharing")
    row = page.locator("tbody tr").filter(has_text="reader@example.org")
    row.get_by_label("Role").select_option("writer")
    row.get_by_role("button", name="Set").click()
    expect(page.get_by_text("Role changed.")).to_be_visible()


def test_the_focus_stays_on_join_while_the_list_of_sessions_is_renewed(page, model, browser_of):
    drawing = browser_of("Writer").new_page()
    drawing.goto(f"{base(model)}/diagrams/{model['diagram']}")
    expect(drawing.locator("#avatars")).to_be_visible()
    page.goto("/")
    join = page.locator(f"#join-{model['diagram']}")
    expect(join).to_be_visible(timeout=15_000)
    join.focus()
    join.evaluate("link => { link.isOld = true }")
    page.wait_for_function("id => !document.getElementById(id).isOld", arg=f"join-{model['diagram']}")
    expect(join).to_be_focused()


def test_pictures_follow_the_theme_also_later_ones(page, site, model):
    there = f"/threat_models/{model['id']}/diagrams/{model['diagram']}"
    cell = f"{there}/cells/{model['cells'][0]['id']}"
    site.api(OWNER, "PATCH", cell, {"properties": {"label": "Checkout"}})
    page.emulate_media(color_scheme="dark")
    page.goto(f"{base(model)}/diagrams/{model['diagram']}/timeline")
    picture = page.locator("#moment img").first
    expect(picture).to_have_attribute("src", re.compile("theme=dark"))
    page.get_by_label("Moment").fill("1")
    expect(page.locator("#moment")).to_contain_text("After change 1")
    expect(picture).to_have_attribute("src", re.compile("at=1&theme=dark"))
    page.emulate_media(color_scheme="light")
    expect(picture).to_have_attribute("src", re.compile(r"at=1$"))


def test_thumbnails_are_new_while_one_looks_at_them(page, site, model):
    page.clock.install()
    page.goto(base(model))
    picture = page.locator(".tile img")
    picture.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.tile img').naturalWidth > 0")
    cell = f"/threat_models/{model['id']}/diagrams/{model['diagram']}/cells/{model['cells'][0]['id']}"
    site.api(OWNER, "PATCH", cell, {"position": {"x": 900, "y": 900}})
    page.clock.fast_forward(16_000)
    expect(picture).to_have_attribute("src", re.compile("tag="))
    assert not page.problems


def test_thumbnails_are_new_when_one_comes_back_from_drawing(page, site, model):
    page.goto(base(model))
    picture = page.locator(".tile img")
    picture.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.tile img').naturalWidth > 0")
    come_back = "document.dispatchEvent(new Event('visibilitychange'))"
    with page.expect_response(lambda answer: "picture" in answer.url):
        page.evaluate(come_back)
    expect(picture).not_to_have_attribute("src", re.compile("tag="))
    cell = f"/threat_models/{model['id']}/diagrams/{model['diagram']}/cells/{model['cells'][0]['id']}"
    site.api(OWNER, "PATCH", cell, {"position": {"x": 900, "y": 900}})
    page.evaluate(come_back)
    expect(picture).to_have_attribute("src", re.compile("tag="))
    assert not page.problems


def test_what_is_dark_on_the_screen_is_light_on_paper(page, model):
    page.emulate_media(color_scheme="dark")
    page.goto(f"{base(model)}/report")
    look = "document.documentElement.getAttribute('data-bs-theme')"
    page.evaluate(f"addEventListener('beforeprint', () => {{ window.printed = {look} }})")
    assert page.evaluate(look) == "dark"
    page.pdf()
    assert page.evaluate("window.printed") == "light"
    assert page.evaluate(look) == "dark"


def test_a_wide_diagram_is_printed_with_its_heading_on_a_page_that_lies(page, model):
    page.goto(f"{base(model)}/report")
    printed = pypdfium2.PdfDocument(page.pdf(prefer_css_page_size=True))
    sheets = [(one.get_size(), one.get_textpage().get_text_bounded()) for one in printed]
    [(size, said)] = [(size, said) for size, said in sheets if "Diagram: Overview" in said]
    assert size[0] > size[1]
    assert "Considered:" in said


def test_suggestions_are_chosen_by_element_and_their_buttons_stay_in_sight(page, model):
    page.goto(f"/threat-models/{model['id']}/diagrams/{model['diagram']}/suggestions")
    group = page.locator("section", has=page.get_by_role("heading", name="Shop"))
    boxes = group.locator("input[name=pick]")
    all_of = page.get_by_role("checkbox", name="All of Shop")
    all_of.check()
    expect(page.locator("[data-chosen]")).to_have_text(f"{boxes.count()} chosen")
    boxes.last.uncheck()
    expect(page.locator("[data-chosen]")).to_have_text(f"{boxes.count() - 1} chosen")
    expect(all_of).to_have_js_property("indeterminate", True)
    page.locator("input[name=pick]").last.scroll_into_view_if_needed()
    expect(page.get_by_role("button", name="Add as threats")).to_be_in_viewport()
    page.get_by_role("button", name="Add as threats").click()
    expect(page.locator(".alert")).to_contain_text(re.compile("was added|were added"))
    assert not page.problems
