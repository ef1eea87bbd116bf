"""The present moment as messages carry it."""

from datetime import UTC, datetime

from tmi.lib.json import time_text


def now_text() -> str:
    """RFC 3339 in UTC with milliseconds and Z."""
    return time_text(datetime.now(UTC))
