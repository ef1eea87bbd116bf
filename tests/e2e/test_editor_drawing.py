"""Whole diagrams by mouse, by keys alone and by touch; and what else one does to what is drawn."""

from __future__ import annotations

import struct
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import watched
from tests.e2e.drawing import CUSTOMER, ORDER, ORDERS, SAVE, SHOP, Editor, named
from tests.e2e.furniture import box, cell_id, flow

OWNER = "owner@example.org"


def diagram(site: Any, model: dict[str, Any], name: str, cells: Any = ()) -> dict[str, Any]:
    """The model with another diagram in place of its own."""
    body = {"name": name, "diagram_data": {"cells": list(cells)}}
    made = site.api(OWNER, "POST", f"/threat_models/{model['id']}/diagrams", body)
    return {**model, "diagram": made["id"]}


def stored(site: Any, model: dict[str, Any]) -> dict[str, Any]:
    path = f"/threat_models/{model['id']}/diagrams/{model['diagram']}/cells"
    return {cell["properties"]["label"]: cell for cell in site.api(OWNER, "GET", path)}


def test_a_whole_diagram_is_drawn_by_mouse(page, site, model):
    model = diagram(site, model, "By mouse")
    editor = Editor(page, model)
    canvas = page.locator("#canvas").bounding_box()
    places = {"External entity": (150, 200), "Process": (400, 200), "Data store": (650, 200)}
    for tool, (x, y) in places.items():
        page.get_by_role("toolbar").get_by_role("button", name=tool).hover()
        page.mouse.down()
        page.mouse.move(canvas["x"] + x, canvas["y"] + y, steps=5)
        page.mouse.up()
        editor.type(tool)
    # A boundary around the store, drawn from corner to corner.
    page.get_by_role("toolbar").get_by_role("button", name="Trust boundary").click()
    page.mouse.move(canvas["x"] + 560, canvas["y"] + 100)
    page.mouse.down()
    page.mouse.move(canvas["x"] + 760, canvas["y"] + 300, steps=5)
    page.mouse.up()
    editor.type("Inside")
    for source, target, name in (("External entity", "Process", "asks"), ("Process", "Data store", "keeps")):
        page.get_by_role("toolbar").get_by_role("button", name="Data flow").click()
        (x, y), (far, low) = places[source], places[target]
        page.mouse.move(canvas["x"] + x, canvas["y"] + y)
        page.mouse.down()
        page.mouse.move(canvas["x"] + far, canvas["y"] + low, steps=6)
        page.mouse.up()
        editor.type(name)
    editor.saved()
    made = stored(site, model)
    assert {name: cell["type"] for name, cell in made.items()} == {
        "External entity": "external_entity", "Process": "process", "Data store": "datastore",
        "Inside": "trust_boundary", "asks": "data_flow", "keeps": "data_flow",
    }  # fmt: skip
    assert made["keeps"]["source"]["cell"] == made["Process"]["id"]
    assert made["keeps"]["target"]["cell"] == made["Data store"]["id"]
    assert made["Data store"]["parent"] == made["Inside"]["id"]
    assert "parent" not in made["Process"]
    assert page.problems == []


def test_a_whole_diagram_is_drawn_by_keys_alone(page, site, model):
    model = diagram(site, model, "By keys")
    editor = Editor(page, model)
    press = page.keyboard.press
    page.locator("#canvas").focus()
    press("e")
    press("Enter")
    editor.type("Customer")
    press("Control+ArrowRight")
    editor.type("Other customer")
    press("p")
    press("Enter")
    editor.type("Shop")
    for _ in range(24):
        press("ArrowDown")
    # Two are selected, the flow is drawn from the first to the second.
    press("PageUp")
    press("PageUp")
    expect(page.locator("#live")).to_contain_text("Customer")
    press("Control+k")
    page.keyboard.type("find an element")
    press("Enter")
    page.keyboard.type("shop")
    press("Enter")
    expect(page.locator("#live")).to_have_text("Shop, Process")
    press("Shift+PageUp")
    expect(page.locator("#live")).to_have_text("2 elements selected")
    press("f")
    press("Enter")
    editor.type("answers")
    press("Control+Shift+b")
    expect(page.locator("#live")).to_have_text("Bent")
    # Size, scope and end by the fields of the panel, reached by Tab.
    press("Alt+ArrowUp")
    editor.saved()
    before = stored(site, model)
    assert before["answers"]["source"]["cell"] == before["Shop"]["id"]
    assert len(before["answers"]["vertices"]) == 1
    press("Control+f")
    page.keyboard.type("shop")
    press("Enter")
    page.get_by_role("tab", name="Properties").focus()
    reach(page, "Out of scope")
    press("Space")
    page.wait_for_timeout(300)
    page.keyboard.type("Somebody else runs it")
    reach(page, "Place and size", "summary")
    press("Enter")
    reach(page, "Width")
    page.keyboard.type("200")
    press("Enter")
    page.locator("#canvas").focus()
    press("Control+Shift+l")
    press("Delete")
    expect(page.locator("#notices")).to_contain_text("locked")
    editor.saved()
    shop = stored(site, model)["Shop"]
    assert shop["size"]["width"] == 200
    assert shop["out_of_scope"] is True
    assert shop["properties"]["out_of_scope_reason"] == "Somebody else runs it"
    assert shop["properties"]["locked"] is True
    assert page.problems == []


