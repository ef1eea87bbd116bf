"""Model fields over the column types of the seed: text, and times that the database fills in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from tmi.lib.text import ManyLines, OneLine, unify_newlines


class DatabaseNow(models.Func):
    """`now()`: the start of the transaction, as a column default."""

    function = "NOW"
    output_field = models.DateTimeField()


class BoundedText(models.TextField[Any, Any]):
    """A `text` column whose greatest length, in characters, is checked by the application."""

    text_rule: Any = ManyLines()

    @cached_property
    def validators(self) -> list[Any]:
        rules = [*self.default_validators, self.text_rule, *self._validators]  # type: ignore[attr-defined]
        return rules if self.max_length is None else [*rules, MaxLengthValidator(self.max_length)]

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        return super().clean(unify_newlines(value) if isinstance(value, str) else value, model_instance)

    def formfield(self, **kwargs: Any) -> forms.Field | None:  # type: ignore[override]
        if self.null:
            kwargs.setdefault("empty_value", None)
        return super().formfield(**kwargs)


class LineField(BoundedText):
    """One line of text: no line breaks, no control characters, no bidirectional overrides."""

    text_rule = OneLine()

    def formfield(self, **kwargs: Any) -> forms.Field | None:  # type: ignore[override]
        if self.choices is None:
            kwargs.setdefault("widget", forms.TextInput)
        return super().formfield(**kwargs)


class ProseField(BoundedText):
    """Many lines of text."""

    def formfield(self, **kwargs: Any) -> forms.Field | None:  # type: ignore[override]
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 4}))
        return super().formfield(**kwargs)


def created_at() -> models.DateTimeField[Any, Any]:
    """The time the row was made: UTC, set by the server."""
    return models.DateTimeField(default=timezone.now, db_default=DatabaseNow(), editable=False)


def modified_at() -> models.DateTimeField[Any, Any]:
    """The time of the last change of the row: UTC, set by the server."""
    return created_at()
