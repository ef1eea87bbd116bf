"""One error type for all that a caller did wrong or may not do, the same over HTTP, sockets and pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

STATUS_OF_CODE = {
    "VALIDATION_ERROR": 400,
    "AUTHENTICATION_REQUIRED": 401,
    "TOKEN_INVALID": 401,
    "TOKEN_EXPIRED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "NOT_ACCEPTABLE": 406,
    "CONFLICT": 409,
    "PRECONDITION_FAILED": 412,
    "PAYLOAD_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "RATE_LIMITED": 429,
    "INTERNAL_ERROR": 500,
    "SERVICE_UNAVAILABLE": 503,
}


class DomainError(Exception):
    """A refusal with a code of the API, a sentence for a person and details for a program."""

    code = "INTERNAL_ERROR"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.details = dict(details or {})
        self.headers = dict(headers or {})

    @property
    def status(self) -> int:
        return STATUS_OF_CODE[self.code]


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with the input: `field` is a name or a JSON Pointer, `reason` a sentence."""

    field: str
    reason: str


class ValidationFailed(DomainError):
    """The input breaks rules; the first is repeated at the top of `details`, as the contract shows."""

    code = "VALIDATION_ERROR"

    def __init__(self, errors: Iterable[FieldError], message: str = "Request validation failed") -> None:
        self.errors = list(errors)
        listed = [{"field": e.field, "reason": e.reason} for e in self.errors]
        first = listed[0] if listed else {"field": "", "reason": message}
        super().__init__(message, details={**first, "errors": listed})

    @classmethod
    def of(cls, field: str, reason: str) -> ValidationFailed:
        return cls([FieldError(field, reason)])

    def below(self, prefix: str) -> ValidationFailed:
        """The same errors one level deeper: `name` under `/3` becomes `/3/name`."""
        return ValidationFailed(FieldError(nested(prefix, e.field), e.reason) for e in self.errors)


def nested(prefix: str, field: str) -> str:
    """A JSON Pointer from a parent pointer or name and a child pointer or name."""
    head = prefix if prefix.startswith("/") else f"/{prefix}"
    tail = field if not field or field.startswith("/") else f"/{field}"
    return head + tail


class NotFound(DomainError):
    """It does not exist, or the caller may not know that it does."""

    code = "NOT_FOUND"

    def __init__(self, message: str = "Not found", *, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, details=details)


class PermissionDenied(DomainError):
    """The caller sees it, but the role is too low for this."""

    code = "PERMISSION_DENIED"


class Conflict(DomainError):
    """The request is sound but does not fit the present state."""

    code = "CONFLICT"

    def below(self, prefix: str) -> Conflict:
        """The same conflict one level deeper."""
        field = nested(prefix, self.details.get("field", ""))
        return Conflict(self.message, details={**self.details, "field": field})


class Unavailable(DomainError):
    """The database or another part that is needed is away for the moment."""

    code = "SERVICE_UNAVAILABLE"