def overlap(one: dict[str, float], other: dict[str, float], slack: float = 3) -> bool:
    def apart(start: str, length: str) -> bool:
        first, second = sorted((one, other), key=lambda box: box[start])
        return first[start] + first[length] <= second[start] + slack

    return not (apart("x", "width") or apart("y", "height"))


def reach(page, label: str, tag: str = "input") -> None:
    """Tab until the control has the focus."""
    told = """(tag) => {
      const at = document.activeElement
      return at.tagName.toLowerCase() === tag ? (at.labels?.[0]?.textContent ?? at.textContent) : ""
    }"""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(told, tag) == label:
            return
    raise AssertionError(f"{label} cannot be reached by Tab")


def test_many_are_moved_together_and_one_undo_brings_all_back(editor, cells):
    before = cells()
    editor.drag((-10, 100), (680, 230))
    expect(editor.page.get_by_role("heading", name="5 elements selected")).to_be_visible()
    # By the customer: the shop has to stay where the test can find it, so it is looked up first.
    first, last = editor.at(90, 160), editor.at(190, 260)
    editor.page.mouse.move(*first)
    editor.page.mouse.down()
    editor.page.mouse.move(*last, steps=6)
    editor.page.mouse.up()
    editor.saved()
    after = cells()
    for pk in (SHOP, CUSTOMER, ORDERS):
        old, new = before[pk]["position"], after[pk]["position"]
        assert (new["x"] - old["x"], new["y"] - old["y"]) == (100, 100)
    editor.page.keyboard.press("Control+z")
    expect(editor.page.locator("#live")).to_have_text("Undone")
    assert cells() == before


def test_what_is_dragged_snaps_to_its_neighbours(editor, cells):
    page = editor.page
    page.mouse.move(*editor.at(590, 160))
    page.mouse.down()
    page.mouse.move(*editor.at(590, 250), steps=4)
    # Three off the row of the shop: the line tells, and it is drawn there.
    page.mouse.move(*editor.at(597, 163), steps=4)
    expect(page.locator(".overlay .guide")).not_to_have_count(0)
    page.mouse.up()
    editor.saved()
    assert cells()[ORDERS]["position"]["y"] == 120
    expect(page.locator(".overlay .guide")).to_have_count(0)


@pytest.mark.parametrize("zoom", [1, 0.5])
def test_a_flow_is_caught_beside_its_line(editor, zoom):
    page = editor.page
    if zoom != 1:
        page.locator("#canvas").focus()
        for _ in range(3):
            page.keyboard.press("Control+-")
        expect(page.locator("#zoom")).to_have_text("51 %")
    x, y = editor.at(500, 160)
    for off in (-5.5, 5.5):
        page.mouse.click(x, y + off)
        expect(page.get_by_role("heading", name="Data flow")).to_be_visible()
        page.keyboard.press("Escape")


def test_a_flow_is_bent_and_straight_again(editor, cells):
    page = editor.page
    editor.click(500, 160)
    editor.drag((500, 160), (500, 240))
    editor.saved()
    assert cells()[SAVE]["vertices"] == [{"x": 500, "y": 240}]
    page.mouse.dblclick(*editor.at(500, 240))
    editor.saved()
    assert "vertices" not in cells()[SAVE]


