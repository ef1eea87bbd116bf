"""Query parameters."""

from __future__ import annotations

from collections.abc import Collection

from rest_framework.request import Request

from tmi.lib.errors import FieldError, ValidationFailed
from tmi.lib.text import CONTROL, told

MOST_VALUES = 100


def parameter(request: Request, name: str, default: str = "") -> str:
    """A parameter that may be given once. Raises ValidationFailed."""
    given = values(request, name)
    if len(given) > 1:
        raise ValidationFailed.of(name, "This parameter is given twice.")
    return given[0] if given else default


def values(request: Request, name: str) -> list[str]:
    """The values of a parameter that may be repeated. Raises ValidationFailed."""
    given = request.query_params.getlist(name)
    if len(given) > MOST_VALUES:
        raise ValidationFailed.of(name, f"At most {MOST_VALUES} values.")
    if any(CONTROL.search(one) for one in given):
        raise ValidationFailed.of(name, "Control characters are not allowed.")
    return given


def refuse_unknown(request: Request, known: Collection[str]) -> None:
    """Raises ValidationFailed with every parameter that there is not."""
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise ValidationFailed(FieldError(told(name), "Unknown parameter.") for name in unknown)
