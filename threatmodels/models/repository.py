"""Source code repositories that a threat model covers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from threatmodels.choices import RepositoryType
from threatmodels.models.deletable import DeletableQuerySet
from threatmodels.models.record import Record
from threatmodels.rules import repository_uri, small_object
from threatmodels.search import WordSearch
from tmi.lib.fields import LineField, ProseField
from tmi.lib.models import not_blank, one_of
from tmi.lib.text import NotBlank


class RepositoryQuerySet(WordSearch, DeletableQuerySet):
    """Repositories are searched by name and description."""


class Repository(Record):
    """Source code repositories that a threat model covers."""

    kind: ClassVar[str] = "repository"

    name = LineField(_("name"), max_length=200, null=True, blank=True)
    uri = LineField(_("address"), max_length=1000, validators=[NotBlank(), repository_uri])
    description = ProseField(_("description"), max_length=2000, null=True, blank=True)
    type = LineField(_("type"), choices=RepositoryType, null=True, blank=True)
    parameters = models.JSONField(_("parameters"), null=True, blank=True)

    objects = RepositoryQuerySet.as_manager()

    class Meta:
        db_table = "repositories"
        verbose_name = _("repository")
        verbose_name_plural = _("repositories")
        default_related_name = "repositories"
        constraints: ClassVar[list[Any]] = [
            not_blank("uri", name="repositories_uri_check"),
            one_of("type", RepositoryType.values, name="repositories_type_check"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["threat_model", "created_at", "id"], name="repositories_created_idx"),
            models.Index(fields=["threat_model", "modified_at", "id"], name="repositories_modified_idx"),
            models.Index(fields=["threat_model", "name", "id"], name="repositories_name_idx"),
            models.Index(fields=["deleted_at"], name="repositories_deleted_idx"),
        ]

    def __str__(self) -> str:
        return self.name or self.uri

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        super().clean_fields(exclude=exclude)
        if self.parameters is not None and "parameters" not in (exclude or ()):
            small_object(self.parameters, "parameters")
