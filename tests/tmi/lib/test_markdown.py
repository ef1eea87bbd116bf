"""Markdown that people write for others to read."""

from __future__ import annotations

import pytest

from tmi.lib.markdown import to_html
from tmi.lib.markdown_blocks import blocks


def test_what_markdown_can_do():
    html = to_html(
        "# Trust\n\n*Nobody*, **never**, `code`\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    )
    for part in ("<h2>Trust</h2>", "<em>Nobody</em>", "<strong>never</strong>", "<code>code</code>"):
        assert part in html
    assert "<li>one</li>" in html
    assert "<td>2</td>" in html
    assert "<s>gone</s>" in to_html("~~gone~~")


@pytest.mark.asvs("v5.0.0-1.3.1", "v5.0.0-1.3.5", "v5.0.0-1.3.2")
@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![picture](https://example.org/spy.png)",
        "[click](javascript:alert(1))",
        "[click](data:text/html;base64,PHNjcmlwdD4=)",
        "[click](vbscript:x)",
        "<a href='java&#115;cript:alert(1)'>x</a>",
        "<svg/onload=alert(1)>",
        "<iframe src=//evil.example></iframe>",
        '[x](https://e.org "onmouseover=alert(1)")',
        "<style>*{display:none}</style>",
        "`<script>`",
    ],
)
def test_nothing_runs_and_nothing_is_fetched(text):
    html = to_html(text)
    for forbidden in ("<script", "<img", "<svg", "<iframe", "<style", "<p on", "<a on", " style="):
        assert forbidden not in html
    for scheme in ("javascript", "data", "vbscript"):
        assert f'href="{scheme}' not in html


def test_links_of_others_get_no_hold_on_the_page():
    assert 'rel="noopener noreferrer nofollow"' in to_html("[x](https://example.org)")


def test_headings_begin_below_that_of_the_page():
    assert "<h1" not in to_html("# a\n\nb\n===\n\n###### c")


def test_blocks_are_plain_text_in_order():
    text = (
        "# One\n\na\nb\n\n- x\n\n  more\n- y\n\n  3. z\n\n> said\n\n```\ncode\n```\n\n"
        "| a | b |\n|---|---|\n| 1 | *2* |\n\n---\n"
    )
    assert [(b.kind, b.text, b.depth, b.mark) for b in blocks(text) if b.kind != "table"] == [
        ("heading", "One", 1, ""),
        ("text", "a b", 0, ""),
        ("item", "x", 1, "•"),
        ("text", "more", 1, ""),
        ("item", "y", 1, "•"),
        ("item", "z", 2, "3."),
        ("text", "said", 1, ""),
        ("code", "code", 0, ""),
        ("rule", "", 0, ""),
    ]
    assert [b.rows for b in blocks(text) if b.kind == "table"] == [[["a", "b"], ["1", "2"]]]


def test_html_and_pictures_are_text_in_blocks():
    assert [b.text for b in blocks("<script>x</script>\n\n![a](b.png) [c](https://d.example)")] == [
        "<script>x</script>",
        "a c (https://d.example)",
    ]
