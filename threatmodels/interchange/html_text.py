"""The text of a piece of HTML, as labels and advice of other tools hold it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

LINES = frozenset(["br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "ul", "ol"])
CELLS = frozenset(["td", "th"])
SILENT = frozenset(["script", "style"])
BLANK_LINES = re.compile(r"\n\s*\n+")
TAG = re.compile(r"</?[a-zA-Z][^<>]*>|&#?\w+;")


class Reader(HTMLParser):
    """Collects text; a link whose address is not its text is followed by its address."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0
        self._link: tuple[str, int] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in LINES:
            self.parts.append("\n")
        if tag in CELLS:
            self.parts.append(" ")
        if tag in SILENT:
            self._silent += 1
        if tag == "a":
            self._link = (dict(attrs).get("href") or "", len(self.parts))

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self._silent = max(0, self._silent - 1)
        if tag == "a" and self._link:
            address, begin = self._link
            if address.startswith(("http://", "https://")) and address not in "".join(self.parts[begin:]):
                self.parts.append(f" ({address})")
            self._link = None

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def html_text(html: str) -> str:
    """The text, one line for each paragraph; text without tags and entities stays as it is."""
    if not TAG.search(html):
        return html
    reader = Reader()
    reader.feed(html)
    reader.close()
    lines = BLANK_LINES.sub("\n", "".join(reader.parts).replace("\xa0", " ")).split("\n")
    return "\n".join(" ".join(line.split()) for line in lines).strip()
