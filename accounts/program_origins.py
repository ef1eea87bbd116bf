"""Single-page programs use the API from where they are at home; no other pages do, and none by cookie."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from accounts.models import OAuthClient
from tmi.lib.uris import is_loopback

METHODS = "GET, POST, PUT, PATCH, DELETE"
ASKED = "Authorization, Content-Type, Accept, If-Match, If-None-Match, Idempotency-Key, X-Request-ID"
TOLD = (
    "ETag, Link, Location, Retry-After, X-Request-ID, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"
)


class ProgramOrigins:
    """Cross-origin requests (CORS) of the origins that active programs have registered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        origin = request.headers.get("Origin", "")
        if not request.path.startswith("/api/") or not _is_foreign(request, origin) or not is_known(origin):
            return self.get_response(request)
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            answer = HttpResponse(status=204)
            answer["Access-Control-Allow-Methods"] = METHODS
            answer["Access-Control-Allow-Headers"] = ASKED
            answer["Access-Control-Max-Age"] = "600"
        else:
            answer = self.get_response(request)
            answer["Access-Control-Expose-Headers"] = TOLD
        answer["Access-Control-Allow-Origin"] = origin
        patch_vary_headers(answer, ["Origin"])
        return answer


def is_known(origin: str) -> bool:
    """Whether an active program is at home there; on loopback the port may be any."""
    programs = OAuthClient.objects.filter(is_active=True).values_list("redirect_uris", flat=True)
    return any(_same_home(uri, origin) for uris in programs for uri in uris)


def _same_home(uri: str, origin: str) -> bool:
    try:
        ours, theirs = urlsplit(uri), urlsplit(origin)
        if is_loopback(ours):
            return is_loopback(theirs) and ours.hostname == theirs.hostname
    except ValueError:
        return False
    return ours.scheme == "https" and f"{ours.scheme}://{ours.netloc}".lower() == origin


def _is_foreign(request: HttpRequest, origin: str) -> bool:
    return origin not in ("", "null", f"{request.scheme}://{request.META.get('HTTP_HOST', '')}")
