"""One metadata entry."""

from __future__ import annotations

from typing import ClassVar

from django import forms

from threatmodels.models import Metadata


class MetadataForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Metadata
        fields: ClassVar[list[str]] = ["key", "value"]
        widgets: ClassVar[dict[str, forms.Widget]] = {"value": forms.Textarea(attrs={"rows": 1})}
