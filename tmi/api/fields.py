"""Serializer fields that take JSON of the right type only: text is not a number, a number is not true."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tmi.lib.clock import read_moment
from tmi.lib.text import unify_newlines


class Text(serializers.CharField):
    """A string, kept as given but for CR LF, which becomes LF."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("trim_whitespace", False)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(unify_newlines(data))


class Flag(serializers.BooleanField):
    """true or false."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


@extend_schema_field(OpenApiTypes.DOUBLE)
class Number(serializers.DecimalField):
    """A JSON number that is kept exactly."""

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(repr(data))

    def to_representation(self, value: Any) -> Any:
        return None if value is None else float(value)


class Id(serializers.UUIDField):
    """A UUID in its usual form."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or len(data) != 36:
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """A time with its zone (RFC 3339)."""

    def to_internal_value(self, value: Any) -> Any:
        found = read_moment(value) if isinstance(value, str) and "T" in value.upper() else None
        if found is None:
            self.fail("invalid", format="2026-01-31T12:00:00Z")
        return found


class Choice(serializers.ChoiceField):
    """One of a list of strings."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or not data:
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class TextList(serializers.ListField):
    """A list of strings."""

    child = Text()


@extend_schema_field(OpenApiTypes.OBJECT)
class AnyObject(serializers.JSONField):
    """A JSON object of any content."""

    default_error_messages = {"not_object": "An object is expected."}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            self.fail("not_object")
        return super().to_internal_value(data)
