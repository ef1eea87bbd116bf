"""What the templates need beyond Django's own tags."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.contrib.messages.storage.base import Message
from django.http import QueryDict
from django.template.defaultfilters import truncatechars
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.timesince import timesince
from django.utils.translation import gettext

from threatmodels.choices import SEVERITIES, cell_type_title
from threatmodels.choices import spelled as in_words
from threatmodels.knowledge.cwe import weaknesses
from threatmodels.pictures.badges import severity_shape
from threatmodels.pictures.geometry import Point
from tmi.lib.markdown import to_html

register = template.Library()

ICONS = settings.NODE_MODULES / "bootstrap-icons" / "icons"
SEVERITY_TITLES = dict(SEVERITIES)


@lru_cache(maxsize=200)
def _icon(name: str) -> str:
    svg = (ICONS / f"{name}.svg").read_text(encoding="utf-8")
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of the icon package, drawn into the page; it says nothing that the text beside it does not."""
    return mark_safe(_icon(name))  # noqa: S308  a file of an installed package


@lru_cache(maxsize=len(SEVERITIES))
def _severity_icon(severity: str) -> str:
    shape = severity_shape(Point(0, 0), severity)
    marks = 'class="bi" viewBox="-15 -13 30 30" fill="currentColor" aria-hidden="true" focusable="false"'
    return f'<svg {marks} data-severity="{severity}">{shape}</svg>'


@register.simple_tag
def severity_icon(severity: str | None) -> SafeString:
    """The shape that the badges of diagrams have; the text beside it says the severity."""
    return mark_safe(_severity_icon(_known(severity)))  # noqa: S308  one of a fixed set


@register.filter
def severity_title(severity: str | None) -> str:
    """A severity in words, one of nobody's list as it is spelled."""
    known = severity or ""
    return str(SEVERITY_TITLES.get(known.lower(), capfirst(known)))


@register.filter
def severity_class(severity: str | None) -> str:
    """The class that colours a severity; one of a fixed set."""
    return f"severity-{_known(severity)}"


def _known(severity: str | None) -> str:
    given = (severity or "").lower()
    return given if given in SEVERITY_TITLES else "unknown"


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """The present query string with changes; None leaves a parameter out. Paging starts anew."""
    params: QueryDict = context["request"].GET.copy()
    params.pop("page", None)
    for name, value in changes.items():
        params.pop(name, None)
        if value is not None:
            params[name] = str(value)
    return f"?{params.urlencode()}" if params else "?"


@register.simple_tag(takes_context=True)
def sort_state(context: template.Context, column: str) -> dict[str, str]:
    """For a column head: the query string that sorts by it, and what it is sorted by now (`aria-sort`)."""
    present = str(context.get("sort") or "")
    descending = present == f"-{column}"
    following = column if descending or present.lstrip("-") != column else f"-{column}"
    state = "descending" if descending else "ascending" if present == column else "none"
    return {"href": query(context, sort=following), "state": state}


@register.simple_tag
def choose(name: str, present: str | None, choices: Any, title: str, row: str) -> SafeString:
    """A select in a table; what the row says stays among the choices, however it is spelled."""
    options = _options(tuple((value, str(text)) for value, text in choices), present or "")
    label = f"{title}: {truncatechars(row, 60)}"
    select = '<select class="form-select inline" name="{}" aria-label="{}">{}</select>'
    return format_html(select, name, label, options)


@lru_cache(maxsize=500)
def _options(choices: tuple[tuple[str, str], ...], present: str) -> SafeString:
    """A table has few different lists and many rows."""
    offered = [("", "–"), *choices]
    if present not in dict(offered):
        offered.append((present, present))
    rows = ((value, mark_safe(" selected") if value == present else "", text) for value, text in offered)
    return format_html_join("", '<option value="{}"{}>{}</option>', rows)


@register.filter
def get(mapping: dict[str, Any], key: str) -> Any:
    return mapping.get(key)


@register.filter
def value(row: Any, name: str) -> Any:
    """An attribute by name, called where it is a method; lists as text, nothing as a dash."""
    found = getattr(row, name)
    found = found() if callable(found) else found
    return ", ".join(found) or "–" if isinstance(found, list) else spelled(found)


@register.filter
def spelled(value: str | None) -> str:
    """A level, priority, status or type as a person writes it; nothing as a dash."""
    return in_words(value) if value else "–"


@register.filter
def about(messages: Iterable[Message], part: str) -> list[Message]:
    """The messages that are shown in that part of the page, where the person is."""
    return [message for message in messages if part in message.tags.split()]


@register.filter
def not_about(messages: Iterable[Message], part: str) -> list[Message]:
    """The other messages."""
    return [message for message in messages if part not in message.tags.split()]


@register.filter
def weakness(cwe_id: str) -> str:
    """The name of "CWE-79"; may be empty."""
    number = cwe_id.upper().removeprefix("CWE-")
    found = weaknesses().get(int(number)) if number.isdecimal() else None
    return found.name if found else ""


@register.filter
def markdown(text: str | None, below: int = 1) -> SafeString:
    """The sanitised HTML of a Markdown text that stands under a heading of that level."""
    return mark_safe(to_html(text or "", below))  # noqa: S308  sanitised there


@register.filter
def is_web(uri: str) -> bool:
    """Whether a browser can follow it."""
    return uri.lower().startswith(("https://", "http://"))


@register.filter
def plain(name: str) -> str:
    """`trust_boundaries` as words."""
    return name.replace("_", " ")


@register.simple_tag
def moment(value: datetime) -> SafeString:
    """A point in time; the browser shows it in its own zone."""
    shown = formats.date_format(timezone.localtime(value), "DATETIME_FORMAT")
    return format_html('<time datetime="{}" data-local>{}</time>', value.isoformat(), shown)


@register.simple_tag
def ago(value: datetime) -> SafeString:
    """How long ago, in one unit; the exact time on hover."""
    passed = timesince(value, depth=1)
    told = gettext("just now") if passed.startswith("0") else gettext("%(time)s ago") % {"time": passed}
    shown = formats.date_format(timezone.localtime(value), "DATETIME_FORMAT")
    return format_html(
        '<time datetime="{}" title="{} UTC" data-ago>{}</time>', value.isoformat(), shown, told
    )


register.filter("cell_type", cell_type_title)
