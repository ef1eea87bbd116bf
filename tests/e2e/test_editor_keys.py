"""Keys in the editor: where they work, where they do not, and what is seen and reached by them."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import watched
from tests.e2e.drawing import CUSTOMER, ORDERS, Editor, named

PRESSED = """([key, code, more]) => document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true, ...more }))"""
ROOM = """() => {
  const all = (selector) => [...document.querySelectorAll(selector)]
  const fits = (selector) => all(selector).every((one) => one.scrollWidth <= one.clientWidth)
  return [Math.min(...all(".keys dd").map((one) => one.clientWidth)), fits(".dialog"), fits(".keys dt")]
}"""
FRAMED = "getComputedStyle(document.querySelector('#canvas')).outlineStyle !== 'none'"


def test_what_was_ticked_is_taken_back_by_the_keys(editor, cells):
    page = editor.page
    editor.click(590, 160)
    page.get_by_label("Encrypted").check()
    editor.saved()
    page.keyboard.press("Control+z")
    expect(page.locator("#live")).to_have_text("Undone")
    assert "is_encrypted" not in cells()[ORDERS]["properties"]
    page.keyboard.press("Control+y")
    expect(page.locator("#live")).to_have_text("Done again")
    assert cells()[ORDERS]["properties"]["is_encrypted"] is True


def test_keys_in_a_field_of_text_are_those_of_the_field(editor):
    page = editor.page
    editor.click(590, 160)
    page.get_by_label("Description").fill("All orders")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+a")
    expect(page.get_by_role("heading", name="Data store")).to_be_visible()


def test_what_is_made_by_keyboard_lies_on_nothing(editor, cells):
    page = editor.page
    page.locator("#canvas").focus()
    for key in ("p", "d", "e", "t"):
        page.keyboard.press(key)
        page.keyboard.press("Enter")
        editor.type(f"Made {key}")
    page.keyboard.press("Escape")
    for way in ("ArrowRight", "ArrowLeft", "ArrowUp", "ArrowUp"):
        editor.click(330, 190)
        page.keyboard.press(f"Control+{way}")
        editor.type(f"Grown {way}")
    editor.saved()
    boxes = [(one["position"], one["size"]) for one in cells().values() if "position" in one]
    assert len(boxes) == 11
    for (at, size), (other, its) in combinations(boxes, 2):
        beside = at["x"] + size["width"] <= other["x"] or other["x"] + its["width"] <= at["x"]
        below = at["y"] + size["height"] <= other["y"] or other["y"] + its["height"] <= at["y"]
        assert beside or below


def test_escape_closes_a_menu_and_leaves_the_selection(editor):
    page = editor.page
    editor.click(590, 160)
    page.get_by_text("Arrange", exact=True).click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Align left edges")).to_be_hidden()
    expect(page.get_by_role("heading", name="Data store")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Data store")).to_be_hidden()


def test_single_letters_are_for_the_canvas_and_its_tools_alone(editor):
    page = editor.page
    tool = page.locator("#canvas")
    for elsewhere in ("#tab-properties", "#panel-toggle", ".back", "[data-command='zoom.in']"):
        page.locator(elsewhere).focus()
        for key in ("p", "?"):
            page.keyboard.press(key)
        expect(tool).to_have_attribute("data-tool", "select")
        expect(page.locator("dialog")).to_have_count(0)
    page.locator("#palette [data-tool='datastore']").focus()
    page.keyboard.press("p")
    expect(tool).to_have_attribute("data-tool", "process")
    page.locator("#canvas").focus()
    page.keyboard.press("h")
    expect(tool).to_have_attribute("data-tool", "hand")


@pytest.mark.parametrize(
    ("key", "code", "more", "told"),
    [
        ("я", "KeyZ", {"ctrlKey": True}, "Undone"),
        ("ы", "KeyS", {}, None),
        ("х", "BracketLeft", {"ctrlKey": True}, "Behind the others"),
        ("Я", "KeyZ", {"ctrlKey": True, "shiftKey": True}, None),
        # Where French keyboards have it.
        ("a", "KeyQ", {"ctrlKey": True}, "5 elements selected"),
    ],
)
def test_keyboards_of_other_letters_have_the_same_shortcuts(editor, key, code, more, told):
    page = editor.page
    editor.click(590, 160)
    page.keyboard.press("ArrowDown")
    editor.saved()
    page.evaluate(PRESSED, [key, code, more])
    if told:
        expect(page.locator("#live")).to_have_text(told)
    elif key == "ы":
        expect(page.locator("#tab-threats")).to_have_attribute("aria-selected", "true")
    else:
        expect(page.locator("#notices")).to_contain_text("nothing of yours to do again")


@pytest.mark.parametrize(("key", "code"), [("/", "Digit7"), ("?", "Minus")])
def test_a_sign_is_the_sign_wherever_a_keyboard_has_it(editor, key, code):
    editor.page.locator("#canvas").focus()
    editor.page.evaluate(PRESSED, [key, code, {"shiftKey": True}])
    expect(editor.page.locator("dialog")).to_be_visible()


def test_the_numeric_block_without_its_numbers_moves(editor, cells):
    editor.click(590, 160)
    editor.page.evaluate(PRESSED, ["ArrowDown", "Numpad2", {}])
    editor.saved()
    assert cells()[ORDERS]["position"] == {"x": 520, "y": 130}


def test_the_canvas_shows_that_the_keyboard_has_come_to_it(editor):
    page = editor.page
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#canvas")).to_be_focused()
    assert page.evaluate(FRAMED)
    editor.click(590, 160)
    assert not page.evaluate(FRAMED)
    page.keyboard.press("F2")
    expect(page.locator(".label-editor")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#canvas")).to_be_focused()
    assert page.evaluate(FRAMED)


def test_the_view_is_moved_by_keys_and_by_the_hand(editor, cells):
    page = editor.page
    page.locator("#canvas").focus()
    page.keyboard.press("Control+=")
    zoom = page.locator("#zoom")
    expect(zoom).to_have_text("125 %")
    page.keyboard.press("Shift+1")
    expect(zoom).to_have_text("100 %")
    before = editor.at(260, 120)
    page.keyboard.press("h")
    editor.drag((590, 160), (640, 200))
    after = editor.at(260, 120)
    assert (after[0] - before[0], after[1] - before[1]) == pytest.approx((50, 40), abs=2)
    assert cells()[ORDERS]["position"] == {"x": 520, "y": 120}
    page.keyboard.press("v")
    editor.click(590, 160)
    page.keyboard.press("Shift+2")
    expect(zoom).to_have_text("200 %")


def test_text_is_put_down_and_more_is_added_to_a_selection(editor, cells):
    page = editor.page
    page.keyboard.press("t")
    editor.drag((260, 300), (420, 340))
    editor.type("Remember")
    editor.saved()
    assert named(cells(), "Remember")["type"] == "text"
    editor.click(590, 160)
    x, y = editor.at(90, 160)
    for count in ("2 elements selected", "1 element selected"):
        page.keyboard.down("Shift")
        page.mouse.click(x, y)
        page.keyboard.up("Shift")
        if count.startswith("2"):
            expect(page.get_by_role("heading", name=count)).to_be_visible()
    expect(page.get_by_role("heading", name="Data store")).to_be_visible()
    assert CUSTOMER in cells()


def test_the_list_of_keys_names_escape(editor):
    editor.page.locator("#canvas").focus()
    editor.page.keyboard.press("?")
    expect(editor.page.locator(".keys kbd", has_text=re.compile("^Esc$"))).to_have_count(1)


def test_a_narrow_window_reaches_everything(browser_of, model):
    page = watched(browser_of("Owner", viewport={"width": 640, "height": 400}).new_page())
    editor = Editor(page, model)
    page.get_by_role("button", name="All commands").click()
    page.keyboard.type("participants")
    page.keyboard.press("Enter")
    expect(page.locator("#panel-people")).to_be_visible()
    toggle = page.get_by_role("button", name="Show or hide the panel")
    expect(toggle).to_have_attribute("aria-expanded", "true")
    toggle.click()
    expect(page.locator("#panel-people")).to_be_hidden()
    expect(toggle).to_have_attribute("aria-expanded", "false")
    editor.page.locator("#canvas").focus()
    page.keyboard.press("Control+a")
    page.get_by_role("button", name="All commands").click()
    page.get_by_role("option", name="Align left edges").click()
    expect(page.locator("#live")).to_have_text("Aligned")
    editor.saved()
    page.get_by_role("button", name="All commands").click()
    page.get_by_role("combobox").fill("details")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/details"))
    assert page.problems == []


def test_the_panel_of_a_narrow_window_lies_where_reading_ends(browser_of, model):
    page = watched(browser_of("Owner", viewport={"width": 640, "height": 400}).new_page())
    Editor(page, model)
    page.get_by_role("button", name="Show or hide the panel").click()
    edge = "(name) => document.querySelector('.side').getBoundingClientRect()[name]"
    assert page.evaluate(edge, "right") == 640
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert page.evaluate(edge, "left") == 0
    assert page.problems == []


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 800)])
def test_the_list_of_keys_leaves_room_for_what_they_do(browser_of, model, width, height):
    size = {"width": width, "height": height}
    page = Editor(watched(browser_of("Owner", viewport=size).new_page()), model).page
    page.locator("#canvas").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
    told, dialog, keys = page.evaluate(ROOM)
    assert told > 140
    assert dialog
    # No key is broken in two, and none runs into what it does.
    assert keys
