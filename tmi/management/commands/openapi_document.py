"""The committed copy of the OpenAPI document."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from tmi.api.breaking import breaking_changes
from tmi.api.conformance import document
from tmi.lib.json import decode, pretty

COPY = settings.BASE_DIR / "docs" / "openapi.json"


class Command(BaseCommand):
    """Writes docs/openapi.json anew; what breaks clients needs another first number of the version."""

    help = "Writes docs/openapi.json anew; refuses what breaks clients without a new version."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        made = document()
        if COPY.is_file():
            before = decode(COPY.read_bytes())
            broken = breaking_changes(before, made)
            if broken and _first(before) == _first(made):
                raise CommandError("this breaks clients: " + "; ".join(broken))
        COPY.write_text(pretty(made) + "\n", encoding="utf-8")


def _first(made: dict[str, Any]) -> str:
    """The first part of the version."""
    return str(made["info"]["version"]).split(".", 1)[0]
