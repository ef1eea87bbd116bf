"""The versions of the API, and how what is going to end says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.http import HttpRequest
from django.utils.http import http_date

Headers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Deprecation:
    """Since when something is deprecated, when it ends, and the path of what takes its place."""

    since: date
    sunset: date
    successor: str = ""

    def headers(self, request: HttpRequest) -> Headers:
        """`Deprecation` (RFC 9745), `Sunset` (RFC 8594) and `Link` to the successor."""
        found = {"Deprecation": f"@{int(_midnight(self.since))}", "Sunset": http_date(_midnight(self.sunset))}
        if self.successor:
            address = request.build_absolute_uri(self.successor)
            found["Link"] = f'<{address}>; rel="successor-version"'
        return found


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the API: its number in paths, and its dates."""

    name: str
    number: str
    released: date
    deprecation: Deprecation | None = None

    def shown(self) -> dict[str, Any]:
        ending = self.deprecation
        return {
            "name": self.name,
            "version": self.number,
            "status": "deprecated" if ending else "current",
            "path": f"/api/{self.name}",
            "released": self.released,
            "deprecated": ending.since if ending else None,
            "sunset": ending.sunset if ending else None,
            "successor": ending.successor if ending and ending.successor else None,
        }


# `number` is that of the OpenAPI document: the first part goes up with a change that breaks clients.
VERSIONS = (Version("v1", "1.0.0", date(2026, 11, 24)),)


def ending(path: str) -> Deprecation | None:
    """What the version of a path says of its end."""
    return next((one.deprecation for one in VERSIONS if path.startswith(f"/api/{one.name}/")), None)


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
