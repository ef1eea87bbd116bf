"""Facts about the request at hand that log lines and audit entries carry."""

from contextvars import ContextVar
from uuid import UUID

# The key of an ASGI scope that says: more was sent than any view takes, and the body is not there.
TOO_LARGE = "tmi.too_large"

request_id: ContextVar[UUID | None] = ContextVar("request_id", default=None)