def test_flows_between_the_same_two_and_to_oneself_are_drawn_apart(page, site, model):
    more = [flow(6, 2, 1, "again"), flow(7, 1, 2, "back"), flow(8, 1, 1, "loop"), flow(9, 1, 1, "loop too")]
    model = diagram(site, model, "Apart", [*model["cells"], *more])
    editor = Editor(page, model)
    lines = [
        editor.cell(cell_id(number)).locator("path.reach").get_attribute("d") for number in (4, 6, 7, 8, 9)
    ]
    assert len(set(lines)) == 5
    labels = [editor.box("text", cell_id(number)) for number in (4, 6, 7, 8, 9)]
    assert not any(overlap(one, other) for one, other in combinations(labels, 2))
    assert page.problems == []


def test_what_is_locked_stays_and_what_is_in_front_is_in_front(editor, cells):
    page = editor.page
    editor.click(590, 160)
    page.keyboard.press("Control+Shift+l")
    editor.drag((590, 160), (590, 300))
    editor.saved()
    assert cells()[ORDERS]["position"] == {"x": 520, "y": 120}
    page.keyboard.press("Control+Shift+l")
    page.keyboard.press("Control+]")
    editor.saved()
    assert cells()[ORDERS]["z"] == 1
    page.keyboard.press("Control+[")
    editor.saved()
    assert cells()[ORDERS]["z"] == -1


def test_what_is_drawn_or_copied_onto_others_lies_in_front_of_them(editor, cells):
    page = editor.page
    page.keyboard.press("p")
    editor.drag((580, 150), (720, 240))
    editor.type("Over")
    page.keyboard.press("Control+d")
    expect(page.locator("#count")).to_have_text("7 elements")
    editor.saved()
    over = [cell.get("z") for cell in cells().values() if cell["properties"].get("label") == "Over"]
    assert sorted(over) == [1, 2]
    page.keyboard.press("p")
    editor.drag((260, 400), (400, 480))
    editor.type("Free")
    editor.saved()
    assert "z" not in named(cells(), "Free")


def test_what_is_cut_in_one_tab_is_pasted_in_another(editor, site, model):
    other = Editor(watched(editor.page.context.new_page()), diagram(site, model, "Other"))
    editor.page.bring_to_front()
    editor.click(590, 160)
    editor.page.keyboard.press("Control+x")
    expect(editor.cell(ORDERS)).to_have_count(0)
    other.page.bring_to_front()
    other.page.locator("#canvas").focus()
    other.page.keyboard.press("Control+v")
    expect(other.labelled("Orders")).to_have_count(1)
    assert other.page.problems == []


def test_the_end_of_a_flow_is_chosen_by_name(editor, cells):
    editor.page.locator("#canvas").focus()
    editor.page.keyboard.press("Control+f")
    editor.page.keyboard.type("save")
    editor.page.keyboard.press("Enter")
    editor.page.get_by_label("To", exact=True).select_option("Customer")
    editor.saved()
    assert cells()[SAVE]["target"] == {"cell": CUSTOMER}


def test_shapes_that_nobody_has_placed_are_offered_to_be_laid_out(page, site, model):
    piled = [box(n, "process", 0, 0, f"P{n}") for n in range(1, 6)]
    piled += [flow(10 + n, n, n + 1, "") for n in range(1, 5)]
    model = diagram(site, model, "Piled", piled)
    editor = Editor(page, model)
    page.get_by_role("button", name="Lay them out").click()
    expect(page.locator("#live")).to_have_text("Laid out")
    expect(page.locator("#piled")).to_be_hidden()
    editor.saved()
    made = stored(site, model)
    assert len({(made[f"P{n}"]["position"]["x"], made[f"P{n}"]["position"]["y"]) for n in range(1, 6)}) == 5
    page.reload()
    page.wait_for_selector("body[data-ready=true]")
    expect(page.locator("#piled")).to_be_hidden()
    assert page.problems == []


def test_pictures_of_the_diagram_are_what_they_say(editor, tmp_path):
    page = editor.page
    expect(editor.cell(ORDER).locator(".badge-mark")).to_be_visible()
    files = {}
    for kind in ("SVG", "PNG"):
        page.get_by_text("Export", exact=True).click()
        with page.expect_download() as download:
            page.get_by_role("button", name=kind, exact=True).click()
        files[kind] = Path(download.value.path()).read_bytes()
    root = ElementTree.fromstring(files["SVG"])
    words = {"".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"Customer", "Shop", "Orders", "order", "save", "1"} <= words
    assert "href" not in files["SVG"].decode()
    width, height = struct.unpack(">II", files["PNG"][16:24])
    assert (width, height) == (2 * float(root.get("width")), 2 * float(root.get("height")))
    # What it shows is not one colour: the shop is where the drawing has it.
    shown = watched(page.context.new_page())
    shown.set_content("<img>")
    counted = shown.evaluate(
        """async (bytes) => {
          const image = new Image()
          image.src = URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type: "image/png" }))
          await image.decode()
          const { width, height } = image
          const pen = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d")
          pen.drawImage(image, 0, 0)
          const found = pen.getImageData(0, 0, width, height).data
          return new Set(new Uint32Array(found.buffer)).size
        }""",
        list(files["PNG"]),
    )
    assert counted > 10


