"""The wrapper that every JSON answer of the API comes in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tmi.lib.context import request_id
from tmi.lib.errors import DomainError

Json = dict[str, Any]


def success(data: Any, pagination: Json | None = None) -> Json:
    """{success: true, data, error: null, meta}; `pagination` is {page, limit, total, pages} of a list."""
    return {"success": True, "data": data, "error": None, "meta": _meta(pagination)}


def failure(error: DomainError) -> Json:
    """{success: false, data: null, error: {code, message, details}, meta}."""
    body = {"code": error.code, "message": error.message, "details": error.details}
    return {"success": False, "data": None, "error": body, "meta": _meta(None)}


def _meta(pagination: Json | None) -> Json:
    return {"timestamp": datetime.now(UTC), "request_id": request_id.get(), "pagination": pagination}
