"""Two people at one diagram in two browsers who do anything at random, now and then without a connection.

`make fuzz` runs it last. Whatever they do, no script may fail. Once both are connected and at rest, each
browser holds what the server has and draws it as one that has just come, and nothing waits to be sent.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.conftest import FLAGS, NAMES, sign_in, watched
from tests.e2e.drawing import NOTHING_UNSENT, Away, until
from tests.e2e.furniture import furnished
from tests.e2e.jitter import disturb
from tests.e2e.site import Site, start

OWNER = "owner@example.org"
SETTINGS = {
    "TMI_RATE_LIMITS_REQUESTS_PER_MINUTE": "0",
    "TMI_RATE_LIMITS_PER_ENDPOINT_PER_MINUTE": "0",
    "TMI_COLLABORATION_CONNECTIONS_PER_USER": "200",
}
# So many things in a row; then both come to rest and are compared.
ROUND = 60
REST_SECONDS = 30
# What a shape looks like, without the names of flows, whose places depend on what stood in their way when
# they were put there.
DRAWN = """() => {
  const drawn = {}
  for (const node of document.querySelectorAll(".surface [data-cell-id]")) {
    const plain = node.cloneNode(true)
    plain.querySelectorAll(".flow-label, .badge-mark").forEach((one) => one.remove())
    const id = node.dataset.cellId
    drawn[id] = id in drawn ? `${drawn[id]} and once more: ${plain.innerHTML}` : plain.innerHTML
  }
  // The order tells what lies in front of what.
  return Object.entries(drawn)
}"""
ONE_BOX = """(share) => {
  const all = document.querySelectorAll(".surface [data-cell-id]")
  const { x, y, width, height } = all[Math.floor(share * all.length)]?.getBoundingClientRect() ?? {}
  return x === undefined ? null : { x, y, width, height }
}"""
USE_FIELD = """(fields, at) => {
  fields[at]?.type === "checkbox" ? fields[at].click() : fields[at]?.focus()
  return fields[at]?.type ?? null
}"""
WRITING = "document.activeElement?.matches('input, textarea, [contenteditable]') ?? false"
KEYS = (
    "Control+z Control+z Control+z Control+Shift+z Control+y Control+c Control+x Control+v Control+v"
    " Control+d Control+a Delete Backspace Escape Escape Enter F2 PageDown PageUp Shift+PageDown"
    " ArrowLeft ArrowRight ArrowUp ArrowDown Shift+ArrowLeft Alt+ArrowRight Control+ArrowRight"
    " Control+ArrowDown Control+] Control+[ Control+Shift+l Control+Shift+f Control+Shift+b"
    " Shift+1 Control+= Control+- Control+' m v h"
).split()
COMMANDS = (
    "Reverse the flow",
    "Remove the bends of the flow",
    "Align left edges",
    "Align middles",
    "Distribute horizontally",
    "Lay out along the flows",
    "Panel: History",
    "Panel: Properties",
    "Panel: Threats",
    "Add: Process",
)
WORDS = ("Shop", "Orders", "", "  ", "a\u200db", "<b>&amp;", "שלום", "x" * 250, "Ünïcödé 😀", "null", "-1")


@dataclass
class Person:
    """Somebody at the diagram; `did` is what they did last."""

    name: str
    page: Page
    away: Away
    chance: random.Random
    did: list[str] = field(default_factory=list)

    def act(self) -> None:
        """One thing at random."""
        acts: list[tuple[float, Callable[[], str]]] = [
            (8, self._draw), (6, self._drag), (6, self._click), (4, self._write), (16, self._press),
            (3, self._command), (2, self._fill), (1, self._leave), (1, self._look_back), (0.5, self._reload),
        ]  # fmt: skip
        [act] = self.chance.choices([act for _, act in acts], [weight for weight, _ in acts])
        self.did.append(act())

    def _place(self) -> tuple[float, float]:
        """Mostly at something that is drawn, of a canvas that leaves room for the panel."""
        if self.chance.random() < 0.7 and (box := self.page.evaluate(ONE_BOX, self.chance.random())):
            x = box["x"] + box["width"] * self.chance.random()
            y = box["y"] + box["height"] * self.chance.random()
            if 100 < x < 900 and 60 < y < 680:
                return x, y
        return self.chance.uniform(110, 890), self.chance.uniform(70, 670)

    def _move(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move(*end, steps=self.chance.randint(1, 5))
        if self.chance.random() < 0.1:
            self.page.keyboard.press("Escape")
        self.page.mouse.up()

    def _draw(self) -> str:
        key = self.chance.choice("pdebtff")
        self.page.keyboard.press(key)
        start, end = self._place(), self._place()
        self._move(start, end)
        return f"{key} {start} {end} {self._write()}"

    def _drag(self) -> str:
        start, end = self._place(), self._place()
        self._move(start, end)
        return f"drag {start} {end}"

    def _click(self) -> str:
        at, held = self._place(), self.chance.choice(("", "", "Shift", "Control"))
        if held:
            self.page.keyboard.down(held)
        self.page.mouse.click(*at, click_count=self.chance.choice((1, 1, 1, 2)))
        if held:
            self.page.keyboard.up(held)
        return f"click {held} {at}"

    def _write(self) -> str:
        """Only where letters are written and not taken for commands."""
        text, end = self.chance.choice(WORDS), self.chance.choice(("Enter", "Enter", "Escape", "Tab"))
        if self.page.evaluate(
            "document.activeElement?.matches('input, textarea, [contenteditable]') ?? false"
        ):
            self.page.keyboard.insert_text(text)
            self.page.keyboard.press(end)
            return f"write {text[:20]!r} {end}"
        return "nothing to write in"

    def _press(self) -> str:
        key = self.chance.choice(KEYS)
        self.page.keyboard.press(key)
        return key

    def _command(self) -> str:
        name = self.chance.choice(COMMANDS)
        command(self.page, name)
        return name

    def _fill(self) -> str:
        """Something of the panel, if it is shown."""
        fields = self.page.locator("#panel-properties").locator(
            "input:visible, textarea:visible, select:visible"
        )
        if not (many := fields.count()):
            return "no field"
        kind = fields.evaluate_all(USE_FIELD, self.chance.randrange(many))
        if kind in ("text", "textarea"):
            self.page.keyboard.insert_text(self.chance.choice(WORDS))
            self.page.keyboard.press("Tab")
        self.page.locator("#canvas").evaluate("(it) => it.focus()")
        return f"fill {kind}"

    def _leave(self) -> str:
        if self.away.gone:
            self.away.back()
            return "came back"
        self.away.go()
        return "left"

    def _look_back(self) -> str:
        """To any moment of the history; sometimes the diagram becomes again what it was then."""
        command(self.page, "Panel: History")
        slider = self.page.get_by_label("Moment")
        if self.away.gone or not slider.is_visible():
            return "no history"
        first, last = (int(slider.get_attribute(name) or 0) for name in ("min", "max"))
        moment = self.chance.randint(first, last)
        slider.fill(str(moment))
        if self.chance.random() < 0.3:
            self.page.get_by_role("button", name="Restore this").click()
            return f"restored {moment}"
        self._leave_past()
        return f"looked at {moment}"

    def _leave_past(self) -> None:
        if self.page.locator("#past").is_visible():
            self.page.locator("#past button").click()

    def _reload(self) -> str:
        if self.away.gone:
            return "no reload without a connection"
        self.page.reload()
        self.page.wait_for_selector("body[data-ready=true]")
        return "reload"

    def rest(self) -> None:
        """Connected, nothing in hand, everything sent. Raises AssertionError when that takes too long."""
        self.away.back()
        for _ in range(4):
            self.page.keyboard.press("Escape")
        self._leave_past()
        self.page.locator("#canvas").evaluate("(it) => it.focus()")
        end = time.monotonic() + REST_SECONDS
        while not (
            self.page.locator("#saved").inner_text() == "Saved" and self.page.evaluate(NOTHING_UNSENT)
        ):
            if time.monotonic() > end:
                raise AssertionError(f"{self.name}: still {self.page.locator('#saved').inner_text()!r}")
            self.page.wait_for_timeout(100)


def command(page: Page, name: str) -> None:
    """Runs a command of the palette; nothing happens where it is not offered at the moment."""
    page.keyboard.press("Escape")
    page.locator("#canvas").evaluate("(it) => it.focus()")
    page.keyboard.press("Control+k")
    page.keyboard.insert_text(name)
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")


def cells_of(page: Page) -> dict[str, Any]:
    """What the browser holds, as it gives it out itself."""
    with page.expect_download() as started:
        command(page, "Export as JSON")
    told = json.loads(Path(started.value.path()).read_text(encoding="utf-8"))
    return {cell["id"]: cell for cell in told["diagram_data"]["cells"]}


@dataclass
class Table:
    """The diagram and those who sit at it."""

    site: Site
    browser: Browser
    model: dict[str, Any]
    people: list[Person] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"/threat-models/{self.model['id']}/diagrams/{self.model['diagram']}"

    def seat(self, name: str, chance: random.Random) -> Person:
        context = self.browser.new_context(
            base_url=self.site.url, viewport={"width": 1280, "height": 720}, accept_downloads=True
        )
        context.set_default_timeout(15_000)
        disturb(context)
        page = watched(context.new_page())
        sign_in(page, self.site, name)
        page.on("dialog", lambda dialog: dialog.accept())
        person = Person(name, page, Away(page), chance)
        self._open(page)
        return person

    def _open(self, page: Page) -> None:
        page.goto(self.address)
        page.wait_for_selector("body[data-ready=true]")

    def judge(self) -> list[str]:
        """What is wrong once everybody is at rest."""
        for person in self.people:
            person.rest()
        path = f"/threat_models/{self.model['id']}/diagrams/{self.model['diagram']}/cells"
        kept = {cell["id"]: cell for cell in self.site.api(OWNER, "GET", path)}
        faults = []
        for person in self.people:
            # What the other did last is on its way for a moment.
            until(lambda page=person.page: cells_of(page) == kept)  # type: ignore[misc]
            faults += differences(f"{person.name} holds", cells_of(person.page), kept)
            problems: list[str] = person.page.problems  # type: ignore[attr-defined]
            faults += [f"{person.name}: {problem}" for problem in problems]
        fresh = self.people[0].page.context.new_page()
        self._open(fresh)
        for page in (fresh, *(person.page for person in self.people)):
            page.locator("#canvas").evaluate("(it) => it.focus()")
            page.keyboard.press("Escape")
            page.keyboard.press("Shift+1")
        fresh.wait_for_timeout(500)
        fresh.wait_for_timeout(500)
        drawn = dict(fresh.evaluate(DRAWN))
        for person in self.people:
            seen = dict(person.page.evaluate(DRAWN))
            # What is out of sight, or too small, is not drawn: windows differ.
            ours, theirs = (
                {pk: look for pk, look in one.items() if pk in seen and pk in drawn} for one in (seen, drawn)
            )
            faults += differences(f"{person.name} sees", ours, theirs)
            if list(ours) != list(theirs):
                faults.append(f"{person.name} has in front {list(ours)}\n    instead of {list(theirs)}")
        fresh.close()
        return faults


def differences(who: str, found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    wrong = [pk for pk in sorted({*found, *wanted}) if found.get(pk) != wanted.get(pk)]
    return [f"{who} {found.get(pk)}\n    instead of {wanted.get(pk)}" for pk in wrong[:5]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))  # noqa: S311
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="tmi-fuzz-"))
    site = start(folder / "d", **SETTINGS)
    try:
        site.make_people("Owner", "Writer", "Reader")
        with sync_playwright() as playwright:
            path = next(filter(None, map(shutil.which, NAMES)), None) or playwright.chromium.executable_path
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            return run(Table(site, browser, furnished(site)), options.steps, options.seed)
    finally:
        site.stop()
        shutil.rmtree(folder, ignore_errors=True)


def run(table: Table, steps: int, seed: int) -> int:
    """1 at the first round in which something is wrong, with what was done in it."""
    chance = random.Random(seed)  # noqa: S311
    table.people = [table.seat(name, chance) for name in ("Owner", "Writer")]
    for done in range(0, steps, ROUND):
        for _ in range(ROUND):
            chance.choice(table.people).act()
        faults = table.judge()
        if faults:
            print(f"after {done + ROUND} steps:", *faults, sep="\n  ")
            for person in table.people:
                print(f"{person.name} did:", *person.did, sep="\n  ")
            return 1
        for person in table.people:
            person.did.clear()
    print(f"{steps} things done by two people: both browsers and the server agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
