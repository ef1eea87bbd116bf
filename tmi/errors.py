"""Errors outside of any view: JSON below /api, a page elsewhere."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from tmi.api.errors import json_response
from tmi.lib.errors import DomainError


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def answer(request: HttpRequest, error: DomainError, title: str) -> HttpResponse:
    """The error as JSON or as a page, with its status and headers."""
    if is_api(request):
        said: HttpResponse = json_response(error)
    else:
        context = {"title": title, "message": error.message, "status": error.status}
        # Who is signed in is in the database, which may be what is broken.
        asked = request if error.status < 500 else None
        said = HttpResponse(render_to_string("error.html", context, asked), status=error.status)
    for name, value in error.headers.items():
        said[name] = value
    return said


TITLES = {
    400: _lazy("Bad request"),
    401: _lazy("Please sign in"),
    403: _lazy("Not allowed"),
    404: _lazy("Not found"),
    405: _lazy("Not possible here"),
    409: _lazy("That does not fit any more"),
    413: _lazy("Too large"),
    429: _lazy("Too many requests"),
    503: _lazy("Not available"),
}


def refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    """What a DomainError means outside the API's views."""
    return answer(request, error, str(TITLES.get(error.status, _("Something went wrong"))))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return too_large(request)
    error = DomainError(_("The request cannot be understood."), code="VALIDATION_ERROR")
    return answer(request, error, _("Bad request"))


def too_large(request: HttpRequest) -> HttpResponse:
    return refused(request, DomainError(_("This is more than is taken."), code="PAYLOAD_TOO_LARGE"))


def not_allowed(request: HttpRequest, response: HttpResponseNotAllowed) -> HttpResponse:
    """A page in place of Django's answer without content."""
    error = DomainError(_("This address does not do that."), code="METHOD_NOT_ALLOWED")
    said = refused(request, error)
    said["Allow"] = response["Allow"]
    return said


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    error = DomainError(str(exception) or _("You may not do this."), code="PERMISSION_DENIED")
    return answer(request, error, _("Not allowed"))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    error = DomainError(_("There is nothing here, or nothing that you may see."), code="NOT_FOUND")
    return answer(request, error, _("Not found"))


def server_error(request: HttpRequest) -> HttpResponse:
    error = DomainError(_("Something went wrong on the server."), code="INTERNAL_ERROR")
    return answer(request, error, _("Server error"))


def too_many(request: HttpRequest) -> HttpResponse:
    """What allauth answers when one of its limits is reached."""
    return refused(request, DomainError(_("Too many attempts. Wait a little."), code="RATE_LIMITED"))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    error = DomainError(
        _("The security token of this form is missing or too old. Load the page again."),
        code="PERMISSION_DENIED",
    )
    return answer(request, error, _("Not allowed"))
