"""The page of a diagram, as a person at it uses it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.furniture import cell_id

SHOP, CUSTOMER, ORDERS, ORDER, SAVE = (cell_id(number) for number in range(1, 6))

NOTHING_UNSENT = "Object.keys(localStorage).every((key) => !key.startsWith('tmi-unsent'))"

BOX_OF_SHOP = """(id) => {
  const shape = document.querySelector(`.surface [data-cell-id="${id}"] ellipse`)
  if (!shape) return null
  const at = shape.getScreenCTM()
  const [x, y, rx, ry] = ["cx", "cy", "rx", "ry"].map((name) => shape[name].baseVal.value)
  return [at.e + (x - rx) * at.a, at.f + (y - ry) * at.d, 2 * rx * at.a]
}"""


# After two frames, since what lies above the diagram is drawn in the next one, and drawn anew as a whole.
BOXES_OF = """(selector) => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
  done([...document.querySelectorAll(selector)].map((found) => {
    const { x, y, width, height } = found.getBoundingClientRect()
    return { x, y, width, height }
  })))))"""


def until(ask: Callable[[], Any]) -> Any:
    """What is answered, asked until that is something or five seconds have gone by.

    The policy of the pages lets the browser evaluate nothing again and again by itself.
    """
    end = time.monotonic() + 5
    while not (answer := ask()) and time.monotonic() < end:
        time.sleep(0.05)
    return answer


class Editor:
    """The page of a diagram; places are those of the diagram, not of the window."""

    def __init__(self, page: Page, model: dict[str, Any], rest: str = "") -> None:
        self.page = page
        page.goto(f"/threat-models/{model['id']}/diagrams/{model['diagram']}{rest}")
        page.wait_for_selector("body[data-ready=true]")

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a place of the diagram is in the window; the shop tells, which no test moves."""
        left, top, width = until(lambda: self.page.evaluate(BOX_OF_SHOP, SHOP))
        zoom = width / 140
        return left + (x - 260) * zoom, top + (y - 120) * zoom

    def cell(self, pk: str) -> Any:
        return self.page.locator(f'.surface [data-cell-id="{pk}"]')

    def boxes(self, selector: str) -> list[dict[str, float]]:
        """Where all that are so selected are in the window, at least one."""
        found: list[dict[str, float]] = until(lambda: self.page.evaluate(BOXES_OF, selector))
        return found

    def box(self, selector: str, cell: str | None = None) -> dict[str, float]:
        """Where the first that is so selected is in the window, or the first in this cell."""
        return self.boxes(f'.surface [data-cell-id="{cell}"] {selector}' if cell else selector)[0]

    def labelled(self, text: str) -> Any:
        return self.page.locator(".surface [data-cell-id]", has_text=text)

    def click(self, x: float, y: float, **more: Any) -> None:
        self.page.mouse.click(*self.at(x, y), **more)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        first, last = self.at(*start), self.at(*end)
        self.page.mouse.move(*first)
        self.page.mouse.down()
        self.page.mouse.move((first[0] + last[0]) / 2, (first[1] + last[1]) / 2, steps=3)
        self.page.mouse.move(*last, steps=3)
        self.page.mouse.up()

    def type(self, text: str) -> None:
        expect(self.page.locator(".label-editor")).to_be_focused()
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")
        expect(self.page.locator(".label-editor")).to_have_count(0)

    def saved(self) -> None:
        expect(self.page.locator("#saved")).to_have_text("Saved")
        assert until(lambda: self.page.evaluate(NOTHING_UNSENT))


class Away:
    """The socket of a page, which goes away and comes back when the test says so."""

    def __init__(self, page: Page) -> None:
        self.gone = False
        self.ends: list[Any] = []
        page.route_web_socket("**/ws/diagrams/**", self._route)

    def _route(self, socket: Any) -> None:
        if self.gone:
            socket.close(code=1001)
        else:
            self.ends = [socket, socket.connect_to_server()]

    def go(self) -> None:
        self.gone = True
        for end in self.ends:
            end.close(code=1001)

    def back(self) -> None:
        self.gone = False


def named(cells: dict[str, Any], label: str) -> dict[str, Any]:
    """The one cell of this label."""
    found: dict[str, Any]
    [found] = [cell for cell in cells.values() if cell["properties"].get("label") == label]
    return found
