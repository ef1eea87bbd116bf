"""Markdown as HTML that can do no harm."""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

TAGS = {
    *(
        "a",
        "blockquote",
        "br",
        "code",
        "del",
        "em",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
    ),
    *("s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "td": {"align"}, "th": {"align"}}
SCHEMES = {"http", "https", "mailto"}
# "js-default" leaves HTML as text; the sanitiser would take it out in any case.
_parser = MarkdownIt("js-default", {"linkify": False, "breaks": False}).enable(["table", "strikethrough"])


def tokens_of(text: str) -> list[Token]:
    """The text as the parser reads it; HTML in it is text."""
    return _parser.parse(text)


def to_html(text: str, below: int = 1) -> str:
    """HTML of the text: no scripts, no styles, no pictures, links of harmless schemes alone.

    `below` is the level of the heading under which it stands: its own begin a level lower.
    """
    tokens = tokens_of(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + below, 6)}"
    html = _parser.renderer.render(tokens, _parser.options, {})
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )
