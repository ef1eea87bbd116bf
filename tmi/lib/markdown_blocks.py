"""Markdown as blocks of plain text, for paper and other places that know no HTML. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from markdown_it.token import Token

from tmi.lib.markdown import tokens_of

Kind = Literal["heading", "text", "item", "code", "table", "rule"]


@dataclass(frozen=True, slots=True)
class Block:
    """One block. `depth` is the level of a heading (1-6) or how deep a list or quote lies (0: not in one).

    `mark` is the bullet or number of an item's first block; `rows` are those of a table, its titles first.
    """

    kind: Kind
    text: str = ""
    depth: int = 0
    mark: str = ""
    rows: list[list[str]] = field(default_factory=list)


def blocks(text: str) -> list[Block]:
    """The blocks of a text in order: emphasis is dropped, links keep their addresses in brackets."""
    return list(_Walk(tokens_of(text)).blocks())


class _Walk:
    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = iter(tokens)
        # For each list that is open the number of its next item, None where it has bullets.
        self.lists: list[int | None] = []
        self.quotes = 0
        self.mark = ""

    def blocks(self) -> Iterator[Block]:
        for token in self.tokens:
            match token.type:
                case "heading_open":
                    yield Block("heading", self._inline(), int(token.tag[1:]))
                case "paragraph_open":
                    yield self._block(self._inline())
                case "fence" | "code_block":
                    yield Block("code", token.content.rstrip("\n"), self._depth)
                case "html_block":
                    yield self._block(token.content.strip())
                case "table_open":
                    yield Block("table", rows=self._rows(), depth=self._depth)
                case "hr":
                    yield Block("rule")
                case _:
                    self._nest(token)

    def _nest(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open":
                self.lists.append(None)
            case "ordered_list_open":
                self.lists.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                self.lists.pop()
            case "list_item_open":
                number = self.lists[-1]
                self.mark = "•" if number is None else f"{number}."
                self.lists[-1] = None if number is None else number + 1
            case "blockquote_open":
                self.quotes += 1
            case "blockquote_close":
                self.quotes -= 1

    @property
    def _depth(self) -> int:
        return len(self.lists) + self.quotes

    def _block(self, text: str) -> Block:
        mark, self.mark = self.mark, ""
        return Block("item" if mark else "text", text, self._depth, mark)

    def _rows(self) -> list[list[str]]:
        rows: list[list[str]] = []
        for token in self.tokens:
            if token.type == "table_close":
                break
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                rows[-1].append(_plain(token.children or []))
        return rows

    def _inline(self) -> str:
        """What stands in the block that has just been opened."""
        return _plain(next(self.tokens).children or [])


def _plain(children: Sequence[Token]) -> str:
    said: list[str] = []
    links: list[tuple[int, str]] = []
    for token in children:
        match token.type:
            case "softbreak":
                said.append(" ")
            case "hardbreak":
                said.append("\n")
            case "link_open":
                links.append((len(said), str(token.attrs.get("href", ""))))
            case "link_close":
                start, address = links.pop()
                if address not in ("", "".join(said[start:])):
                    said.append(f" ({address})")
            case _:
                said.append(token.content)
    return "".join(said)
