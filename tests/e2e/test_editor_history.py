"""The past of a diagram in its editor, laying out, and changes that are larger than one message."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from playwright.sync_api import expect

from tests.e2e.conftest import watched
from tests.e2e.drawing import CUSTOMER, ORDERS, SHOP, Editor
from tests.e2e.furniture import box, cell_id, flow

MANY = 230


def path(model: dict[str, Any], rest: str = "") -> str:
    return f"/threat_models/{model['id']}/diagrams/{model['diagram']}{rest}"


def shapes(editor: Editor) -> set[str | None]:
    found = editor.page.locator(".surface [data-cell-id]").all()
    return {one.get_attribute("data-cell-id") for one in found}


def test_the_history_tells_who_did_what_and_brings_a_moment_back(editor, cells):
    page = editor.page
    page.keyboard.press("p")
    editor.drag((260, 300), (400, 380))
    editor.type("Billing")
    editor.saved()
    page.get_by_role("tab", name="History").click()
    panel = page.locator("#panel-history")
    expect(panel.locator(".operations li").first).to_contain_text("Process “Billing” changed")
    expect(panel.locator(".operations li").nth(1)).to_contain_text("Process")
    expect(panel.locator(".operations li").first).to_contain_text("you")
    panel.get_by_label("Moment").fill("1")
    expect(page.locator("#past")).to_contain_text("As it was after change 1")
    expect(editor.labelled("Billing")).to_have_count(0)
    panel.get_by_role("button", name="Restore this").click()
    expect(page.locator("#past")).to_be_hidden()
    expect(editor.labelled("Billing")).to_have_count(0)
    assert all(cell["properties"].get("label") != "Billing" for cell in cells().values())
    page.locator("#canvas").focus()
    page.keyboard.press("Control+z")
    expect(editor.labelled("Billing")).to_have_count(1)


def test_the_history_tells_the_time_where_the_person_is(site, browser_of, model):
    site.api("writer@example.org", "PATCH", path(model, f"/cells/{ORDERS}"), {"properties": {"label": "All"}})
    [made] = site.api("writer@example.org", "GET", path(model, "/operations?limit=1"))
    there = datetime.fromisoformat(made["timestamp"]).astimezone(ZoneInfo("Asia/Tokyo"))
    site.api("writer@example.org", "PUT", "/me/preferences", {"time_zone": "Asia/Tokyo"})
    try:
        editor = Editor(watched(browser_of("Writer", timezone_id="America/Lima").new_page()), model)
        editor.page.get_by_role("tab", name="History").click()
        expect(editor.page.locator(".operations li").first).to_contain_text(f"{there:%H:%M:%S}")
    finally:
        site.api("writer@example.org", "PUT", "/me/preferences", {})


def test_the_canvas_shows_a_moment_beside_another_and_nobody_edits_the_past(site, page, model):
    owner = "owner@example.org"
    archive = box(9, "process", 520, 300, "Archive")
    site.api(owner, "PUT", path(model, f"/cells/{archive['id']}"), archive)
    site.api(owner, "PATCH", path(model, f"/cells/{CUSTOMER}"), {"position": {"y": 60}})
    site.api(owner, "DELETE", path(model, f"/cells/{ORDERS}"))
    editor = Editor(page, model)
    assert ORDERS not in shapes(editor)
    page.get_by_role("tab", name="History").click()
    panel = page.locator("#panel-history")
    panel.get_by_label("Moment").fill("1")
    expect(editor.cell(ORDERS)).to_have_count(1)
    expect(editor.cell(archive["id"])).to_have_count(0)
    told = panel.locator(".differences")
    expect(told).to_contain_text("Process “Archive” added")
    expect(told).to_contain_text("External entity “Customer” changed: Place")
    expect(told).to_contain_text("Data store “Orders” removed")
    expect(page.locator(".overlay .was-added, .overlay .was-changed, .overlay .was-removed")).to_have_count(4)

    # While one looks back nothing is drawn, and what others draw is seen on return.
    page.locator("#canvas").focus()
    page.keyboard.press("p")
    editor.click(100, 300)
    expect(page.locator(".label-editor")).to_have_count(0)
    later = box(10, "process", 20, 300, "Later")
    site.api(owner, "PUT", path(model, f"/cells/{later['id']}"), later)
    panel.get_by_label("Compared with").fill("2")
    expect(told).to_have_text("1 element is differentProcess “Archive” added")
    assert later["id"] not in shapes(editor)
    page.locator("#canvas").focus()
    page.keyboard.press("Escape")
    expect(page.locator("#past")).to_be_hidden()
    expect(editor.labelled("Later")).to_have_count(1)
    expect(editor.cell(ORDERS)).to_have_count(0)
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    assert page.problems == []


def test_a_reader_looks_back_and_restores_nothing(browser_of, model):
    page = watched(browser_of("Reader").new_page())
    Editor(page, model)
    page.get_by_role("tab", name="History").click()
    page.get_by_label("Moment").fill("0")
    expect(page.locator("#past")).to_be_visible()
    expect(page.locator(".surface [data-cell-id]")).to_have_count(0)
    expect(page.get_by_role("button", name="Restore this")).to_be_hidden()
    expect(page.locator(".operations li").first).to_contain_text("Owner")
    assert page.problems == []


def test_shapes_are_laid_out_along_their_flows_as_one_step(editor, cells):
    page = editor.page
    before = {pk: cell.get("position") for pk, cell in cells().items()}
    page.keyboard.press("Control+k")
    page.keyboard.type("lay out")
    page.keyboard.press("Enter")
    expect(page.locator("#live")).to_have_text("Laid out")
    editor.saved()
    places = {pk: cells()[pk]["position"]["x"] for pk in (CUSTOMER, SHOP, ORDERS)}
    assert places[CUSTOMER] < places[SHOP] < places[ORDERS]
    assert {pk: cell.get("position") for pk, cell in cells().items()} != before
    page.locator("#canvas").focus()
    page.keyboard.press("Control+z")
    expect(page.locator("#live")).to_have_text("Undone")
    assert {pk: cell.get("position") for pk, cell in cells().items()} == before


def test_more_cells_than_one_message_takes_are_moved_and_taken_back_as_one(page, site, model):
    many = [box(100 + n, "process", 200 * (n % 20), 400 + 120 * (n // 20), f"P{n}") for n in range(MANY)]
    many += [flow(1000 + n, 100 + n, 101 + n, "") for n in range(MANY - 1)]
    body = {"diagram_data": {"cells": [*model["cells"], *many]}}
    site.api("owner@example.org", "PATCH", path(model), body)
    first = cell_id(100)

    def place() -> Any:
        return site.api("owner@example.org", "GET", path(model, f"/cells/{first}"))["position"]

    opened = Editor(page, model)
    page.locator("#canvas").focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("ArrowRight")
    opened.saved()
    assert place() == {"x": 10, "y": 400}
    page.keyboard.press("Control+z")
    expect(page.locator("#live")).to_have_text("Undone")
    opened.saved()
    page.wait_for_timeout(300)
    assert place() == {"x": 0, "y": 400}
    last = site.api("owner@example.org", "GET", path(model, f"/cells/{cell_id(100 + MANY - 1)}"))
    assert last["position"]["x"] == 200 * ((MANY - 1) % 20)
    page.keyboard.press("Control+Shift+z")
    page.wait_for_timeout(600)
    assert place() == {"x": 10, "y": 400}
    assert page.problems == []


def test_an_element_carries_assets(editor, cells, model):
    editor.click(590, 160)
    panel = editor.page.locator("#panel-properties")
    panel.get_by_text("Assets").click()
    panel.get_by_label("Card numbers").check()
    editor.saved()
    assert cells()[ORDERS]["data_asset_ids"] == [model["asset"]]
    panel.get_by_label("Card numbers").uncheck()
    editor.saved()
    assert "data_asset_ids" not in cells()[ORDERS]


def test_the_badges_are_explained(editor):
    editor.page.get_by_role("tab", name="Threats").click()
    editor.page.get_by_text("Badges").click()
    expect(editor.page.locator("#threats .legend li")).to_have_count(6)


def test_who_would_like_to_present_asks_the_host(editor, browser_of, model):
    other = Editor(watched(browser_of("Writer").new_page()), model)
    other.page.get_by_role("tab", name="People").click()
    other.page.get_by_role("button", name="Ask to present").click()
    expect(editor.page.locator("#notices")).to_contain_text("Writer would like to present")
    editor.page.get_by_role("tab", name="People").click()
    editor.page.get_by_role("button", name="Make presenter: Writer").click()
    expect(other.page.get_by_role("button", name="Stop presenting")).to_have_count(0)
    expect(editor.page.locator("#panel-people")).to_contain_text("presents")
    assert other.page.problems == []


def test_a_role_lowered_while_drawing_makes_the_page_read_only(site, browser_of, model):
    writer = Editor(watched(browser_of("Writer").new_page()), model)
    entries = site.api("owner@example.org", "GET", f"/threat_models/{model['id']}/access")
    [mine] = [one for one in entries if one["display_name"] == "Writer" or "writer" in (one["email"] or "")]
    entry = f"/threat_models/{model['id']}/access/{mine['id']}"
    site.api("owner@example.org", "PATCH", entry, {"role": "reader"})
    expect(writer.page.locator("#readonly")).to_be_visible()
    writer.page.keyboard.press("p")
    writer.drag((260, 300), (400, 380))
    expect(writer.page.locator(".label-editor")).to_have_count(0)
    assert writer.page.problems == []


def test_who_loses_access_while_drawing_is_told_and_sees_no_more(site, browser_of, model):
    writer = Editor(watched(browser_of("Writer").new_page()), model)
    entries = site.api("owner@example.org", "GET", f"/threat_models/{model['id']}/access")
    [mine] = [one for one in entries if one["display_name"] == "Writer" or "writer" in (one["email"] or "")]
    site.api("owner@example.org", "DELETE", f"/threat_models/{model['id']}/access/{mine['id']}")
    expect(writer.page.locator("#closed")).to_contain_text("may not see this diagram")
    writer.page.goto(f"/threat-models/{model['id']}/diagrams/{model['diagram']}")
    expect(writer.page.get_by_role("heading", level=1)).to_have_text("Not found")


def test_a_second_tab_of_the_same_person_shows_the_same_and_counts_once(editor, browser_of, model):
    second = Editor(editor.page.context.new_page(), model)
    editor.page.keyboard.press("e")
    editor.drag((260, 300), (400, 380))
    editor.type("Partner")
    expect(second.labelled("Partner")).to_be_visible()
    expect(editor.page.locator("#avatars .avatar")).to_have_count(1)
    # What one tab did, the other takes back.
    second.page.locator("#canvas").focus()
    second.page.keyboard.press("Control+z")
    second.page.keyboard.press("Control+z")
    expect(editor.labelled("Partner")).to_have_count(0)
