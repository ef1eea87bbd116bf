"""What the rules say, in the panel of the editor: added, changed, set aside, and what is covered."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.e2e.conftest import watched
from tests.e2e.drawing import CUSTOMER, Editor

OWNER = "owner@example.org"
TOO_NARROW = """[...document.querySelectorAll("#threats .threats select")].filter((one) => {
  const { font, paddingLeft, paddingRight } = getComputedStyle(one)
  const pen = Object.assign(document.createElement("canvas").getContext("2d"), { font })
  const { width } = pen.measureText(one.selectedOptions[0].text)
  return width + parseFloat(paddingLeft) + parseFloat(paddingRight) > one.clientWidth
}).map((one) => one.selectedOptions[0].text)"""
COLOUR = """(wanted) => {
  const shown = document.body.appendChild(document.createElement("i"))
  shown.style.color = wanted
  const { color } = getComputedStyle(shown)
  shown.remove()
  return color
}"""
AT_CUSTOMER, AT_SHOP = (60, 140), (300, 140)


def panel_of(editor: Editor, at: tuple[int, int] | None = None) -> Any:
    if at:
        editor.click(*at)
    editor.page.get_by_role("tab", name="Threats").click()
    panel = editor.page.locator("#suggestions")
    expect(panel.locator(".suggested > li").first).to_be_visible()
    return panel


def threats(site, model):
    return {
        one["name"]: one for one in site.api(OWNER, "GET", f"/threat_models/{model['id']}/threats?limit=100")
    }


def number(panel: Any) -> int:
    return int(panel.locator("h2 .count").inner_text())


def test_a_suggestion_becomes_a_threat_at_its_element_and_is_not_offered_again(editor, site, model):
    panel = panel_of(editor, AT_CUSTOMER)
    before = number(panel)
    first = panel.locator(".suggested > li").first
    name = first.locator("summary").inner_text()
    first.get_by_role("button", name=f"Add: {name}").click()
    expect(panel.locator("h2 .count")).to_have_text(str(before - 1))
    expect(panel.get_by_text(name, exact=True)).to_have_count(0)
    expect(editor.page.locator("#threats")).to_contain_text(name)
    made = threats(site, model)[name]
    assert (made["cell_id"], made["diagram_id"]) == (CUSTOMER, model["diagram"])


def test_a_suggestion_is_changed_before_it_becomes_a_threat(editor, site, model):
    panel = panel_of(editor)
    panel.get_by_role("button", name="Edit first").first.click()
    form = panel.locator("form")
    expect(form.get_by_label("Name")).to_be_focused()
    form.get_by_label("Name").fill("In our words")
    form.get_by_label("Severity").select_option("low")
    form.get_by_label("Mitigation").fill("Ours")
    form.get_by_role("button", name="Add threat").click()
    expect(editor.page.locator("#threats")).to_contain_text("In our words")
    made = threats(site, model)["In our words"]
    assert (made["severity"], made["mitigation"]) == ("low", "Ours")


def test_what_is_being_rewritten_stays_whatever_else_one_does_until_it_is_cancelled(editor):
    page, panel = editor.page, panel_of(editor)
    first = panel.locator(".suggested > li").first
    suggested = first.locator("summary").inner_text()
    first.get_by_role("button", name="Edit first").click()
    first.get_by_label("Name").fill("In our words")
    panel.locator(".suggested input[type=checkbox]").nth(1).check()
    expect(first.get_by_label("Name")).to_have_value("In our words")
    expect(panel.locator(".suggested input[type=checkbox]").nth(1)).to_be_focused()
    editor.click(*AT_CUSTOMER)
    expect(page.locator("#threats h2")).to_contain_text("Customer")
    page.keyboard.press("Escape")
    expect(page.locator("#threats h2")).to_contain_text("Whole diagram")
    expect(first.get_by_label("Name")).to_have_value("In our words")
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.close(run_before_unload=True)
    expect(page.locator("#notices")).to_contain_text(f"not added yet: {suggested}")
    assert asked == ["beforeunload"]
    first.get_by_role("button", name="Cancel").click()
    first.get_by_role("button", name="Edit first").click()
    expect(first.get_by_label("Name")).to_have_value(suggested)


def test_many_are_added_or_set_aside_at_once(editor, site, model):
    panel = panel_of(editor, AT_SHOP)
    before, known = number(panel), len(threats(site, model))
    assert before > 1
    panel.locator(".suggested input[type=checkbox]").first.check()
    panel.get_by_role("button", name="Chosen: not applicable").click()
    reason = panel.get_by_label("Reason for all that are chosen")
    expect(reason).to_be_focused()
    reason.fill("Behind a gateway")
    reason.press("Enter")
    expect(panel.locator("h2 .count")).to_have_text(str(before - 1))
    path = f"/threat_models/{model['id']}/diagrams/{model['diagram']}/suggestions/decisions"
    assert [one["reason"] for one in site.api(OWNER, "GET", path)] == ["Behind a gateway"]
    panel.get_by_label("All", exact=True).check()
    panel.get_by_role("button", name="Add chosen").click()
    expect(panel).to_contain_text("Nothing is open here")
    assert len(threats(site, model)) == known + before - 1


def test_the_matrix_says_what_was_considered_and_a_category_is_set_aside(editor, site, model):
    panel_of(editor, AT_CUSTOMER)
    coverage = editor.page.locator("#coverage")
    coverage.locator("summary").click()
    entry = coverage.locator("li", has_text="Spoofing")
    expect(entry).to_contain_text("open")
    entry.get_by_role("button", name="Not applicable: Spoofing").click()
    entry.get_by_label("Reason: Spoofing").fill("Everybody is anonymous")
    entry.get_by_role("button", name="Not applicable", exact=True).click()
    expect(coverage.locator("li", has_text="Spoofing")).to_contain_text("Everybody is anonymous")
    editor.page.keyboard.press("Escape")
    editor.page.locator("#canvas").focus()
    editor.page.keyboard.press("Escape")
    row = coverage.locator("tbody tr", has_text="Customer")
    expect(row.locator(".state-not_applicable")).to_have_attribute("title", "Everybody is anonymous")


def test_what_was_set_aside_is_taken_back(editor, site, model):
    cell, path = CUSTOMER, f"/threat_models/{model['id']}/diagrams/{model['diagram']}/suggestions"
    body = {"suggestions": [{"cell_id": cell, "category": "Spoofing"}], "reason": "A mistake"}
    site.api(OWNER, "POST", f"{path}/dismiss", body)
    editor.click(*AT_CUSTOMER)
    editor.page.get_by_role("tab", name="Threats").click()
    coverage = editor.page.locator("#coverage")
    coverage.locator("summary").click()
    coverage.get_by_role("button", name="Open again: Spoofing").click()
    expect(coverage.get_by_role("button", name="Not applicable: Spoofing")).to_be_visible()
    assert site.api(OWNER, "GET", f"{path}/decisions") == []


def test_suggestions_are_gone_through_by_keyboard_and_others_see_the_badges_at_once(
    editor, browser_of, site, model
):
    other = Editor(watched(browser_of("Writer").new_page()), model)
    theirs = panel_of(other)
    page = editor.page
    page.bring_to_front()  # the other's window, opened later, may have taken the focus
    editor.click(*AT_CUSTOMER)
    page.locator("#canvas").focus()
    page.keyboard.press("s")
    panel = page.locator("#suggestions")
    expect(panel.locator(".suggested > li").first.get_by_role("button").first).to_be_focused()
    before, second = number(panel), panel.locator(".suggested summary").nth(1).inner_text()
    offered = number(theirs)
    page.keyboard.press("Enter")
    expect(panel.locator("h2 .count")).to_have_text(str(before - 1))
    expect(panel.get_by_role("button", name=f"Add: {second}")).to_be_focused()
    # Much sooner than the page would look by itself.
    expect(other.cell(CUSTOMER).locator(".badge-mark")).to_have_count(1, timeout=8_000)
    expect(theirs.locator("h2 .count")).to_have_text(str(offered - 1))
    assert other.page.problems == []


def test_who_adds_by_keyboard_stays_in_the_list_though_the_news_overtakes_the_answer(editor):
    page = editor.page

    def later(route: Any) -> None:
        if route.request.method == "GET":
            page.wait_for_timeout(400)
        route.continue_()

    page.route("**/suggestions", later)
    panel = panel_of(editor, AT_CUSTOMER)
    first = panel.locator(".suggested > li").first.get_by_role("button").first
    before, second = number(panel), panel.locator(".suggested summary").nth(1).inner_text()
    first.focus()
    page.keyboard.press("Enter")
    expect(panel.locator("h2 .count")).to_have_text(str(before - 1))
    expect(panel.get_by_role("button", name=f"Add: {second}")).to_be_focused()


def test_a_new_element_is_asked_about_once_it_is_drawn(editor):
    panel = panel_of(editor)
    before = number(panel)
    editor.page.locator("#canvas").focus()
    editor.page.keyboard.press("p")
    editor.drag((260, 300), (400, 380))
    editor.type("Build pipeline")
    editor.page.keyboard.press("Escape")
    expect(panel.locator("h2 .count")).not_to_have_text(str(before))


def test_readers_see_suggestions_and_decide_nothing(browser_of, model):
    editor = Editor(watched(browser_of("Reader").new_page()), model)
    panel = panel_of(editor)
    expect(panel.locator("input[type=checkbox]")).to_have_count(0)
    expect(panel.get_by_role("button", name="Edit first")).to_have_count(0)


def test_the_words_of_a_threat_fit_and_what_is_half_chosen_has_the_one_accent(editor, site, model):
    path = f"/threat_models/{model['id']}/threats/{model['threat']}"
    longest = {"status": "Mitigation in progress", "severity": "informational"}
    site.api(OWNER, "PATCH", path, longest)
    panel = panel_of(editor)
    expect(editor.page.locator("#threats").get_by_label("Status")).to_have_count(1)
    expect(editor.page.locator("#threats .threats select option:checked").last).to_have_text(
        "Mitigation in progress"
    )
    assert editor.page.evaluate(TOO_NARROW) == []
    add = panel.get_by_role("button", name="Add chosen")
    accent = editor.page.evaluate(COLOUR, "var(--accent)")
    expect(add).to_be_disabled()
    expect(add).to_have_css("background-color", accent)
    panel.locator(".suggested input[type=checkbox]").first.check()
    expect(panel.get_by_label("All", exact=True)).to_have_css("background-color", accent)


def test_the_panel_of_threats_is_accessible(editor):
    panel_of(editor)
    editor.page.locator("#coverage summary").click()
    editor.page.locator("#suggestions summary").first.click()
    found = Axe().run(editor.page).response
    assert [(one["id"], [n["html"] for n in one["nodes"]]) for one in found["violations"]] == []
