"""Several people at one diagram, and one without a connection: what each is shown, and what becomes of it."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.e2e.conftest import sign_in, watched
from tests.e2e.drawing import CUSTOMER, ORDERS, SHOP, Away, Editor, named, until
from tests.e2e.furniture import box, cell_id, furnished
from tests.e2e.site import start

OWNER = "owner@example.org"


def test_what_another_did_is_heard_and_the_selection_of_another_is_seen(editor, browser_of, model):
    other = Editor(watched(browser_of("Writer").new_page()), model)
    expect(editor.page.locator("#avatars .avatar")).to_have_count(2)
    other.click(590, 160)
    expect(editor.page.locator(".overlay .theirs")).to_have_count(1)
    other.page.mouse.move(*other.at(400, 300))
    expect(editor.page.locator(".overlay .pointer", has_text="Writer")).to_have_count(1)
    other.page.keyboard.press("ArrowDown")
    expect(editor.page.locator("#live")).to_have_text("Writer: Data store “Orders” changed")
    assert other.page.problems == []


def test_the_view_of_another_is_followed_until_one_moves(editor, browser_of, model):
    other = Editor(watched(browser_of("Writer").new_page()), model)
    page = editor.page
    page.get_by_role("tab", name="People").click()
    page.get_by_role("button", name="Make presenter: Writer").click()
    expect(page.locator("#following")).to_contain_text("Following Writer")
    other.page.locator("#canvas").focus()
    for _ in range(3):
        other.page.keyboard.press("Control+=")
    expect(other.page.locator("#zoom")).not_to_have_text("100 %")
    expect(page.locator("#zoom")).to_have_text(other.page.locator("#zoom").inner_text())
    page.locator("#canvas").hover()
    page.mouse.wheel(0, 40)
    expect(page.locator("#following")).to_be_hidden()
    other.page.keyboard.press("Control+0")
    expect(other.page.locator("#zoom")).to_have_text("100 %")
    expect(page.locator("#zoom")).not_to_have_text("100 %")
    page.get_by_role("button", name="Follow: Writer").click()
    expect(page.locator("#following")).to_contain_text("Following Writer")
    assert other.page.problems == []


def test_only_the_presenter_is_followed_and_the_own_keys_stop_it(editor, browser_of, model):
    other = Editor(watched(browser_of("Writer").new_page()), model)
    page, following = editor.page, editor.page.locator("#following")
    page.get_by_role("tab", name="People").click()
    expect(page.get_by_role("button", name="Make presenter: Writer")).to_be_visible()
    expect(page.get_by_role("button", name="Follow: Writer")).to_have_count(0)
    page.get_by_role("button", name="Make presenter: Writer").click()
    expect(following).to_contain_text("Following Writer")
    page.get_by_role("button", name="Zoom in", exact=True).click()
    expect(following).to_be_hidden()
    other.page.locator("#canvas").focus()
    other.page.keyboard.press("Control+=")
    other.page.keyboard.press("Control+=")
    other.page.keyboard.press("Control+=")
    shown = other.page.locator("#zoom").inner_text()
    # Whoever follows again sees at once what the presenter sees.
    page.wait_for_timeout(300)
    page.get_by_role("button", name="Follow: Writer").click()
    expect(page.locator("#zoom")).to_have_text(shown)
    page.locator("#canvas").focus()
    page.keyboard.press("ArrowDown")
    expect(following).to_be_hidden()
    page.get_by_role("button", name="Follow: Writer").click()
    expect(following).to_be_visible()
    page.get_by_role("button", name="Present", exact=True).click()
    expect(following).to_be_hidden()
    assert other.page.problems == []


def test_who_asks_to_present_has_a_hand_beside_their_name_until_the_host_has_answered(
    editor, browser_of, model
):
    other = Editor(watched(browser_of("Writer").new_page()), model)
    theirs, hosts = other.page.locator("#panel-people"), editor.page.locator("#panel-people")
    for page in (editor.page, other.page):
        page.get_by_role("tab", name="People").click()
    ask = theirs.get_by_role("button", name="Ask to present")
    expect(ask).to_have_attribute("aria-pressed", "false")
    ask.click()
    expect(ask).to_have_attribute("aria-pressed", "true")
    for panel in (theirs, hosts):
        row = panel.locator(".people li", has_text="Writer")
        expect(row.locator(".hand svg")).to_have_count(1)
        expect(row).to_contain_text("would like to present")
    expect(editor.page.locator("#people-hands")).to_be_visible()
    expect(other.page.locator("#people-hands")).to_be_hidden()
    ask.click()
    expect(other.page.locator("#notices")).to_contain_text("The host was asked already")
    hosts.get_by_role("button", name="Decline: Writer").click()
    expect(other.page.locator("#notices")).to_contain_text("without a change of presenter")
    expect(ask).to_have_attribute("aria-pressed", "false")
    for panel in (theirs, hosts):
        expect(panel.locator(".hand")).to_have_count(0)
    expect(hosts.get_by_role("button", name="Decline: Writer")).to_have_count(0)
    expect(editor.page.locator("#people-hands")).to_be_hidden()
    ask.click()
    hosts.get_by_role("button", name="Make presenter: Writer").click()
    for panel in (theirs, hosts):
        expect(panel.locator(".people li", has_text="Writer")).to_contain_text("presents")
        expect(panel.locator(".hand")).to_have_count(0)
    assert other.page.problems == []


def write(site, model, **properties):
    """The writer changes the orders elsewhere."""
    path = f"/threat_models/{model['id']}/diagrams/{model['diagram']}/cells/{ORDERS}"
    site.api("writer@example.org", "PATCH", path, {"properties": properties})


def test_a_text_that_two_write_says_what_it_has_replaced_and_gives_it_back(editor, site, model, cells):
    page = editor.page
    notice = page.locator("#notices .notice")
    editor.click(590, 160)
    page.get_by_label("Description").focus()
    write(site, model, description="Theirs of it")
    expect(page.locator("#live")).to_contain_text("“Orders” changed")
    page.keyboard.type("Mine")
    page.get_by_label("Description").blur()
    expect(notice).to_contain_text("Data store “Orders”, Description: somebody else has changed this")
    expect(notice.locator(".theirs")).to_have_text("Theirs of it")
    editor.saved()
    assert cells()[ORDERS]["properties"]["description"] == "Mine"
    notice.get_by_role("button", name="Take theirs").click()
    expect(notice).to_have_count(0)
    expect(page.get_by_label("Description")).to_have_value("Theirs of it")
    editor.saved()
    assert cells()[ORDERS]["properties"]["description"] == "Theirs of it"

    page.locator("#canvas").focus()
    page.keyboard.press("F2")
    write(site, model, label="All orders")
    expect(page.locator("#live")).to_contain_text("“All orders” changed")
    editor.type("My orders")
    expect(notice.locator(".theirs")).to_have_text("All orders")
    notice.get_by_role("button", name="Keep my text").click()
    expect(notice).to_have_count(0)
    editor.saved()
    assert cells()[ORDERS]["properties"]["label"] == "My orders"


def test_a_name_that_one_only_looked_at_stays_what_another_made_of_it(editor, site, model, cells):
    editor.click(590, 160)
    editor.page.keyboard.press("F2")
    write(site, model, label="All orders")
    expect(editor.labelled("All orders")).to_have_count(1)
    editor.page.keyboard.press("Enter")
    expect(editor.page.locator(".label-editor")).to_have_count(0)
    editor.saved()
    assert cells()[ORDERS]["properties"]["label"] == "All orders"


def test_what_was_written_away_over_a_text_of_others_is_told_on_return(page, site, model, cells):
    away = Away(page)
    editor = Editor(page, model)
    away.go()
    expect(page.locator("#saved")).to_contain_text("Offline")
    editor.click(590, 160)
    page.get_by_label("Description").fill("Mine")
    page.get_by_label("Description").blur()
    write(site, model, description="Theirs")
    away.back()
    expect(page.locator("#notices .theirs")).to_have_text("Theirs")
    editor.saved()
    assert cells()[ORDERS]["properties"]["description"] == "Mine"
    assert page.problems == []


def test_the_host_ends_the_session_for_all(editor, browser_of, model):
    other = Editor(watched(browser_of("Writer").new_page()), model)
    page = editor.page
    expect(page.locator("#avatars .avatar")).to_have_count(2)
    page.get_by_role("tab", name="People").click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="End the session").click()
    expect(other.page.locator("#closed")).to_contain_text("The session was ended")
    other.page.get_by_role("link", name="Open it again").click()
    other.page.wait_for_selector("body[data-ready=true]")
    assert other.page.problems == []


def test_what_was_changed_away_from_what_others_removed_is_told(page, site, browser_of, model, cells):
    away = Away(page)
    editor = Editor(page, model)
    away.go()
    expect(page.locator("#saved")).to_contain_text("Offline")
    editor.click(590, 160)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("p")
    editor.drag((260, 300), (400, 380))
    editor.type("Kept")
    site.api(OWNER, "DELETE", f"/threat_models/{model['id']}/diagrams/{model['diagram']}/cells/{ORDERS}")
    away.back()
    expect(page.locator("#notices")).to_contain_text("A change of yours was not kept")
    editor.saved()
    now = cells()
    assert ORDERS not in now
    assert named(now, "Kept")["position"] == {"x": 260, "y": 300}
    expect(editor.cell(ORDERS)).to_have_count(0)
    # What was refused is nothing to undo: the first undo takes the name of the new shape back.
    page.locator("#canvas").focus()
    page.keyboard.press("Control+z")
    expect(page.locator("#live")).to_have_text("Undone")
    assert all(cell["properties"].get("label") != "Kept" for cell in cells().values())
    assert page.problems == []


def test_two_who_change_different_things_of_one_element_both_win(page, site, model, cells):
    away = Away(page)
    editor = Editor(page, model)
    away.go()
    expect(page.locator("#saved")).to_contain_text("Offline")
    editor.click(590, 160)
    page.keyboard.press("ArrowDown")
    path = f"/threat_models/{model['id']}/diagrams/{model['diagram']}/cells/{ORDERS}"
    site.api(OWNER, "PATCH", path, {"properties": {"label": "All orders"}})
    away.back()
    expect(editor.labelled("All orders")).to_have_count(1)
    editor.saved()
    assert cells()[ORDERS]["position"] == {"x": 520, "y": 130}
    assert cells()[ORDERS]["properties"]["label"] == "All orders"


def test_who_closes_the_page_with_unsent_changes_is_asked_and_finds_them_again(page, model, cells):
    away = Away(page)
    editor = Editor(page, model)
    away.go()
    expect(page.locator("#saved")).to_contain_text("Offline")
    page.keyboard.press("p")
    editor.drag((260, 300), (400, 380))
    editor.type("Not sent")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    again = watched(page.context.new_page())
    page.close(run_before_unload=True)
    for _ in range(50):
        if page.is_closed():
            break
        again.wait_for_timeout(50)
    assert asked == ["beforeunload"]
    back = Editor(again, model)
    expect(back.labelled("Not sent")).to_have_count(1)
    back.saved()
    assert named(cells(), "Not sent")
    assert again.problems == []


def test_who_closes_the_page_when_all_is_saved_is_not_asked(page, model):
    editor = Editor(page, model)
    page.keyboard.press("p")
    editor.drag((260, 300), (400, 380))
    editor.type("Sent")
    editor.saved()
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.close(run_before_unload=True)
    other = page.context.new_page()
    for _ in range(50):
        if page.is_closed():
            break
        other.wait_for_timeout(50)
    assert page.is_closed()
    assert asked == []


def test_an_undo_of_what_was_never_sent_needs_no_connection(page, model, cells):
    away = Away(page)
    editor = Editor(page, model)
    away.go()
    expect(page.locator("#saved")).to_contain_text("Offline")
    editor.click(590, 160)
    page.keyboard.press("ArrowDown")
    expect(page.locator("#saved")).to_contain_text("1 change waits here")
    page.keyboard.press("Control+z")
    expect(page.locator("#saved")).to_contain_text("what you change is sent later")
    away.back()
    editor.saved()
    assert cells()[ORDERS]["position"] == {"x": 520, "y": 120}


def test_a_kind_of_cell_that_is_not_known_is_a_plain_box_and_stays_what_it_is(page, site, model):
    """A newer server may know more kinds than a page that was opened before."""
    sent: list[Any] = []
    strange = box(77, "cloud", 520, 300, "Weather") | {"wind": {"from": "west"}}

    def route(socket: Any) -> None:
        server = socket.connect_to_server()

        def to_page(text: str) -> None:
            message = json.loads(text)
            if message.get("message_type") == "diagram_state":
                message["cells"].append(strange)
            socket.send(json.dumps(message))

        def to_server(text: str) -> None:
            sent.append(json.loads(text))
            server.send(text)

        server.on_message(to_page)
        socket.on_message(to_server)

    page.route_web_socket("**/ws/diagrams/**", route)
    editor = Editor(page, model)
    expect(editor.cell(cell_id(77)).locator("rect")).not_to_have_count(0)
    expect(editor.labelled("Weather")).to_have_count(1)
    editor.click(590, 340)
    expect(page.get_by_role("heading", name="cloud")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(300)
    [made] = [one for one in sent if one["message_type"] == "diagram_operation"]
    assert made["operation"]["cells"] == [
        {"id": cell_id(77), "operation": "update", "data": {"position": {"x": 520, "y": 310}}}
    ]
    assert page.problems == []


def test_nothing_is_lost_while_the_server_is_started_anew(chromium):
    folder = Path(tempfile.mkdtemp(prefix="tmi-e2e-"))
    site = again = None
    try:
        site = start(folder / "d")
        site.make_people("Owner", "Writer", "Reader")
        model = furnished(site)
        context = chromium.new_context(base_url=site.url)
        page = watched(context.new_page())
        sign_in(page, site, "Owner")
        editor = Editor(page, model)
        page.keyboard.press("p")
        editor.drag((260, 300), (400, 380))
        editor.type("Before")
        site.stop()
        expect(page.locator("#saved")).to_contain_text("Offline")
        page.keyboard.press("d")
        editor.drag((20, 300), (160, 380))
        editor.type("Meanwhile")
        again = start(folder / "d", TMI_SERVER_PORT=site.env["TMI_SERVER_PORT"])
        expect(page.locator("#saved")).to_have_text("Saved", timeout=40_000)
        editor.saved()
        path = f"/threat_models/{model['id']}/diagrams/{model['diagram']}/cells"
        cells = again.api(OWNER, "GET", path)
        assert {"Before", "Meanwhile", "Shop"} <= {cell["properties"]["label"] for cell in cells}
        expect(page.locator("#avatars .avatar")).to_have_count(1)
        assert page.locator(".surface [data-cell-id]").count() == len(cells)
        context.close()
    finally:
        for one in (again, site):
            if one is not None and one.process.poll() is None:
                one.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_who_has_too_much_open_is_told(browser_of, model):
    page = browser_of("Owner").new_page()
    page.route_web_socket("**/ws/diagrams/**", lambda socket: socket.close(code=4429))
    page.goto(f"/threat-models/{model['id']}/diagrams/{model['diagram']}")
    expect(page.get_by_text("You have too many diagrams open")).to_be_visible()


def test_what_lies_in_front_is_the_same_for_everybody(editor, browser_of, model, site):
    path = f"/threat_models/{model['id']}/diagrams/{model['diagram']}/cells"
    kinds = {33: "process", 31: "text", 32: "datastore"}
    for number, kind in kinds.items():
        cell = box(number, kind, 500 + number, 110, f"N{number}")
        site.api(OWNER, "PUT", f"{path}/{cell_id(number)}", cell)
        expect(editor.labelled(f"N{number}")).to_have_count(1)
    other = Editor(watched(browser_of("Writer").new_page()), model)
    stack = f"""() => [...document.querySelectorAll(".surface [data-cell-id]")]
      .map((one) => one.dataset.cellId).filter((id) => {[cell_id(n) for n in kinds]}.includes(id))"""
    texts_last = [cell_id(number) for number in (32, 33, 31)]
    assert until(lambda: other.page.evaluate(stack) == texts_last)
    assert editor.page.evaluate(stack) == texts_last
    # What was out of sight comes back to its place.
    editor.page.mouse.move(*editor.at(300, 300))
    editor.page.mouse.wheel(4_000, 0)
    assert until(lambda: not editor.page.evaluate(stack))
    editor.page.mouse.wheel(-4_000, 0)
    assert until(lambda: editor.page.evaluate(stack) == texts_last)
    site.api(OWNER, "PATCH", f"{path}/{cell_id(32)}", {"z": 1})
    in_front = [cell_id(number) for number in (33, 31, 32)]
    assert until(lambda: editor.page.evaluate(stack) == other.page.evaluate(stack) == in_front)
    assert other.page.problems == []


def test_two_draw_at_once_and_end_with_the_same(editor, browser_of, model, cells):
    other = Editor(watched(browser_of("Writer").new_page()), model)
    for turn in range(4):
        editor.page.keyboard.press("p")
        editor.drag((20 + 160 * turn, 300), (150 + 160 * turn, 370))
        editor.type(f"Mine {turn}")
        other.page.keyboard.press("d")
        other.drag((20 + 160 * turn, 420), (150 + 160 * turn, 490))
        other.type(f"Yours {turn}")
    editor.saved()
    other.saved()
    expect(editor.page.locator("#count")).to_have_text("13 elements")
    expect(other.page.locator("#count")).to_have_text("13 elements")
    drawn = """() => [...document.querySelectorAll(".surface [data-cell-id]")]
      .map((one) => one.getAttribute("data-cell-id") + one.textContent).sort()"""
    assert until(lambda: editor.page.evaluate(drawn) == other.page.evaluate(drawn))
    assert {SHOP, CUSTOMER} <= cells().keys()
    assert len(cells()) == 13
    assert other.page.problems == []
