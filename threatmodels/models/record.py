"""What every kind of thing inside a threat model shares."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from threatmodels.models.deletable import DeletableRow
from threatmodels.models.threat_model import ThreatModel


class Record(DeletableRow):
    """A row that belongs to one threat model. `kind` is its name in metadata, history and the API."""

    kind: ClassVar[str]

    threat_model = models.ForeignKey(ThreatModel, models.CASCADE)

    class Meta:
        abstract = True
