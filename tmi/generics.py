"""Classes of Django that type checkers know as generic, and that Django itself does not."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.options import BaseModelAdmin
from django.db.models import Field, Lookup


def allow_generics() -> None:
    """Lets `Field[Any, Any]` and the like stand as a base class. Called by the settings, before any model."""
    classes: tuple[Any, ...] = (Field, Lookup, BaseModelAdmin)
    for one in classes:
        one.__class_getitem__ = classmethod(_same)


def _same(cls: type[Any], _types: Any) -> type[Any]:
    return cls
