"""What every template may use."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """`theme`: light, dark or auto; `time_zone`: the person's, or nothing for that of the browser.

    `may_sign_up`: accounts can be made by anybody.
    """
    user = getattr(request, "user", None)
    preferences = user.preferences if user is not None and user.is_authenticated else {}
    return {
        "theme": preferences.get("theme", "auto"),
        "time_zone": preferences.get("time_zone", ""),
        "may_sign_up": settings.CONFIG.auth.local.signup == "open",
    }
