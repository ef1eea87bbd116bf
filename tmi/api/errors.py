"""From whatever was raised to the error object of the API."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.core.exceptions import (
    PermissionDenied as DjangoPermissionDenied,
)
from django.core.exceptions import (
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from tmi.api.envelope import failure
from tmi.api.render import JSONRenderer
from tmi.lib.errors import DomainError, FieldError, NotFound, Unavailable, ValidationFailed, nested
from tmi.lib.json import encode

logger = logging.getLogger(__name__)

CODES = {
    exceptions.NotAuthenticated: "AUTHENTICATION_REQUIRED",
    exceptions.AuthenticationFailed: "TOKEN_INVALID",
    exceptions.PermissionDenied: "PERMISSION_DENIED",
    exceptions.NotFound: "NOT_FOUND",
    exceptions.MethodNotAllowed: "METHOD_NOT_ALLOWED",
    exceptions.NotAcceptable: "NOT_ACCEPTABLE",
    exceptions.UnsupportedMediaType: "UNSUPPORTED_MEDIA_TYPE",
}


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every exception becomes a wrapped answer, whatever form the view has."""
    if "request" in context:
        context["request"].accepted_renderer = JSONRenderer()
        context["request"].accepted_media_type = JSONRenderer.media_type
    return respond(domain_error(exc))


def respond(error: DomainError) -> Response:
    headers = dict(error.headers)
    if error.status == 401:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="TMI"')
    return Response(failure(error), status=error.status, headers=headers)


def json_response(error: DomainError) -> JsonResponse:
    """The same answer where no DRF view runs: unknown paths, bad hosts, a failed CSRF check."""
    response = JsonResponse({}, status=error.status)
    response.content = encode(failure(error))
    return response


def domain_error(exc: Exception) -> DomainError:
    """The DomainError that says the same as `exc`; what is unknown is logged and says nothing."""
    if isinstance(exc, DomainError):
        return exc
    if isinstance(exc, exceptions.ValidationError):
        return ValidationFailed(flatten(exc.detail))
    if isinstance(exc, ModelValidationError):
        return ValidationFailed(from_model(exc))
    if isinstance(exc, exceptions.ParseError):
        return ValidationFailed.of("", str(exc.detail))
    if isinstance(exc, Http404):
        return NotFound()
    if isinstance(exc, DjangoPermissionDenied):
        return DomainError(str(exc) or "You may not do this.", code="PERMISSION_DENIED")
    if isinstance(exc, RequestDataTooBig):
        return DomainError("The body is too large.", code="PAYLOAD_TOO_LARGE")
    if isinstance(exc, TooManyFieldsSent | TooManyFilesSent):
        return ValidationFailed.of("", "The request has too many parameters, fields or files.")
    if isinstance(exc, SuspiciousOperation):
        return ValidationFailed.of("", "The request cannot be understood.")
    if isinstance(exc, OperationalError | InterfaceError):
        logger.error("The database is away: %s", exc)
        return Unavailable("The database is not reachable at the moment.", headers={"Retry-After": "2"})
    if isinstance(exc, exceptions.APIException):
        return _from_drf(exc)
    logger.error("Unhandled error", exc_info=exc)
    return DomainError("Something went wrong on the server.", code="INTERNAL_ERROR")


def _from_drf(exc: exceptions.APIException) -> DomainError:
    code = next((code for kind, code in CODES.items() if isinstance(exc, kind)), "INTERNAL_ERROR")
    return DomainError(str(exc.detail), code=code)


def flatten(detail: Any, pointer: str = "") -> Iterator[FieldError]:
    """DRF's nested error lists as one flat list with names or JSON Pointers."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from flatten(inner, nested(pointer, own) if pointer else own)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            deeper = isinstance(inner, dict | list)
            yield from flatten(inner, nested(pointer, str(index)) if deeper else pointer)
    else:
        yield FieldError(pointer, str(detail))


def from_model(error: ModelValidationError) -> Iterator[FieldError]:
    """A model's ValidationError as field errors."""
    if hasattr(error, "error_dict"):
        for name, inner in error.message_dict.items():
            yield from (FieldError("" if name == "__all__" else name, text) for text in inner)
    else:
        yield from (FieldError("", text) for text in error.messages)


def checked(serializer: BaseSerializer[Any]) -> dict[str, Any]:
    """What a serializer makes of its data; raises ValidationFailed."""
    if not serializer.is_valid():
        raise ValidationFailed(flatten(serializer.errors))
    return dict(serializer.validated_data)


def in_turn(items: Sequence[Any], act: Callable[[Any], Any]) -> list[Any]:
    """`act` for each item; the field errors of all of them in one, with positions."""
    done: list[Any] = []
    problems: list[FieldError] = []
    for index, item in enumerate(items):
        try:
            done.append(act(item))
        except ValidationFailed as error:
            problems += error.below(f"/{index}").errors
    if problems:
        raise ValidationFailed(problems)
    return done
