"""What an analyst does on the pages, in a real browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import watched


def base(model: dict[str, Any]) -> str:
    return f"/threat-models/{model['id']}"


@pytest.fixture
def threat(page: Page, model: dict[str, Any]) -> Page:
    page.goto(f"{base(model)}/threats/{model['threat']}")
    return page


def status(page: Page) -> Any:
    return page.locator("#save-status")


def test_a_field_saves_itself_while_one_types_and_the_heading_follows(site, threat, model):
    threat.get_by_label("Name", exact=False).first.fill("Orders leak")
    expect(status(threat)).to_have_text("Saved")
    expect(threat.get_by_role("heading", level=1)).to_have_text("Orders leak")
    threat.get_by_label("Severity").select_option("critical")
    threat.get_by_label("Mitigated").check()
    expect(status(threat)).to_have_text("Saved")
    kept = site.api("owner@example.org", "GET", f"/threat_models/{model['id']}/threats/{model['threat']}")
    assert (kept["name"], kept["severity"], kept["mitigated"]) == ("Orders leak", "critical", True)
    assert not threat.problems


def test_what_is_typed_without_a_connection_is_kept_and_saved_when_it_is_back(site, threat, model):
    threat.context.set_offline(True)
    threat.get_by_label("Description").fill("Typed in a tunnel")
    expect(status(threat)).to_contain_text("Offline")
    threat.context.set_offline(False)
    expect(status(threat)).to_have_text("Saved", timeout=20_000)
    kept = site.api("owner@example.org", "GET", f"/threat_models/{model['id']}/threats/{model['threat']}")
    assert kept["description"] == "Typed in a tunnel"


def test_what_was_typed_survives_a_closed_tab(site, threat, model):
    threat.route("**/field", lambda route: route.abort())
    threat.get_by_label("Mitigation").fill("Signed messages")
    expect(status(threat)).to_contain_text("Offline")
    asked: list[str] = []
    threat.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    threat.close(run_before_unload=True)
    again = threat.context.new_page()
    again.goto(f"{base(model)}/threats/{model['threat']}")
    expect(again.get_by_label("Mitigation")).to_have_value("Signed messages")
    there = f"/threat_models/{model['id']}/threats/{model['threat']}"
    for _ in range(50):
        kept = site.api("owner@example.org", "GET", there)["mitigation"]
        if kept == "Signed messages":
            break
        again.wait_for_timeout(100)
    assert kept == "Signed messages"
    assert asked == ["beforeunload"]


def test_two_people_at_one_field_see_both_texts_and_one_decides(site, threat, model, browser_of):
    other = browser_of("Writer").new_page()
    other.goto(f"{base(model)}/threats/{model['threat']}")
    other.get_by_label("Mitigation").fill("Theirs")
    expect(status(other)).to_have_text("Saved")
    threat.get_by_label("Mitigation").fill("Mine")
    expect(status(threat)).to_contain_text("somebody else")
    expect(threat.locator(".theirs")).to_have_text("Theirs")
    expect(threat.get_by_label("Mitigation")).to_have_value("Mine")
    threat.get_by_role("button", name="Keep my text").click()
    expect(status(threat)).to_have_text("Saved")
    kept = site.api("owner@example.org", "GET", f"/threat_models/{model['id']}/threats/{model['threat']}")
    assert kept["mitigation"] == "Mine"


def test_what_cannot_be_saved_says_why_at_its_field_and_stays(threat):
    threat.get_by_label("Score").fill("11")
    expect(threat.locator('[data-field="score"] .field-errors')).to_be_visible()
    expect(threat.get_by_label("Score")).to_have_value("11")
    threat.get_by_label("Score").fill("7.1")
    expect(threat.locator('[data-field="score"] .field-errors')).to_have_count(0)
    expect(status(threat)).to_have_text("Saved")


def test_the_cvss_calculator_writes_the_vector_and_shows_the_score(threat):
    threat.get_by_text("CVSS calculator").click()
    threat.get_by_role("button", name="3.1").click()
    chosen = {"AV": "N", "AC": "L", "PR": "N", "UI": "N", "S": "U", "C": "H", "I": "H", "A": "H"}
    for metric, value in chosen.items():
        threat.locator(f'[name="3.1-{metric}"][value="{value}"]').check(force=True)
    expect(threat.get_by_label("CVSS vector")).to_have_value("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
    expect(threat.get_by_label("Score")).to_have_value("9.8")
    expect(threat.locator("[data-score]")).to_have_text("9.8")


def test_a_weakness_is_found_by_words_and_added(threat):
    threat.get_by_text("Find a weakness").click()
    threat.get_by_label("Words of its name").fill("cross-site request")
    threat.get_by_role("button", name="CWE-352").click()
    expect(threat.get_by_label("CWE", exact=True)).to_have_value("CWE-352")
    expect(threat.locator("#weaknesses")).to_contain_text("CWE-352 Cross-Site Request Forgery")
    expect(status(threat)).to_have_text("Saved")
    assert not threat.problems


def test_risk_follows_likelihood_and_severity(threat):
    threat.get_by_label("Likelihood").select_option("high")
    expect(threat.locator("#risk")).to_contain_text("High")
    threat.get_by_role("button", name="Set as the risk level").click()
    expect(threat.get_by_label("Risk level")).to_have_value("high")
    expect(status(threat)).to_have_text("Saved")


def test_a_threat_leads_to_its_element_and_back(threat, model):
    threat.locator("main .head").get_by_role("link", name="order").click()
    threat.wait_for_url(re.compile(rf"/diagrams/{model['diagram']}#"))


def test_threats_are_changed_in_the_table_and_many_at_once(site, page, model):
    page.goto(base(model))
    row = page.get_by_role("row", name=re.compile("Nobody knows"))
    row.get_by_label("Severity").select_option("critical")
    expect(status(page)).to_have_text("Saved")
    page.get_by_label("Choose all on this page").check()
    bar = page.locator("#bulk")
    expect(bar).to_contain_text("2 chosen")
    bar.get_by_label("Status").select_option("Accepted")
    bar.get_by_role("button", name="Change all").click()
    expect(page.get_by_role("status").filter(has_text="2 threats were changed")).to_be_visible()
    rows = site.api("owner@example.org", "GET", f"/threat_models/{model['id']}/threats")
    assert {one["status"] for one in rows} == {"Accepted"}
    assert "critical" in {one["severity"] for one in rows}
    assert not page.problems


def test_the_status_of_saving_is_seen_where_one_edits_and_goes_away(page, model):
    page.set_viewport_size({"width": 390, "height": 400})
    page.goto(base(model))
    page.wait_for_load_state()
    expect(status(page)).to_be_hidden()
    severity = page.get_by_label("Severity: Nobody knows")
    severity.scroll_into_view_if_needed()
    expect(page.get_by_role("heading", level=1)).not_to_be_in_viewport()
    page.context.set_offline(True)
    severity.select_option("critical")
    expect(status(page)).to_contain_text("Offline")
    expect(status(page)).to_be_visible()
    expect(status(page)).to_be_in_viewport(ratio=1)
    page.context.set_offline(False)
    expect(status(page)).to_have_text("Saved", timeout=20_000)
    expect(status(page)).to_be_hidden(timeout=20_000)


def test_what_became_of_many_threats_is_told_where_they_are(page, model):
    page.set_viewport_size({"width": 1280, "height": 400})
    page.goto(base(model))
    page.get_by_label("Choose Nobody knows who ordered").check()
    page.get_by_role("button", name="Change all").click()
    said = page.locator("#threats .messages")
    expect(said).to_have_text("Choose up to 200 threats, and what to change.")
    expect(said).to_be_in_viewport()
    page.get_by_label("Choose Nobody knows who ordered").check()
    page.locator("#bulk").get_by_label("Status").select_option("Accepted")
    page.get_by_role("button", name="Change all").click()
    expect(said).to_have_text("1 threat was changed.")
    expect(said).to_be_in_viewport()
    expect(page.locator(".messages")).to_have_count(1)


def test_filters_say_how_many_there_are_and_are_cleared(page, model):
    page.goto(base(model))
    part, found = page.locator("#threats"), page.locator("#found")
    expect(part.get_by_role("link", name="Clear")).to_have_count(0)
    part.locator("#severity").select_option("low")
    expect(found).to_have_text("1 threat found")
    expect(part.get_by_role("heading", level=2)).to_have_text("Threats 1 of 2")
    expect(page.get_by_role("navigation", name="Sections")).to_contain_text("Threats 1 of 2")
    page.get_by_label("Choose Nobody knows who ordered").check()
    expect(page.locator("#chosen")).to_have_text("1 chosen")
    part.get_by_role("link", name="Clear").click()
    expect(part.get_by_role("heading", level=2)).to_have_text("Threats 2")
    page.goto("/")
    page.get_by_label("Search").fill("no model is called so")
    expect(found).to_have_text("0 threat models found")
    page.get_by_role("link", name="Clear").click()
    expect(page.get_by_label("Search")).to_have_value("")
    assert not page.problems


@pytest.mark.parametrize("width", [390, 1280])
def test_the_controls_of_a_threat_have_room(page, model, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(base(model))
    row = page.get_by_role("row", name=re.compile("Nobody knows"))
    row.get_by_label("Status").select_option("Mitigation in progress")
    row.get_by_label("Priority").select_option(index=1)
    expect(status(page)).to_have_text("Saved")
    for name in ("Severity", "Status", "Priority"):
        control = row.get_by_label(name)
        control.scroll_into_view_if_needed()
        expect(control).to_be_in_viewport(ratio=1)
    # What the choice needs without a limit is what it has.
    cut = "one => { const has = one.offsetWidth; one.style.maxWidth = 'none'; return one.offsetWidth - has }"
    assert row.get_by_label("Status").evaluate(cut) == 0
    wrap = page.locator("#threat-table .table-wrap")
    assert wrap.evaluate("one => one.scrollLeft") == 0


def test_a_note_is_shown_as_it_will_be_read_while_one_types(page, model):
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{base(model)}/notes/{model['note']}")
    page.get_by_label("Content").fill("## Plan\n\n**Now** <script>alert(1)</script>")
    expect(page.locator("#preview strong")).to_have_text("Now")
    expect(page.locator("#preview strong")).to_be_in_viewport()
    expect(page.locator("#preview")).to_contain_text("<script>alert(1)</script>")
    assert not page.problems


def test_the_time_slider_shows_the_diagram_as_it_was_and_brings_it_back(site, page, model):
    owner, there = "owner@example.org", f"/threat_models/{model['id']}/diagrams/{model['diagram']}"
    cell = model["cells"][0]
    site.api(owner, "PATCH", f"{there}/cells/{cell['id']}", {"properties": {"label": "Checkout"}})
    page.goto(f"{base(model)}/diagrams/{model['diagram']}/timeline")
    expect(page.locator("#moment")).to_contain_text("Now")
    page.get_by_label("Moment").fill("1")
    expect(page.locator("#moment")).to_contain_text("After change 1 of 2")
    expect(page.locator("#differences-title")).to_be_visible()
    expect(page.locator("#moment table")).to_contain_text("Checkout")
    page.get_by_role("button", name="Restore this").click()
    expect(page.get_by_role("status").filter(has_text="again what it was")).to_be_visible()
    assert site.api(owner, "GET", f"{there}/cells/{cell['id']}")["properties"]["label"] == "Shop"
    assert not page.problems


def test_the_dashboard_shows_who_draws_now_with_a_way_to_join(page, model, browser_of):
    drawing = browser_of("Writer").new_page()
    drawing.goto(f"{base(model)}/diagrams/{model['diagram']}")
    expect(drawing.locator("#avatars")).to_be_visible()
    page.goto("/")
    live = page.locator(".live li").filter(has_text="Writer").first
    expect(live).to_contain_text("Web shop", timeout=15_000)
    live.get_by_role("link", name="Join").click()
    page.wait_for_url(re.compile("/diagrams/"))


def test_a_reader_finds_no_fields(browser_of, model):
    reader = watched(browser_of("Reader").new_page())
    for rest in ("", f"/threats/{model['threat']}", f"/notes/{model['note']}"):
        reader.goto(base(model) + rest)
        assert reader.locator("[data-autosave]").count() == 0
    assert not reader.problems


def test_preferences_change_theme_and_time_zone(browser_of):
    page = watched(browser_of("Reader").new_page())
    page.goto("/accounts/preferences/")
    page.get_by_label("Dark").check()
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(page.locator("html")).to_have_attribute("data-time-zone", "Asia/Tokyo")
    page.get_by_label("As the system has it").check()
    page.get_by_label("Time zone").select_option("")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html")).not_to_have_attribute("data-time-zone", "Asia/Tokyo")
