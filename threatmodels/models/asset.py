"""What is worth protecting."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from threatmodels.choices import AssetType
from threatmodels.models.deletable import DeletableQuerySet
from threatmodels.models.record import Record
from threatmodels.rules import no_duplicates
from threatmodels.search import WordSearch
from tmi.lib.fields import LineField, ProseField
from tmi.lib.models import not_blank, one_of
from tmi.lib.text import NotBlank


class AssetQuerySet(WordSearch, DeletableQuerySet):
    """Assets are searched by name and description."""


class Asset(Record):
    """Data, hardware, software, infrastructure, a service or people."""

    kind: ClassVar[str] = "asset"

    name = LineField(_("name"), max_length=200, validators=[NotBlank()])
    description = ProseField(_("description"), max_length=2000, null=True, blank=True)
    type = LineField(_("type"), choices=AssetType)
    criticality = LineField(_("criticality"), max_length=50, null=True, blank=True)
    classification = ArrayField(
        LineField(max_length=100, validators=[NotBlank()]),
        verbose_name=_("classification"),
        null=True,
        blank=True,
        default=list,
        size=50,
        validators=[no_duplicates],
    )
    sensitivity = LineField(_("sensitivity"), max_length=50, null=True, blank=True)

    objects = AssetQuerySet.as_manager()

    class Meta:
        db_table = "assets"
        verbose_name = _("asset")
        verbose_name_plural = _("assets")
        default_related_name = "assets"
        constraints: ClassVar[list[Any]] = [
            not_blank("name", name="assets_name_check"),
            one_of("type", AssetType.values, name="assets_type_check"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["threat_model", "created_at", "id"], name="assets_created_idx"),
            models.Index(fields=["threat_model", "modified_at", "id"], name="assets_modified_idx"),
            models.Index(fields=["threat_model", "name", "id"], name="assets_name_idx"),
            models.Index(fields=["deleted_at"], name="assets_deleted_idx"),
        ]

    def __str__(self) -> str:
        return self.name
