"""Errors outside of any view: JSON below /api, a page elsewhere."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from tmi.api.errors import json_response
from tmi.lib.errors import DomainError


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def answer(request: HttpRequest, error: DomainError, title: str) -> HttpResponse:
    """The error as JSON or as a page, with its status."""
    if is_api(request):
        return json_response(error)
    context = {"title": title, "message": error.message, "status": error.status}
    return render(request, "error.html", context, status=error.status)


TITLES = {
    400: _lazy("Bad request"),
    401: _lazy("Please sign in"),
    403: _lazy("Not allowed"),
    404: _lazy("Not found"),
    409: _lazy("That does not fit any more"),
    413: _lazy("Too large"),
    429: _lazy("Too many requests"),
    503: _lazy("Not available"),
}


def refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    """What a DomainError means outside the API's views."""
    return answer(request, error, str(TITLES.get(error.status, _("Something went wrong"))))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    error = DomainError(_("The request cannot be understood."), code="VALIDATION_ERROR")
    return answer(request, error, _("Bad request"))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    error = DomainError(str(exception) or _("You may not do this."), code="PERMISSION_DENIED")
    return answer(request, error, _("Not allowed"))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    error = DomainError(_("There is nothing here, or nothing that you may see."), code="NOT_FOUND")
    return answer(request, error, _("Not found"))


def server_error(request: HttpRequest) -> HttpResponse:
    error = DomainError(_("Something went wrong on the server."), code="INTERNAL_ERROR")
    return answer(request, error, _("Server error"))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    error = DomainError(
        _("The security token of this form is missing or too old. Load the page again."),
        code="PERMISSION_DENIED",
    )
    return answer(request, error, _("Not allowed"))
