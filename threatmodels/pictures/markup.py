"""SVG elements as text, every value escaped."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

# XML 1.0 has no form at all for these.
IMPOSSIBLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def element(name: str, *children: str, **attributes: object) -> str:
    """`_` in attribute names stands for `-`; attributes that are None are left out."""
    listed = "".join(
        f" {key.replace('_', '-')}={quoteattr(_value(value))}"
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{listed}>{''.join(children)}</{name}>" if children else f"<{name}{listed}/>"


def content(text: str) -> str:
    """Text between tags."""
    return escape(IMPOSSIBLE.sub("\ufffd", text))


def told(text: str) -> str:
    """The full text as a tooltip; nothing where there is none."""
    return element("title", content(text)) if text else ""


def number(value: float) -> str:
    """Two decimals are finer than any screen."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value else "0"


def _value(value: object) -> str:
    return number(value) if isinstance(value, float) else IMPOSSIBLE.sub("\ufffd", str(value))