def test_fingers_select_pan_and_pinch(browser_of, model):
    page = watched(browser_of("Owner", has_touch=True, viewport={"width": 1100, "height": 700}).new_page())
    editor = Editor(page, model)
    x, y = editor.at(590, 160)
    page.touchscreen.tap(x, y)
    expect(page.get_by_role("heading", name="Data store")).to_be_visible()
    empty = editor.at(300, 330)
    page.touchscreen.tap(*empty)
    expect(page.locator(".chosen")).to_have_count(0)

    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        told = [{"x": at[0], "y": at[1], "id": index} for index, at in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": told})
        page.wait_for_timeout(40)

    before = editor.at(260, 120)
    touch("touchStart", empty)
    touch("touchMove", (empty[0] + 40, empty[1] + 30))
    touch("touchMove", (empty[0] + 80, empty[1] + 60))
    touch("touchEnd")
    after = editor.at(260, 120)
    assert (after[0] - before[0], after[1] - before[1]) == pytest.approx((80, 60), abs=2)

    middle = (500, 400)
    touch("touchStart", (middle[0] - 50, middle[1]), (middle[0] + 50, middle[1]))
    for far in (70, 90, 100):
        touch("touchMove", (middle[0] - far, middle[1]), (middle[0] + far, middle[1]))
    touch("touchEnd")
    zoom = int(page.locator("#zoom").inner_text().split()[0])
    assert 180 <= zoom <= 220
    assert page.problems == []


def test_a_finger_moves_a_shape(browser_of, model, cells):
    page = watched(browser_of("Owner", has_touch=True).new_page())
    editor = Editor(page, model)
    session = page.context.new_cdp_session(page)
    start, end = editor.at(590, 160), editor.at(590, 260)
    session.send(
        "Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": start[0], "y": start[1]}]}
    )
    for share in (0.3, 0.6, 1):
        at = {"x": start[0], "y": start[1] + (end[1] - start[1]) * share}
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [at]})
        page.wait_for_timeout(40)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    editor.saved()
    assert cells()[ORDERS]["position"] == {"x": 520, "y": 220}
    assert page.problems == []


def test_a_badge_follows_its_flow(editor):
    """It lies beside the name of the flow, not on it."""
    badge = editor.box(".badge-mark polygon", ORDER)
    name = editor.box(".flow-label text", ORDER)
    assert badge["x"] >= name["x"] + name["width"] - 2


def bounded(editor: Editor, end: tuple[float, float] = (720, 260)) -> None:
    """A boundary around the orders, which is selected."""
    editor.page.keyboard.press("b")
    editor.drag((500, 80), end)
    editor.type("Data centre")
    editor.saved()


def pull(editor: Editor, handle: str, to: tuple[float, float]) -> None:
    at = editor.box(f".handle-{handle}")
    editor.page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    editor.page.mouse.down()
    editor.page.mouse.move(*editor.at(*to), steps=5)
    editor.page.mouse.up()


def test_what_is_cut_goes_with_all_that_was_copied_and_comes_back_once(editor, cells):
    page = editor.page
    bounded(editor)
    page.keyboard.press("Control+x")
    expect(page.locator("#count")).to_have_text("3 elements")
    editor.saved()
    assert set(cells()) == {SHOP, CUSTOMER, ORDER}
    page.keyboard.press("Control+v")
    expect(page.locator("#count")).to_have_text("5 elements")
    editor.saved()
    assert named(cells(), "Orders")["parent"] == named(cells(), "Data centre")["id"]


