"""Query parameters of any list."""

from __future__ import annotations

from rest_framework.request import Request

from tmi.lib.errors import FieldError, ValidationFailed
from tmi.lib.text import CONTROL, told


def parameter(request: Request, name: str, default: str = "") -> str:
    """A parameter that may be given once. Raises ValidationFailed."""
    given = request.query_params.getlist(name)
    if len(given) > 1:
        raise ValidationFailed.of(name, "This parameter is given twice.")
    if given and CONTROL.search(given[0]):
        raise ValidationFailed.of(name, "Control characters are not allowed.")
    return given[0] if given else default


def refuse_unknown(request: Request, known: frozenset[str]) -> None:
    """Raises ValidationFailed with every parameter that there is not."""
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise ValidationFailed(FieldError(told(name), "Unknown parameter.") for name in unknown)
