"""What every request passes through."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.urls import resolve
from django.utils.cache import patch_cache_control
from django.utils.functional import empty

from tmi.api.errors import domain_error
from tmi.errors import not_allowed, refused, too_large
from tmi.lib import metrics, rows, tracing
from tmi.lib.context import TOO_LARGE, request_id
from tmi.lib.errors import DomainError
from tmi.lib.ids import new_id, parse_id

logger = logging.getLogger("tmi.requests")

GetResponse = Callable[[HttpRequest], HttpResponse]
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
PROBES = {"/healthz", "/readyz", "/metrics"}
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class Traces:
    """Each request as a span; among the middlewares only where traces are configured."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with (
            tracing.request_span(request.method or "", request.headers) as span,
            connection.execute_wrapper(tracing.statement),
        ):
            response = self.get_response(request)
            span.update_name(f"{request.method} {route_of(request)}")
            span.set_attribute("http.route", route_of(request))
            span.set_attribute("http.response.status_code", response.status_code)
            span.set_attribute("tmi.request_id", response.get("X-Request-ID", ""))
            if response.status_code >= 500:
                tracing.fail(span)
        return response


def route_of(request: HttpRequest) -> str:
    """The pattern of the address: as many as there are views, whatever people ask for."""
    if request.resolver_match is not None:
        return f"/{request.resolver_match.route}"
    return settings.STATIC_URL if request.path.startswith(settings.STATIC_URL) else "unknown"


class RequestContext:
    """Gives each request an id, answers with it, counts it, and writes one log line a request."""

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
            seconds = time.perf_counter() - started
            self._count(request, response, seconds)
            self._log(request, response, seconds)
        finally:
            request_id.reset(token)
        return response

    @staticmethod
    def _count(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        method = request.method if request.method in METHODS else "OTHER"
        route = route_of(request)
        metrics.REQUESTS.labels(method, route, response.status_code).inc()
        metrics.REQUEST_SECONDS.labels(method, route).observe(seconds)

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


class Probes:
    """Answers those who watch before anything asks by which name they came: they know an address alone.

    What is said to them holds nothing of the request.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in PROBES and request.method in ("GET", "HEAD"):
            match = resolve(request.path_info)
            with suppress(Http404), rows.scope(rows.NOBODY):
                answer: HttpResponse = match.func(request)
                request.resolver_match = match
                return answer
        return self.get_response(request)


class PrivateAnswers:
    """Keeps personal answers out of every cache."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_store=True)
        return response


class CompressedPages(GZipMiddleware):
    """Compresses pages. Answers of the API keep their strong ETags; secrets in pages are masked by Django."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.get("Content-Type", "").startswith("text/html"):
            return super().process_response(request, response)
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
