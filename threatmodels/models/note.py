"""Notes in Markdown."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from threatmodels.models.deletable import DeletableQuerySet
from threatmodels.models.record import Record
from threatmodels.search import WordSearch
from tmi.lib.fields import LineField, ProseField
from tmi.lib.models import not_blank
from tmi.lib.text import NotBlank


class NoteQuerySet(WordSearch, DeletableQuerySet):
    """Notes are searched by name and description."""


class Note(Record):
    """Notes in Markdown."""

    kind: ClassVar[str] = "note"

    name = LineField(_("name"), max_length=200, validators=[NotBlank()])
    content = ProseField(_("content"), max_length=262_144, validators=[NotBlank()])
    description = ProseField(_("description"), max_length=2000, null=True, blank=True)

    objects = NoteQuerySet.as_manager()

    class Meta:
        db_table = "notes"
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        default_related_name = "notes"
        constraints: ClassVar[list[Any]] = [
            not_blank("name", name="notes_name_check"),
            not_blank("content", name="notes_content_check"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["threat_model", "created_at", "id"], name="notes_created_idx"),
            models.Index(fields=["threat_model", "modified_at", "id"], name="notes_modified_idx"),
            models.Index(fields=["threat_model", "name", "id"], name="notes_name_idx"),
            models.Index(fields=["deleted_at"], name="notes_deleted_idx"),
        ]

    def __str__(self) -> str:
        return self.name
