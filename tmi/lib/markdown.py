"""Markdown as HTML that can do no harm."""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt

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
# A page has one heading of its own, so those of a text begin a level lower.
HEADINGS = {"h1": "h2", "h2": "h3", "h3": "h4", "h4": "h5", "h5": "h6", "h6": "h6"}

# "js-default" leaves HTML as text; the sanitiser would take it out in any case.
_parser = MarkdownIt("js-default", {"linkify": False, "breaks": False}).enable(["table", "strikethrough"])


def to_html(text: str) -> str:
    """HTML of the text: no scripts, no styles, no pictures, links of harmless schemes alone."""
    tokens = _parser.parse(text)
    for token in tokens:
        token.tag = HEADINGS.get(token.tag, token.tag)
    html = _parser.renderer.render(tokens, _parser.options, {})
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )
