"""Free key-value pairs on any entity."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Length, Trim
from django.db.models.lookups import GreaterThan, LessThanOrEqual
from django.utils.translation import gettext_lazy as _

from threatmodels.choices import EntityType
from threatmodels.models.threat_model import ThreatModel
from threatmodels.rules import metadata_key
from tmi.lib.fields import LineField, ProseField
from tmi.lib.models import ChangingRow, one_of
from tmi.lib.text import NotBlank

# Entries an entity may have.
MOST_ENTRIES = 100


class Metadata(ChangingRow):
    """One entry. `threat_model` is the model that the entity belongs to, or is."""

    threat_model = models.ForeignKey(ThreatModel, models.CASCADE, related_name="metadata_entries")
    entity_type = LineField(choices=EntityType)
    entity_id = models.UUIDField()
    key = LineField(_("key"), max_length=128, validators=[NotBlank(), metadata_key])
    value = ProseField(_("value"), max_length=65_535, validators=[NotBlank()])

    class Meta:
        db_table = "metadata"
        verbose_name = _("metadata entry")
        verbose_name_plural = _("metadata entries")
        constraints: ClassVar[list[Any]] = [
            one_of("entity_type", EntityType.values, name="metadata_entity_type_check"),
            models.CheckConstraint(
                condition=Q(GreaterThan(Length(Trim(F("key"))), Value(0)))
                & Q(LessThanOrEqual(Length(F("key")), Value(128)))
                & Q(key__regex="^[a-zA-Z0-9_-]+$"),
                name="metadata_key_check",
            ),
            models.CheckConstraint(
                condition=Q(GreaterThan(Length(Trim(F("value"))), Value(0)))
                & Q(LessThanOrEqual(Length(F("value")), Value(65535))),
                name="metadata_value_check",
            ),
            models.UniqueConstraint(
                fields=["entity_type", "entity_id", "key"], name="metadata_entity_type_entity_id_key_key"
            ),
        ]

    def __str__(self) -> str:
        return self.key
