"""The diagram editor in a real browser: drawing, changing, together, without a connection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.e2e.conftest import watched
from tests.e2e.drawing import CUSTOMER, ORDER, ORDERS, SAVE, SHOP, Editor, named, until
from tests.e2e.test_accessibility import RULES

OWNER = "owner@example.org"


def test_a_shape_is_drawn_named_moved_and_taken_back(editor, cells):
    page = editor.page
    page.keyboard.press("p")
    editor.drag((260, 300), (400, 380))
    editor.type("Billing")
    editor.saved()
    drawn = named(cells(), "Billing")
    assert (drawn["type"], drawn["size"]) == ("process", {"width": 140, "height": 80})
    assert drawn["position"] == {"x": 260, "y": 300}

    editor.drag((330, 340), (450, 400))
    editor.saved()
    assert named(cells(), "Billing")["position"] == {"x": 380, "y": 360}

    page.keyboard.press("Control+z")
    expect(page.locator("#live")).to_have_text("Undone")
    assert named(cells(), "Billing")["position"] == {"x": 260, "y": 300}
    page.keyboard.press("Control+Shift+z")
    expect(page.locator("#live")).to_have_text("Done again")
    assert named(cells(), "Billing")["position"] == {"x": 380, "y": 360}
    page.keyboard.press("Delete")
    expect(editor.labelled("Billing")).to_have_count(0)
    editor.saved()
    assert len(cells()) == 5


def test_every_type_can_be_dropped_from_the_palette(editor, cells):
    page = editor.page
    for index, tool in enumerate(("Process", "Data store", "External entity", "Trust boundary", "Text")):
        page.get_by_role("toolbar").get_by_role("button", name=tool).hover()
        page.mouse.down()
        page.mouse.move(*editor.at(90 + index * 90, 300), steps=4)
        page.mouse.up()
        editor.type(f"New {tool}")
    editor.saved()
    made = {cell["properties"]["label"]: cell["type"] for cell in cells().values()}
    assert made["New Data store"] == "datastore"
    assert {kind for label, kind in made.items() if label.startswith("New ")} == {
        "process", "datastore", "external_entity", "trust_boundary", "text",
    }  # fmt: skip


def test_a_flow_is_pulled_from_a_side_and_its_end_moved(editor, cells):
    page = editor.page
    page.mouse.move(*editor.at(90, 160))
    port = editor.box(f'[data-port="bottom"][data-of="{CUSTOMER}"]')
    page.mouse.move(port["x"] + 9, port["y"] + 9)
    page.mouse.down()
    page.mouse.move(*editor.at(300, 300), steps=4)
    page.mouse.move(*editor.at(590, 160), steps=4)
    page.mouse.up()
    editor.type("complaint")
    editor.saved()
    made = named(cells(), "complaint")
    assert made["source"] == {"cell": CUSTOMER, "port": "bottom"}
    assert made["target"] == {"cell": ORDERS}

    end = editor.box('.end[data-end="target"]')
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2)
    page.mouse.down()
    page.mouse.move(*editor.at(330, 160), steps=5)
    page.mouse.up()
    editor.saved()
    assert named(cells(), "complaint")["target"] == {"cell": SHOP}


def test_a_boundary_takes_in_what_it_is_drawn_around_and_carries_it_along(editor, cells):
    page = editor.page
    page.keyboard.press("b")
    editor.drag((500, 80), (680, 240))
    editor.type("Data centre")
    editor.saved()
    boundary = named(cells(), "Data centre")
    assert cells()[ORDERS]["parent"] == boundary["id"]
    # Its inside is not it: a press there starts a rubber band.
    page.keyboard.press("Escape")
    editor.click(510, 230)
    expect(page.locator(".chosen")).to_have_count(0)
    editor.drag((500, 220), (500, 280))
    editor.saved()
    assert cells()[ORDERS]["position"] == {"x": 520, "y": 180}
    # And what is pulled out is its own again.
    page.keyboard.press("Escape")
    editor.drag((590, 220), (590, 420))
    editor.saved()
    assert "parent" not in cells()[ORDERS]


def test_many_are_chosen_by_a_rubber_band_aligned_and_copied(editor, cells):
    page = editor.page
    editor.drag((-10, 100), (430, 230))
    expect(page.get_by_role("heading", name="3 elements selected")).to_be_visible()
    page.keyboard.press("Control+d")
    expect(page.locator("#count")).to_have_text("8 elements")
    page.keyboard.press("ArrowDown")
    editor.saved()
    copies = [cell for pk, cell in cells().items() if pk not in {SHOP, CUSTOMER, ORDERS, ORDER, SAVE}]
    flow = next(cell for cell in copies if cell["type"] == "data_flow")
    assert {flow["source"]["cell"], flow["target"]["cell"]} == {
        cell["id"] for cell in copies if cell["type"] != "data_flow"
    }
    page.keyboard.press("Control+a")
    page.get_by_role("button", name="Top", exact=True).click()
    editor.saved()
    assert {cell["position"]["y"] for cell in cells().values() if "position" in cell} == {120}


def test_what_is_copied_is_pasted_into_another_diagram(editor, site, model):
    page = editor.page
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+c")
    expect(page.locator("#live")).to_have_text("5 elements copied")
    base = f"/threat_models/{model['id']}/diagrams"
    other = site.api("owner@example.org", "POST", base, {"name": "Copy"})["id"]
    page.goto(f"/threat-models/{model['id']}/diagrams/{other}")
    page.wait_for_selector("body[data-ready=true]")
    page.keyboard.press("Control+v")
    expect(page.locator("#count")).to_have_text("5 elements")
    editor.saved()
    pasted = site.api("owner@example.org", "GET", f"{base}/{other}/cells")
    assert {cell["id"] for cell in pasted}.isdisjoint({SHOP, CUSTOMER, ORDERS, ORDER, SAVE})
    assert sorted(cell["properties"]["label"] for cell in pasted) == [
        "Customer", "Orders", "Shop", "order", "save",
    ]  # fmt: skip


def test_all_of_it_is_done_by_keyboard(editor, cells):
    page = editor.page
    page.locator("#canvas").focus()
    page.keyboard.press("PageDown")
    expect(page.locator("#live")).to_have_text("Customer, External entity")
    page.keyboard.press("Alt+ArrowRight")
    expect(page.locator("#live")).to_have_text("Shop, Process")
    page.keyboard.press("Control+ArrowDown")
    editor.type("Mail")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    editor.type("Mailer")
    editor.saved()
    mailer = named(cells(), "Mailer")
    assert mailer["position"] == {"x": 261, "y": 290}
    assert any(
        cell.get("target") == {"cell": mailer["id"]} and cell["source"] == {"cell": SHOP}
        for cell in cells().values()
    )
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("select all")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="7 elements selected")).to_be_visible()
    page.keyboard.press("Control+f")
    page.keyboard.type("orders")
    page.keyboard.press("Enter")
    expect(page.locator("#live")).to_have_text("Orders, Data store")


def test_names_are_text_whatever_they_hold(editor, cells):
    page = editor.page
    evil = "<script>window.hit = 1</script><img src=x onerror='window.hit = 1'>"
    page.keyboard.press("e")
    editor.drag((260, 300), (560, 380))
    editor.type(evil)
    editor.saved()
    assert named(cells(), evil)
    expect(editor.labelled("<script>")).to_have_count(1)
    assert page.evaluate("window.hit") is None
    assert page.locator(".surface img, .surface script, .side img").count() == 0


def test_properties_are_kept_and_what_is_out_of_scope_has_a_reason(editor, cells):
    page = editor.page
    editor.click(590, 160)
    page.get_by_label("Description").fill("All orders ever made.")
    page.get_by_label("Encrypted").check()
    page.get_by_label("Out of scope").check()
    page.get_by_label("Reason").fill("Run by somebody else")
    page.get_by_label("Reason").blur()
    editor.saved()
    orders = cells()[ORDERS]
    assert orders["out_of_scope"] is True
    assert orders["properties"] == {
        "label": "Orders",
        "description": "All orders ever made.",
        "is_encrypted": True,
        "out_of_scope_reason": "Run by somebody else",
    }


def test_a_further_property_is_stored_with_its_value(editor, cells):
    page = editor.page
    editor.click(590, 160)
    page.get_by_label("Name of a further property").fill("engine")
    page.get_by_label("Name of a further property").press("Enter")
    page.keyboard.press("Escape")
    editor.click(330, 160)
    expect(page.get_by_label("Name of a further property")).to_have_value("")
    editor.click(590, 160)
    expect(page.get_by_label("Name of a further property")).to_have_value("engine")
    editor.saved()
    assert cells()[ORDERS]["properties"] == {"label": "Orders"}
    page.get_by_label("Value of a further property").fill("PostgreSQL")
    page.keyboard.press("Enter")
    expect(page.get_by_label("engine")).to_be_focused()
    expect(page.get_by_label("engine")).to_have_value("PostgreSQL")
    expect(page.get_by_label("Name of a further property")).to_have_value("")
    editor.saved()
    assert cells()[ORDERS]["properties"] == {"label": "Orders", "engine": "PostgreSQL"}


def test_two_people_see_each_other_and_what_they_draw(editor, browser_of, model, cells):
    other = Editor(watched(browser_of("Writer").new_page()), model)
    expect(editor.page.locator("#avatars .avatar")).to_have_count(2)
    other.page.mouse.move(*other.at(400, 300))
    expect(editor.page.locator(".overlay .pointer", has_text="Writer")).to_be_visible()
    other.click(330, 160)
    expect(editor.page.locator(".overlay .theirs")).to_have_count(1)

    editor.page.keyboard.press("d")
    editor.drag((260, 300), (400, 360))
    editor.type("Archive")
    expect(other.labelled("Archive")).to_be_visible()
    # Undo is one's own: the writer has done nothing.
    other.page.locator("#canvas").focus()
    other.page.keyboard.press("Control+z")
    expect(other.page.locator("#notices")).to_contain_text("nothing of yours to undo")
    editor.saved()
    assert named(cells(), "Archive")

    editor.page.get_by_role("tab", name="People").click()
    editor.page.get_by_role("button", name="Make presenter: Writer").click()
    expect(editor.page.locator("#following")).to_contain_text("Following Writer")
    other.page.keyboard.press("Control+=")
    expect(editor.page.locator("#zoom")).to_have_text(other.page.locator("#zoom").inner_text())
    editor.page.get_by_role("button", name="Remove: Writer").click()
    expect(other.page.locator("#closed")).to_contain_text("removed from this session")
    assert other.page.problems == []


def test_what_is_drawn_without_a_connection_is_sent_on_return(page, browser_of, model, cells):
    sockets: list[Any] = []

    def keep(socket: Any) -> None:
        sockets.append((socket, socket.connect_to_server()))

    away = False

    def route(socket: Any) -> None:
        if away:
            socket.close(code=1001)
        else:
            keep(socket)

    page.route_web_socket("**/ws/diagrams/**", route)
    editor = Editor(page, model)
    away = True
    sockets[-1][0].close(code=1001)
    expect(page.locator("#saved")).to_contain_text("Offline")
    page.keyboard.press("p")
    editor.drag((260, 300), (400, 380))
    editor.type("Far away")
    expect(page.locator("#saved")).to_contain_text("2 changes wait here")
    assert all(cell["properties"]["label"] != "Far away" for cell in cells().values())
    away = False
    editor.saved()
    assert named(cells(), "Far away")["position"] == {"x": 260, "y": 300}


def test_what_was_not_sent_outlives_the_page(page, model, cells):
    away = False

    def route(socket: Any) -> None:
        if away:
            socket.close(code=1001)
            return
        server = socket.connect_to_server()
        # Nothing of one's own reaches the server any more.
        socket.on_message(lambda text: None if "diagram_operation" in text else server.send(text))

    page.route_web_socket("**/ws/diagrams/**", route)
    editor = Editor(page, model)
    page.keyboard.press("p")
    editor.drag((260, 300), (400, 380))
    editor.type("Kept")
    expect(page.locator("#saved")).to_have_text("Saving …")
    page.unroute_all()
    page.close(run_before_unload=False)
    again = watched(page.context.new_page())
    Editor(again, model).saved()
    assert named(cells(), "Kept")
    assert again.problems == []


def test_readers_look_and_change_nothing(browser_of, model):
    page = watched(browser_of("Reader").new_page())
    editor = Editor(page, model)
    expect(page.get_by_text("Read only")).to_be_visible()
    expect(page.get_by_role("button", name="Process")).to_be_hidden()
    page.keyboard.press("p")
    editor.drag((330, 160), (330, 300))
    page.keyboard.press("Delete")
    editor.click(330, 160, click_count=2)
    expect(page.locator(".label-editor")).to_have_count(0)
    expect(page.locator("#count")).to_have_text("5 elements")
    expect(page.get_by_label("Name")).not_to_be_editable()
    assert page.problems == []


def test_threats_are_shown_on_the_elements_and_written_beside_them(editor, site, model):
    page = editor.page
    expect(editor.cell(ORDER).locator(".badge-mark")).to_have_count(1)
    page.get_by_role("tab", name="Threats").click()
    editor.click(590, 160)
    page.get_by_label("Name of the new threat").fill("Orders are lost")
    page.get_by_label("Category").select_option("Tampering")
    page.get_by_role("button", name="Add threat").click()
    expect(editor.cell(ORDERS).locator(".badge-mark")).to_have_count(1)
    path = f"/threat_models/{model['id']}/threats?cell_id={ORDERS}"
    [made] = site.api("owner@example.org", "GET", path)
    assert (made["name"], made["threat_type"], made["severity"]) == ("Orders are lost", "Tampering", "medium")
    page.get_by_label("Status: Orders are lost").select_option("Closed")
    expect(editor.cell(ORDERS).locator(".badge-mark")).to_have_count(0)


def test_a_threat_that_is_being_written_stays_until_it_is_added(editor, site, model):
    page = editor.page
    page.get_by_role("tab", name="Threats").click()
    editor.click(210, 160)
    name = page.get_by_label("Name of the new threat")
    name.fill("Orders are lost")
    page.get_by_label("Category").select_option("Tampering")
    editor.click(590, 160)
    expect(name).to_have_value("")
    page.keyboard.press("Escape")
    page.get_by_label("Status: Orders are read on the way").select_option("Closed")
    expect(page.locator("#live")).to_have_text("Saved")
    editor.click(210, 160)
    expect(name).to_have_value("Orders are lost")
    page.get_by_label("Status: Orders are read on the way").select_option("Active")
    expect(page.locator("#threats .settled")).to_have_count(0)
    expect(name).to_have_value("Orders are lost")
    page.get_by_role("button", name="Add threat").click()
    expect(name).to_have_value("")
    made = site.api("owner@example.org", "GET", f"/threat_models/{model['id']}/threats?search=lost")
    assert [(one["name"], one["threat_type"]) for one in made] == [("Orders are lost", "Tampering")]
    editor.click(590, 160)
    name.fill("Half")
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.close(run_before_unload=True)
    expect(page.locator("#notices")).to_contain_text("not added yet: New threat: Orders")
    assert asked == ["beforeunload"]


def test_what_is_typed_in_a_property_is_kept_when_the_page_is_loaded_anew(editor, cells):
    page = editor.page
    editor.click(590, 160)
    page.get_by_label("Description").focus()
    page.keyboard.type("All orders")
    page.reload()
    page.wait_for_selector("body[data-ready=true]")
    editor.saved()
    assert cells()[ORDERS]["properties"]["description"] == "All orders"


def test_the_texts_of_a_threat_are_written_beside_its_element(editor, site, model):
    page, panel = editor.page, editor.page.locator("#threats")
    path = f"/threat_models/{model['id']}/threats/{model['threat']}"
    page.get_by_role("tab", name="Threats").click()
    editor.click(210, 160)
    row = panel.locator(".threats > li", has_text="Orders are read")
    link = row.get_by_role("link", name="Orders are read on the way (opens in a new tab)")
    expect(link).to_have_attribute("target", "_blank")
    # A hexagon, as the badge of the element.
    assert len(row.locator(".shape polygon").get_attribute("points").split()) == 6
    row.locator("summary").click()
    row.get_by_label("Description").fill("Nobody may read them")
    row.get_by_label("Mitigation").fill("TLS 1.3")
    row.get_by_role("combobox", name="Priority:").select_option("Immediate")
    expected = ("Nobody may read them", "TLS 1.3", "Immediate")
    kept = ("description", "mitigation", "priority")
    assert until(lambda: tuple(site.api(OWNER, "GET", path)[name] for name in kept) == expected)
    expect(row.get_by_label("Mitigation")).to_have_value("TLS 1.3")
    # What somebody else writes meanwhile is not replaced without a word.
    row.get_by_label("Mitigation").focus()
    site.api("writer@example.org", "PATCH", path, {"mitigation": "Theirs"})
    row.get_by_label("Mitigation").fill("Mine")
    row.get_by_label("Mitigation").blur()
    expect(page.locator("#notices .theirs")).to_have_text("Theirs")
    assert until(lambda: site.api(OWNER, "GET", path)["mitigation"] == "Mine")
    page.get_by_role("button", name="Take theirs").click()
    expect(row.get_by_label("Mitigation")).to_have_value("Theirs")
    assert until(lambda: site.api(OWNER, "GET", path)["mitigation"] == "Theirs")


def test_a_text_of_a_threat_that_could_not_be_saved_stays_and_is_sent_again(page, site, model):
    editor = Editor(page, model)
    path = f"/threat_models/{model['id']}/threats/{model['threat']}"
    page.get_by_role("tab", name="Threats").click()
    editor.click(210, 160)
    row = page.locator("#threats .threats > li", has_text="Orders are read")
    row.locator("summary").click()
    page.route("**/api/v1/**", lambda route: route.abort())
    row.get_by_label("Mitigation").fill("Kept here")
    row.get_by_label("Mitigation").blur()
    expect(page.locator("#notices .notice-warning")).not_to_have_count(0)
    editor.click(590, 160)
    expect(row).to_have_count(0)
    editor.click(210, 160)
    expect(row.get_by_label("Mitigation")).to_have_value("Kept here")
    page.unroute_all()
    row.get_by_label("Mitigation").focus()
    row.get_by_label("Mitigation").blur()
    assert until(lambda: site.api(OWNER, "GET", path)["mitigation"] == "Kept here")


@pytest.mark.parametrize("kind", ["SVG", "PNG", "JSON"])
def test_the_diagram_is_exported(editor, kind):
    page = editor.page
    page.get_by_text("Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=kind, exact=True).click()
    content = Path(download.value.path()).read_bytes()
    assert download.value.suggested_filename == f"Overview.{kind.lower()}"
    if kind == "JSON":
        assert len(json.loads(content)["diagram_data"]["cells"]) == 5
    elif kind == "SVG":
        assert b">Customer</text>" in content
    else:
        assert content.startswith(b"\x89PNG")
        assert len(content) > 5_000


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("tab", ["Properties", "Threats", "People"])
def test_the_editor_is_accessible(browser_of, model, theme, tab):
    page = watched(browser_of("Owner", color_scheme=theme, reduced_motion="reduce").new_page())
    editor = Editor(page, model)
    editor.click(590, 160)
    page.get_by_role("tab", name=tab).click()
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    page.locator("#canvas").focus()
    page.keyboard.press("?")
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    assert page.problems == []


def test_a_link_to_an_element_shows_it(page, model):
    editor = Editor(page, model, f"#{ORDERS}")
    expect(editor.page.get_by_role("heading", name="Data store")).to_be_visible()
