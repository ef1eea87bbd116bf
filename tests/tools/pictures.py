"""Makes the pictures of the handbooks from the running product: `.venv/bin/python -m tests.tools.pictures`.

Everything is seen by Ann, who begins with a copy of the demo and shares it with Ben.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.e2e.conftest import FLAGS, NAMES, sign_in
from tests.e2e.site import ROOT, Site, start
from threatmodels.interchange.limits import Limits
from threatmodels.interchange.registry import read
from threatmodels.pictures.svg import diagram_svg

FOLDER = ROOT / "docs" / "pictures"
SIZE = {"width": 1280, "height": 800}
COLORS = 255


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    architecture()
    # A short path: sockets lie below it.
    folder = Path(tempfile.mkdtemp(prefix="tmi-pictures-"))
    try:
        site = start(folder / "d")
        try:
            site.make_people("Ann", "Ben")
            photograph(site)
        finally:
            site.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def architecture() -> None:
    """Our own diagram, as it stands in docs/tmi.json."""
    data = (ROOT / "docs" / "tmi.json").read_bytes()
    found = read(data, filename="tmi.json", limits=Limits(max_bytes=len(data))).document.diagrams[0]
    (FOLDER / "architecture.svg").write_text(
        diagram_svg(found.cells, title=found.name, theme="light") + "\n", encoding="utf-8"
    )


def photograph(site: Site) -> None:
    program = next(filter(None, map(shutil.which, NAMES)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        page = browser.new_page(viewport=SIZE, base_url=site.url)
        sign_in(page, site, "Ann")
        page.get_by_role("button", name="Open the demo").click()
        model = page.url
        keep(page, "threat-model")
        share(site, model)
        for name, take in TAKES.items():
            page.goto(model)
            take(page, model)
            keep(page, name)
        page.goto(site.url)
        keep(page, "dashboard")
        browser.close()


def share(site: Site, model: str) -> None:
    entry = {"subject_type": "user", "email": "ben@example.org", "role": "writer"}
    site.api("ann@example.org", "POST", f"/threat_models/{model.rsplit('/', 1)[1]}/access", entry)


def editor(page: Page, _model: str) -> None:
    page.locator("a[href*='/diagrams/']:not([href$='/new'])").first.click()
    page.wait_for_load_state()
    page.get_by_role("tab", name="Threats").click()
    page.wait_for_timeout(1500)


def threat(page: Page, _model: str) -> None:
    page.locator("a[href*='/threats/']:not([href$='/new'])").first.click()


def at(path: str) -> Callable[[Page, str], None]:
    def go(page: Page, model: str) -> None:
        page.goto(f"{model}/{path}")

    return go


TAKES: dict[str, Callable[[Page, str], None]] = {
    "editor": editor,
    "threat": threat,
    "suggestions": at("suggestions"),
    "sharing": at("sharing"),
    "history": at("history"),
    "report": at("report"),
}


def keep(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shot.quantize(COLORS).save(FOLDER / f"{name}.png", optimize=True)
    print(name)


if __name__ == "__main__":
    main()
