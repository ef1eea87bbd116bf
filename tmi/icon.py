"""/favicon.ico: what browsers ask for on pages that name no icon, such as those of the administration."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseRedirect
from django.templatetags.static import static


def icon(_request: HttpRequest) -> HttpResponseRedirect:
    """Where the icon is."""
    return HttpResponseRedirect(static("icon.svg"))
