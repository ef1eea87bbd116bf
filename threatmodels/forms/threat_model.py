"""The threat model's own fields."""

from __future__ import annotations

from typing import Any, ClassVar

from threatmodels.choices import MODEL_STATUSES
from threatmodels.forms.base import RowForm
from threatmodels.models import ThreatModel


class ThreatModelForm(RowForm):
    class Meta:
        model = ThreatModel
        fields: ClassVar[list[str]] = ["name", "description", "threat_model_framework", "status", "issue_uri"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer("status", MODEL_STATUSES)
