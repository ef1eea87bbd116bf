"""The editor in a real browser, beside bare X6 with the same cells; and how many bytes each page is.

Times run from the moment the browser has the cells until two frames after they are on screen. Frames are
counted by the page itself while the mouse drags a shape or the view.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench.row import Row
from tests.e2e.conftest import FLAGS, NAMES, sign_in
from tests.e2e.site import Site, start

OWNER = "owner@example.org"
SIZES = {1_000: 0.6, 5_000: 1.5, 10_000: 3.0}
DRAG_FPS, FAR_FPS = 55, 30
MOVES, EACH_MS = 90, 16
LARGEST_PAGE = 100_000
# In every second row of shapes a flow joins neighbours: so many shapes, so many flows.
COLUMNS = 50

WATCH = """
const Native = WebSocket
window.marks = {}
window.WebSocket = class extends Native {
  constructor(...how) {
    super(...how)
    this.addEventListener("message", () => { window.marks.data ??= performance.now() })
  }
}
const seen = new MutationObserver(() => {
  if (document.body?.dataset.ready !== "true" || window.marks.shown) return
  seen.disconnect()
  requestAnimationFrame(() => requestAnimationFrame(() => { window.marks.shown = performance.now() }))
})
seen.observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-ready"] })
"""
COUNT = """
() => {
  const frames = []
  const note = (now) => { frames.push(now); window.counting = requestAnimationFrame(note) }
  window.frames_ = frames
  window.counting = requestAnimationFrame(note)
}
"""
COUNTED = """
() => {
  cancelAnimationFrame(window.counting)
  const frames = window.frames_
  return (frames.length - 1) / (frames.at(-1) - frames[0]) * 1000
}
"""
BARE = """<!doctype html><body style="margin:0"><div id="it" style="width:1280px;height:800px"></div>
<script src="/static/vendor/x6/x6.min.js"></script><script>
window.draw = (cells) => new Promise((done) => {
  const { Graph } = window.X6
  const graph = new Graph({ container: document.getElementById("it"), width: 1280, height: 800,
    async: true, virtual: true, panning: true, interacting: true })
  const all = cells.map((cell) => cell.position
    ? { shape: "rect", id: cell.id, ...cell.position, ...cell.size, label: cell.properties.label }
    : { shape: "edge", id: cell.id, source: cell.source.cell, target: cell.target.cell })
  const began = performance.now()
  graph.fromJSON({ cells: all })
  const end = () => done((performance.now() - began) / 1000)
  graph.on("render:done", () => requestAnimationFrame(() => requestAnimationFrame(end)))
})
</script></body>"""


def rows() -> list[Row]:
    """All rows of the editor and the pages; none where there is no browser."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        print("no Chromium: the rows of the editor are left out")
        return []
    with _served() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=site.url)
        sign_in(context.new_page(), site, "Owner")
        state: Any = context.storage_state()
        found: list[Row] = []
        for size, most in SIZES.items():
            found += _editor(site, browser, state, size, most)
        found += _remote(site, browser, state)
        found += _bytes(site, browser, state)
        browser.close()
        return found


