"""What every request passes through."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.cache import patch_cache_control
from django.utils.functional import empty

from tmi.api.errors import domain_error
from tmi.errors import not_allowed, refused, too_large
from tmi.lib.context import TOO_LARGE, request_id
from tmi.lib.errors import DomainError
from tmi.lib.ids import new_id, parse_id

logger = logging.getLogger("tmi.requests")

GetResponse = Callable[[HttpRequest], HttpResponse]
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class RequestContext:
    """Gives each request an id, answers with it, and writes one log line a request."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        known = parse_id(request.headers.get("X-Request-ID")) or new_id()
        token = request_id.set(known)
        request.request_id = known  # type: ignore[attr-defined]  # for what is logged after us
        started = time.perf_counter()
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = str(known)
            response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
            self._log(request, response, time.perf_counter() - started)
        finally:
            request_id.reset(token)
        return response

    @staticmethod
    def _log(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        logger.info(
            "%s %s %s",
            request.method,
            request.path,
            response.status_code,
            extra={
                "method": request.method,
                "path": request.path,
                "status": response.status_code,
                "duration_ms": round(seconds * 1000, 1),
                "user": _known_user(request),
            },
        )


def _known_user(request: HttpRequest) -> str | None:
    """The person's id if the request asked who it is; asking now would cost a query."""
    user = getattr(request, "user", None)
    if user is None or getattr(user, "_wrapped", user) is empty:
        return None
    return str(user.pk) if user.is_authenticated else None


class PrivateAnswers:
    """Keeps personal answers out of every cache."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_store=True)
        return response


class Refusals:
    """What no view says well itself becomes an error page, or JSON below /api."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if getattr(request, "scope", {}).get(TOO_LARGE):
            return too_large(request)
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            return not_allowed(request, response)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        known = isinstance(exception, DomainError | OperationalError | InterfaceError)
        return refused(request, domain_error(exception)) if known else None
