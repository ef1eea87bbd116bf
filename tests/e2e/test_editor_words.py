"""The words of the editor in another language and the other direction, and names of any kind."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.conftest import watched
from tests.e2e.drawing import CUSTOMER, ORDERS, SHOP, Editor
from tests.e2e.furniture import box, cell_id
from tests.e2e.site import ROOT
from tests.e2e.test_accessibility import RULES

OWNER = "owner@example.org"
SCRIPTS = sorted((ROOT / "static").rglob("*.js"))
# A language in which every word is recognised.
STRANGE = """
window.gettext = (text) => `«${text}»`
window.ngettext = (one, many, count) => `«${count === 1 ? one : many}»`
"""
# Texts of what the scripts made, and the names that are read out, in which no word of that language is.
UNTOLD = """(selectors) => {
  const found = []
  const words = (text) => /\\p{L}{2,}/u.test(text)
  for (const root of document.querySelectorAll(selectors)) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const part = node.parentElement.closest("li, dt, dd, label, button, h2, p, option, summary, span")
      const whole = (part ?? node.parentElement).textContent
      if (words(node.data) && !whole.includes("«")) found.push(node.data.trim())
    }
    for (const one of root.querySelectorAll("[aria-label], [placeholder]")) {
      for (const name of ["aria-label", "placeholder"]) {
        const text = one.getAttribute(name)
        if (text && words(text) && !text.includes("«")) found.push(`${name}: ${text}`)
      }
    }
  }
  return found
}"""
NAMES = {
    "Shop", "Customer", "Orders", "order", "save", "Owner", "Writer", "Card numbers",
    "Orders are read on the way", "Nobody knows who ordered", "Information disclosure",
}  # fmt: skip


def in_strange(page: Page) -> Page:
    page.route("**/catalogue.js", lambda route: route.fulfill(body=STRANGE, content_type="text/javascript"))
    return page


def test_every_word_of_the_scripts_comes_from_the_catalogue(page, model):
    editor = Editor(in_strange(page), model)
    untold: list[str] = []

    def look(selectors: str) -> None:
        untold.extend(page.evaluate(UNTOLD, selectors))

    look(".statusbar, #avatars")
    for tab in ("People", "History", "Threats", "Properties"):
        page.get_by_role("tab", name=tab).click()
        expect(page.locator(f"#panel-{tab.lower()}")).to_contain_text("«")
        look(f"#panel-{tab.lower()}")
    for x in (500, 590, 330):
        editor.click(x, 160)
        closed = page.locator("#panel-properties details:not([open]) > summary")
        while closed.count():
            closed.first.click()
        look("#panel-properties")
    page.keyboard.press("Escape")
    page.locator("#canvas").focus()
    for key, selector in (("?", ".dialog"), ("Control+k", ".dialog"), ("Control+f", ".dialog")):
        page.keyboard.press(key)
        expect(page.locator(selector)).to_be_visible()
        look(selector)
        page.keyboard.press("Escape")
        expect(page.locator(selector)).to_have_count(0)
    page.keyboard.press("Control+a")
    look("#panel-properties")
    expect(page.locator("#live")).to_contain_text("«")
    page.get_by_role("tab", name="History").click()
    page.locator("#panel-history input[type=range]").first.fill("0")
    expect(page.locator("#past")).to_contain_text("«")
    look("#panel-history, #past span")
    # Names that people gave, the server's own words, keys, and dates.
    known = sorted(NAMES | set(page.evaluate(SERVER_WORDS)), key=len, reverse=True)
    assert {one for one in untold if words_left(one, known)} == set()


def words_left(text: str, known: list[str]) -> bool:
    """Whether there is a word in the text that is none of these, nor the name of a key."""
    text = text.removeprefix("aria-label: ").removeprefix("placeholder: ")
    for one in known:
        text = re.sub(rf"(?<!\w){re.escape(one)}(?!\w)", " ", text)
    return re.search(r"[^\W\d_]{2,}", KEYS.sub(" ", text)) is not None


# Labels of the page as it was sent, words of its settings, and every text of what the rules say.
SERVER_WORDS = """async () => {
  const sent = new DOMParser().parseFromString(await (await fetch(location.pathname)).text(), "text/html")
  const settings = JSON.parse(document.querySelector("#settings").textContent)
  const found = [...sent.querySelectorAll("[aria-label]")].map((one) => one.getAttribute("aria-label"))
  for (const name of ["severities", "statuses", "threat_types"]) {
    found.push(...settings[name].map(([, label]) => label))
  }
  // Such values are for programs: where the script shows one, it is a word that nobody translated.
  const codes = ["state", "type", "cell_type", "check", "severity"]
  const texts = (value) => typeof value === "string" ? found.push(value)
    : value && typeof value === "object"
      ? Object.entries(value).forEach(([key, one]) => codes.includes(key) || texts(one)) : null
  for (const path of [settings.suggestions, settings.coverage]) {
    texts((await (await fetch(`/api/v1${path}`)).json()).data)
  }
  return found.filter(Boolean)
}"""
KEYS = re.compile(r"Ctrl|Shift|Alt|Esc|Enter|Del|PgUp|PgDn|F\d+|⌫")


def test_the_collector_of_words_finds_those_of_the_scripts():
    """What `makemessages` runs, with its own options, finds as many words as the scripts ask for."""
    from tmi.management.commands.makemessages import Command

    wanted = set()
    for script in SCRIPTS:
        wanted |= set(re.findall(r'\bsay\("((?:[^"\\]|\\.)*)"', script.read_text()))
    try:
        made = subprocess.run(
            ["xgettext", "--language=JavaScript", "--from-code=UTF-8", "--no-wrap", "-o", "-"]
            + [one for one in Command.xgettext_options if one.startswith("--keyword=say")]
            + [str(one) for one in SCRIPTS],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except FileNotFoundError:
        pytest.skip("no xgettext (Debian and Ubuntu: apt install gettext)")
    found = set(re.findall(r'^msgid "(.+)"$', made, re.MULTILINE))
    assert len(wanted) > 150
    assert wanted - found == set()


RIGHT_TO_LEFT = """new MutationObserver((_, observer) => {
  if (!document.documentElement) return
  document.documentElement.dir = "rtl"
  observer.disconnect()
}).observe(document, { childList: true })"""


def right_to_left(page: Page) -> Page:
    page.add_init_script(RIGHT_TO_LEFT)
    css = ROOT / "node_modules" / "bootstrap" / "dist" / "css" / "bootstrap.rtl.min.css"
    page.route("**/bootstrap*.css", lambda route: route.fulfill(path=css))
    return page


def test_the_page_is_mirrored_and_the_diagram_is_not(page, site, model):
    boundary = box(20, "trust_boundary", 500, 80, "Data centre") | {"size": {"width": 200, "height": 160}}
    path = f"/threat_models/{model['id']}/diagrams/{model['diagram']}/cells"
    site.api(OWNER, "PUT", f"{path}/{boundary['id']}", boundary)
    editor = Editor(right_to_left(page), model)
    palette, side = (page.locator(one).bounding_box() for one in ("#palette", ".side"))
    assert side["x"] < palette["x"]
    customer = editor.box("text", CUSTOMER)
    assert customer["x"] < editor.box("text", SHOP)["x"]
    frame = editor.box("rect", boundary["id"])
    name = editor.box("text", boundary["id"])
    assert frame["x"] <= name["x"] < name["x"] + name["width"] <= frame["x"] + frame["width"]
    # Drawing and dragging are where the pointer is.
    page.keyboard.press("p")
    editor.drag((260, 300), (400, 380))
    editor.type("Here")
    editor.saved()
    made = [cell for cell in site.api(OWNER, "GET", path) if cell["properties"]["label"] == "Here"]
    assert made[0]["position"] == {"x": 260, "y": 300}
    # The arrows of the tabs go where they point.
    tabs = [page.get_by_role("tab", name=name).bounding_box()["x"] for name in ("Properties", "Threats")]
    assert tabs[1] < tabs[0]
    page.get_by_role("tab", name="Properties").click()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tab", name="Threats")).to_have_attribute("aria-selected", "true")
    assert page.problems == []


@pytest.mark.parametrize(
    "label",
    [
        pytest.param("x" * 10_000, id="long word"),
        pytest.param("many words " * 900, id="many words"),
        pytest.param("قاعدة بيانات الطلبات", id="right to left"),
        pytest.param("👩‍👩‍👧‍👦 café 🛒 ﷽ e\u0301 注文データベース", id="emoji"),
        pytest.param("</text><script>window.hit = 1</script>&lt;b&gt;", id="markup"),
        pytest.param("a\nb\nc\nd\ne\nf\ng", id="many lines"),
    ],
)
def test_a_name_is_shown_within_its_shape_and_is_only_text(page, site, model, label):
    path = f"/threat_models/{model['id']}/diagrams/{model['diagram']}/cells"
    site.api(OWNER, "PATCH", f"{path}/{ORDERS}", {"properties": {"label": label}})
    flow = f"{path}/{cell_id(5)}"
    site.api(OWNER, "PATCH", flow, {"properties": {"label": label}})
    editor = Editor(page, model)
    frame = editor.box("rect", ORDERS)
    for place in editor.boxes(f'.surface [data-cell-id="{ORDERS}"] text'):
        assert frame["x"] - 6 <= place["x"]
        assert place["x"] + place["width"] <= frame["x"] + frame["width"] + 6
        assert frame["y"] - 2 <= place["y"]
        assert place["y"] + place["height"] <= frame["y"] + frame["height"] + 2
    assert page.evaluate("window.hit") is None
    assert page.locator(".surface script").count() == 0
    editor.click(590, 160)
    assert page.get_by_label("Name", exact=True).input_value() == label
    # Looking at it changes nothing, and it can be told apart in the list.
    page.locator("#canvas").focus()
    page.keyboard.press("Control+f")
    expect(page.locator("#chooser-list li")).to_have_count(5)
    page.keyboard.press("Escape")
    now = site.api(OWNER, "GET", f"{path}/{ORDERS}")
    assert now["properties"]["label"] == label
    assert page.problems == []


STATES: dict[str, Any] = {
    "history": lambda page: page.get_by_role("tab", name="History").click(),
    "past": lambda page: (
        page.get_by_role("tab", name="History").click(),
        page.get_by_label("Moment").fill("0"),
        expect(page.locator("#past")).to_be_visible(),
    ),
    "legend": lambda page: (
        page.get_by_role("tab", name="Threats").click(),
        page.get_by_text("Badges").click(),
    ),
    "menu": lambda page: page.get_by_text("Arrange", exact=True).click(),
    "palette": lambda page: (page.locator("#canvas").focus(), page.keyboard.press("Control+k")),
    "label": lambda page: (
        page.locator("#canvas").focus(),
        page.keyboard.press("PageDown"),
        page.keyboard.press("Enter"),
    ),
    "all": lambda page: (page.locator("#canvas").focus(), page.keyboard.press("Control+a")),
    "narrow": lambda page: (
        page.set_viewport_size({"width": 360, "height": 700}),
        page.locator("#panel-toggle").click(),
    ),
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_no_state_of_the_editor_shuts_anybody_out(browser_of, model, theme, state):
    page = watched(browser_of("Owner", color_scheme=theme, reduced_motion="reduce").new_page())
    Editor(page, model)
    STATES[state](page)
    page.wait_for_timeout(200)
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    assert page.problems == []


def test_the_page_of_a_reader_shuts_nobody_out_mirrored_either(browser_of, model):
    page = right_to_left(watched(browser_of("Reader").new_page()))
    Editor(page, model)
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    assert page.problems == []