def test_what_is_locked_in_a_boundary_stays_when_that_is_cut(editor, cells):
    page = editor.page
    editor.click(590, 160)
    page.keyboard.press("Control+Shift+l")
    bounded(editor)
    page.keyboard.press("Control+x")
    expect(page.locator("#count")).to_have_text("5 elements")
    page.keyboard.press("Control+v")
    expect(page.locator("#count")).to_have_text("6 elements")
    editor.saved()
    assert named(cells(), "Orders")["id"] == ORDERS


def test_copies_lie_in_the_boundary_in_which_they_are_put(editor, cells):
    page = editor.page
    bounded(editor)
    inside = {"parent": named(cells(), "Data centre")["id"]}
    editor.click(590, 160)
    page.keyboard.press("Control+d")
    page.keyboard.press("Control+c")
    expect(page.locator("#live")).to_have_text("1 element copied")
    editor.click(90, 160)
    page.keyboard.press("Control+v")
    expect(page.locator("#count")).to_have_text("8 elements")
    editor.saved()
    orders = [cell for cell in cells().values() if cell["properties"].get("label") == "Orders"]
    assert [cell.get("parent") for cell in orders] == [inside["parent"]] * 3


def test_a_shape_resized_beyond_its_boundary_is_not_in_it_any_more(editor, cells):
    bounded(editor)
    inside = named(cells(), "Data centre")["id"]
    editor.click(590, 160)
    pull(editor, "s", (590, 300))
    editor.saved()
    assert cells()[ORDERS]["size"] == {"width": 140, "height": 180}
    assert "parent" not in cells()[ORDERS]
    pull(editor, "s", (590, 200))
    editor.saved()
    assert cells()[ORDERS]["parent"] == inside


def test_what_was_arranged_is_heard(editor, cells):
    page = editor.page
    live = page.locator("#live")
    editor.drag((590, 160), (590, 210))
    editor.drag((-10, 100), (680, 300))

    def arrange(name: str, told: str) -> None:
        page.get_by_text("Arrange", exact=True).click()
        page.get_by_role("button", name=name, exact=True).click()
        expect(live).to_have_text(told)

    arrange("Align top edges", "Aligned")
    # Those between: 20 and 520 are the outer ones, 260 is not in the middle of them.
    arrange("Distribute horizontally", "Distributed")
    arrange("Bring to front", "In front")
    arrange("Send to back", "Behind the others")
    editor.saved()
    now = cells()
    assert {now[pk]["position"]["y"] for pk in (SHOP, CUSTOMER, ORDERS)} == {120}
    assert now[SHOP]["position"]["x"] == 270
    assert [now[pk].get("z") for pk in (SHOP, CUSTOMER, ORDERS)] == [-3, -2, -1]
    assert "z" not in now[ORDER]


def test_flows_and_boundaries_are_not_offered_to_be_in_front(editor):
    page = editor.page
    bounded(editor)
    page.get_by_text("Arrange", exact=True).click()
    expect(page.get_by_role("button", name="Bring to front")).to_be_disabled()
    page.keyboard.press("Escape")
    editor.click(450, 160)
    expect(page.get_by_role("heading", name="Data flow")).to_be_visible()
    page.get_by_text("Arrange", exact=True).click()
    expect(page.get_by_role("button", name="Send to back")).to_be_disabled()


def test_a_flow_is_led_by_the_panel_alone(editor, cells):
    page = editor.page
    live = page.locator("#live")
    editor.click(450, 160)
    page.get_by_label("Both ways").check()
    expect(live).to_have_text("Data flow “save” changed")
    page.get_by_label("Side where it begins").select_option("bottom")
    expect(live).to_have_text("Reconnected")
    page.locator("[data-part=bends] > summary").click()
    page.get_by_role("button", name="Bend the flow").click()
    page.get_by_label("Bend 1: Top").fill("300")
    page.get_by_label("Bend 1: Top").press("Enter")
    editor.saved()
    flow = cells()[SAVE]
    assert flow["bidirectional"] is True
    assert flow["source"] == {"cell": SHOP, "port": "bottom"}
    assert [point["y"] for point in flow["vertices"]] == [300]
    page.get_by_text("Arrange", exact=True).click()
    page.get_by_role("button", name="Reverse the flow").click()
    expect(live).to_have_text("Reversed")
    page.get_by_role("button", name="Bend 1: remove").click()
    expect(live).to_have_text("Bend removed")
    page.get_by_label("To", exact=True).select_option("not connected")
    expect(live).to_have_text("Detached")
    editor.saved()
    flow = cells()[SAVE]
    assert flow["source"] == {"cell": ORDERS}
    assert set(flow["target"]) == {"x", "y"}
    assert "vertices" not in flow