@contextmanager
def _served() -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="tmi-bench-"))
    site = start(folder / "d", TMI_RATE_LIMITS_REQUESTS_PER_MINUTE="0")
    try:
        site.make_person("Owner")
        yield site
    finally:
        site.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _cells(count: int) -> list[dict[str, Any]]:
    half = count // 2
    shapes = [
        {
            "id": f"00000000-0000-4000-8000-{number:012}",
            "type": ("process", "datastore", "external_entity")[number % 3],
            "properties": {"label": f"Element {number}"},
            "position": {"x": 220 * (number % COLUMNS), "y": 140 * (number // COLUMNS)},
            "size": {"width": 130, "height": 70},
        }
        for number in range(count - half)
    ]
    flows = [
        {
            "id": f"00000000-0000-4000-9000-{number:012}",
            "type": "data_flow",
            "properties": {"label": ""},
            "source": {"cell": shapes[number]["id"]},
            "target": {"cell": shapes[(number + 1) % len(shapes)]["id"]},
        }
        for number in range(half)
    ]
    return [*shapes, *flows]


def _diagram(site: Site, cells: list[dict[str, Any]]) -> str:
    """The address of a new diagram."""
    model = site.api(OWNER, "POST", "/threat_models", {"name": "Bench"})["id"]
    body = {"name": "Bench", "diagram_data": {"cells": cells}}
    made = site.api(OWNER, "POST", f"/threat_models/{model}/diagrams", body)["id"]
    return f"/threat-models/{model}/diagrams/{made}"


def _editor(site: Site, browser: Browser, state: Any, size: int, most: float) -> list[Row]:
    cells = _cells(size)
    address = _diagram(site, cells)
    ours = sorted(_shown(site, browser, state, address) for _ in range(3))[1]
    bare = sorted(_bare(site, browser, cells) for _ in range(3))[1]
    what = f"editor, {size:,} cells"
    found = [
        Row(f"{what}: on screen after its data", ours, most, "s", 1, True),
        Row(f"{what}: against bare X6", ours, bare, "s", 2, True),
    ]
    page = _opened(site, browser, state, address)
    page.keyboard.press("Control+0")
    found.append(Row(f"{what}: dragging a shape", _dragged(page, "v"), DRAG_FPS, "fps", 1))
    found.append(Row(f"{what}: panning", _dragged(page, "h"), DRAG_FPS, "fps", 1))
    if size == 5_000:
        page.keyboard.press("Shift+Digit1")
        page.wait_for_timeout(500)
        found.append(Row(f"{what}: all in view, panning", _dragged(page, "h"), FAR_FPS, "fps", 1))
    page.context.close()
    return found


def _opened(site: Site, browser: Browser, state: Any, address: str) -> Page:
    context = browser.new_context(
        storage_state=state, viewport={"width": 1280, "height": 800}, base_url=site.url
    )
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(address)
    page.wait_for_selector("body[data-ready=true]")
    for _ in range(200):
        if page.evaluate("() => window.marks.shown"):
            break
        page.wait_for_timeout(20)
    return page


def _shown(site: Site, browser: Browser, state: Any, address: str) -> float:
    page = _opened(site, browser, state, address)
    seconds: float = page.evaluate("() => (window.marks.shown - window.marks.data) / 1000")
    page.context.close()
    return seconds


def _bare(site: Site, browser: Browser, cells: list[dict[str, Any]]) -> float:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=site.url)
    page = context.new_page()
    page.route("**/bare-x6", lambda route: route.fulfill(body=BARE, content_type="text/html"))
    page.goto("/bare-x6")
    seconds: float = page.evaluate("(cells) => window.draw(cells)", cells)
    context.close()
    return seconds


def _dragged(page: Page, tool: str) -> float:
    """Frames a second while the mouse moves to and fro with its button down."""
    page.locator("#canvas").focus()
    page.keyboard.press(tool)
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    if tool == "v":
        shape = page.locator(".surface [data-cell-id]:has(ellipse)").first.bounding_box()
        assert shape is not None
        x, y = shape["x"] + shape["width"] / 2, shape["y"] + shape["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 5, y + 5)
    page.evaluate(COUNT)
    for number in range(MOVES):
        way = number % 60
        page.mouse.move(x + 4 * (way if way < 30 else 60 - way), y + 2 * (way if way < 30 else 60 - way))
        page.wait_for_timeout(EACH_MS / 2)
    rate: float = page.evaluate(COUNTED)
    page.mouse.up()
    return rate


def _remote(site: Site, browser: Browser, state: Any) -> list[Row]:
    """How long after its acknowledgement to the writer an operation is on another's screen."""
    address = _diagram(site, _cells(100))
    one, other = (_opened(site, browser, state, address) for _ in range(2))
    other.evaluate(
        """() => {
          window.late = []
          new MutationObserver(() => window.late.push(Date.now()))
            .observe(document.querySelector(".surface"), { subtree: true, childList: true, attributes: true })
        }"""
    )
    took: list[float] = []
    one.locator("#canvas").focus()
    one.keyboard.press("PageDown")
    for _ in range(15):
        other.evaluate("() => { window.late.length = 0 }")
        sent = one.evaluate("() => Date.now()")
        one.keyboard.press("ArrowRight")
        for _ in range(100):
            late = other.evaluate("() => window.late.at(-1) ?? null")
            if late is not None:
                took.append(late - sent)
                break
            other.wait_for_timeout(5)
    one.context.close()
    other.context.close()
    middle = sorted(took)[len(took) // 2] if took else float("inf")
    return [Row("editor: another's change is on screen after a key was pressed", middle, 100, "ms", 1, True)]


def _bytes(site: Site, browser: Browser, state: Any) -> list[Row]:
    """What is transferred, compressed, for a first visit to each page."""
    for number in range(19):
        site.api(OWNER, "POST", "/threat_models", {"name": f"Model {number}"})
    model = site.api(OWNER, "POST", "/threat_models", {"name": "With threats"})["id"]
    threats = [{"name": f"Threat {n}", "severity": "high", "description": "text " * 30} for n in range(100)]
    site.api(OWNER, "POST", f"/threat_models/{model}/threats/bulk", threats)
    pages = {
        "dashboard of 20": ("/", LARGEST_PAGE),
        "threat model with 100 threats": (f"/threat-models/{model}", LARGEST_PAGE),
        "editor, 100 cells": (_diagram(site, _cells(100)), 10 * LARGEST_PAGE),
    }
    found = []
    for what, (address, most) in pages.items():
        context = browser.new_context(storage_state=state, base_url=site.url)
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        sizes: list[float] = []
        session.on(
            "Network.loadingFinished", lambda event, kept=sizes: kept.append(event["encodedDataLength"])
        )
        page.goto(address)
        page.wait_for_timeout(1_500)
        context.close()
        found.append(
            Row(f"{what}: transferred on a first visit", sum(sizes) / 1000, most / 1000, "kB", 1, True)
        )
    return found


if __name__ == "__main__":
    print(json.dumps([vars(row) for row in rows()], indent=1))
