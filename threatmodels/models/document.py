"""Documents elsewhere that a threat model refers to."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from threatmodels.models.deletable import DeletableQuerySet
from threatmodels.models.record import Record
from threatmodels.rules import harmless_uri
from threatmodels.search import WordSearch
from tmi.lib.fields import LineField, ProseField
from tmi.lib.models import not_blank
from tmi.lib.text import NotBlank


class DocumentQuerySet(WordSearch, DeletableQuerySet):
    """Documents are searched by name and description."""


class Document(Record):
    """Documents elsewhere that a threat model refers to."""

    kind: ClassVar[str] = "document"

    name = LineField(_("name"), max_length=200, validators=[NotBlank()])
    uri = LineField(_("address"), max_length=1000, validators=[NotBlank(), harmless_uri])
    description = ProseField(_("description"), max_length=2000, null=True, blank=True)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        db_table = "documents"
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        default_related_name = "documents"
        constraints: ClassVar[list[Any]] = [
            not_blank("name", name="documents_name_check"),
            not_blank("uri", name="documents_uri_check"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["threat_model", "created_at", "id"], name="documents_created_idx"),
            models.Index(fields=["threat_model", "modified_at", "id"], name="documents_modified_idx"),
            models.Index(fields=["threat_model", "name", "id"], name="documents_name_idx"),
            models.Index(fields=["deleted_at"], name="documents_deleted_idx"),
        ]

    def __str__(self) -> str:
        return self.name
