"""The present moment as messages carry it, and moments that people name."""

from datetime import UTC, datetime

from django.utils.dateparse import parse_datetime

from tmi.lib.json import time_text


def now_text() -> str:
    """RFC 3339 in UTC with milliseconds and Z."""
    return time_text(datetime.now(UTC))


def read_moment(text: str) -> datetime | None:
    """A time with its zone (RFC 3339) as UTC; None for anything else, and for what UTC has no year for."""
    try:
        found = parse_datetime(text)
        return None if found is None or found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