def test_an_element_has_metadata(editor, site, model):
    page = editor.page
    path = f"/threat_models/{model['id']}/diagrams/{model['diagram']}/cells/{ORDERS}/metadata"
    site.api(OWNER, "POST", path, {"key": "team", "value": "payments"})
    editor.click(590, 160)
    page.get_by_text("Metadata", exact=True).click()
    page.get_by_label("team", exact=True).fill("orders")
    page.get_by_label("team", exact=True).press("Enter")
    expect(page.locator("#live")).to_have_text("Saved")
    page.get_by_label("Key", exact=True).fill("tier")
    page.get_by_label("Value", exact=True).fill("1")
    page.get_by_label("Value", exact=True).press("Enter")
    expect(page.get_by_label("tier", exact=True)).to_have_value("1")
    kept = site.api(OWNER, "GET", path)
    assert {one["key"]: one["value"] for one in kept} == {"team": "orders", "tier": "1"}
    page.get_by_role("button", name="Remove team").click()
    expect(page.get_by_label("team", exact=True)).to_have_count(0)
    assert [one["key"] for one in site.api(OWNER, "GET", path)] == ["tier"]


AWAY_AND_BACK = """() => {
  const canvas = document.querySelector("#canvas")
  for (const deltaX of [6000, -6000]) {
    canvas.dispatchEvent(new WheelEvent("wheel", { deltaX, bubbles: true, cancelable: true }))
  }
}"""


def test_what_leaves_the_sight_and_comes_back_at_once_is_drawn_once(editor):
    drawn = editor.page.locator(".surface [data-cell-id]")
    expect(drawn).to_have_count(5)
    for _ in range(3):
        editor.page.evaluate(AWAY_AND_BACK)
        editor.page.wait_for_timeout(100)
    expect(drawn).to_have_count(5)


def test_a_flow_is_not_drawn_from_what_another_has_removed_meanwhile(editor, site, model, cells):
    page = editor.page
    page.keyboard.press("f")
    page.mouse.move(*editor.at(590, 160))
    page.mouse.down()
    page.mouse.move(*editor.at(500, 300), steps=4)
    path = f"/threat_models/{model['id']}/diagrams/{model['diagram']}/cells/{ORDERS}"
    site.api("owner@example.org", "DELETE", path)
    expect(editor.cell(ORDERS)).to_have_count(0)
    page.mouse.move(*editor.at(420, 340), steps=4)
    page.mouse.up()
    editor.saved()
    assert set(cells()) == {SHOP, CUSTOMER, ORDER}


def test_what_is_left_of_a_selection_goes_on_moving_when_another_removes_some(editor, site, model, cells):
    page = editor.page
    page.keyboard.press("Control+a")
    page.mouse.move(*editor.at(330, 160))
    page.mouse.down()
    page.mouse.move(*editor.at(360, 200), steps=4)
    path = f"/threat_models/{model['id']}/diagrams/{model['diagram']}/cells/{ORDERS}"
    site.api("owner@example.org", "DELETE", path)
    expect(editor.cell(ORDERS)).to_have_count(0)
    page.mouse.move(*editor.at(430, 260), steps=4)
    page.mouse.up()
    editor.saved()
    now = cells()
    assert set(now) == {SHOP, CUSTOMER, ORDER}
    assert now[CUSTOMER]["position"]["y"] == now[SHOP]["position"]["y"] > 120


def test_a_flow_that_is_copied_alone_is_put_beside_its_elements_or_nothing_is(editor, site, model, cells):
    page = editor.page
    editor.click(175, 160)
    page.keyboard.press("Control+c")
    expect(page.locator("#live")).to_have_text("1 element copied")
    page.keyboard.press("Control+v")
    expect(page.locator("#count")).to_have_text("6 elements")
    editor.saved()
    orders = [cell for cell in cells().values() if cell["properties"].get("label") == "order"]
    assert [(cell["source"]["cell"], cell["target"]["cell"]) for cell in orders] == [(CUSTOMER, SHOP)] * 2
    path = f"/threat_models/{model['id']}/diagrams/{model['diagram']}/cells/{CUSTOMER}"
    site.api("owner@example.org", "DELETE", path)
    expect(page.locator("#count")).to_have_text("3 elements")
    page.keyboard.press("Control+v")
    expect(page.locator("#notices")).to_contain_text("nothing on the clipboard")
