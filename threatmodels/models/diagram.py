"""Diagrams and the log of everything that was done to them."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from threatmodels.choices import DiagramType
from threatmodels.models.deletable import DeletableQuerySet
from threatmodels.models.record import Record
from threatmodels.operations import Cell, replay
from threatmodels.search import WordSearch
from tmi.lib.fields import LineField, ProseField
from tmi.lib.models import Row, one_of
from tmi.lib.text import NotBlank


class DiagramQuerySet(WordSearch, DeletableQuerySet):
    searched = ("name", "content")

    def without_cells(self) -> DiagramQuerySet:
        """Leaves out what is large."""
        return self.defer("cells", "svg_image")

    def holding(self, cell_id: UUID) -> bool:
        """Whether one of these diagrams has a cell of this id."""
        in_checkpoint = Q(cells__contains=[{"id": str(cell_id)}])
        if not self.filter(cells_vector__lt=F("update_vector")).exists():
            return self.filter(in_checkpoint).exists()
        return any(cell["id"] == str(cell_id) for diagram in self for cell in diagram.current_cells)


class Diagram(Record):
    """A data-flow diagram.

    `cells` is the diagram as it was at `cells_vector`; the operations after that are in the log.
    `update_vector` counts all accepted operations and never goes back.
    """

    kind: ClassVar[str] = "diagram"

    name = LineField(_("name"), max_length=200, validators=[NotBlank()])
    type = LineField(_("type"), choices=DiagramType, default=DiagramType.DFD)
    content = ProseField(_("about this diagram"), max_length=65_536, null=True, blank=True)
    cells = models.JSONField(default=list, db_default=[], editable=False)
    cells_vector = models.BigIntegerField(default=0, db_default=0, editable=False)
    svg_image = models.TextField(null=True, blank=True, editable=False)
    image_update_vector = models.BigIntegerField(null=True, blank=True, editable=False)
    update_vector = models.BigIntegerField(default=0, db_default=0, editable=False)

    objects = DiagramQuerySet.as_manager()

    class Meta:
        db_table = "diagrams"
        verbose_name = _("diagram")
        verbose_name_plural = _("diagrams")
        default_related_name = "diagrams"
        constraints: ClassVar[list[Any]] = [one_of("type", DiagramType.values, name="diagrams_type_check")]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["threat_model", "created_at", "id"], name="diagrams_created_idx"),
            models.Index(fields=["threat_model", "modified_at", "id"], name="diagrams_modified_idx"),
            models.Index(fields=["threat_model", "name", "id"], name="diagrams_name_idx"),
            models.Index(fields=["deleted_at"], name="diagrams_deleted_idx"),
        ]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def current_cells(self) -> list[Cell]:
        """The cells as they were when the row was read: the checkpoint and what the log has after it."""
        return cells_at(self.pk, self.cells, self.cells_vector, self.update_vector)


def cells_at(diagram_id: UUID, cells: list[Cell], cells_vector: int, update_vector: int) -> list[Cell]:
    """The cells at `update_vector`, from a checkpoint before it; no query where that is the checkpoint's."""
    if cells_vector == update_vector:
        return cells
    later = DiagramOperation.objects.filter(
        diagram_id=diagram_id, sequence_number__gt=cells_vector, sequence_number__lte=update_vector
    )
    return replay(cells, later.order_by("sequence_number").values_list("operation", flat=True))


class DiagramOperation(Row):
    """One accepted operation: history, undo stack and resend buffer in one. Append-only.

    `sequence_number` is the `update_vector` that the operation produced; `digest` is a hash of what was sent,
    by which the same operation sent once more is known. `undo_of` and `redo_of` name the
    `operation_id` of the operation that this one takes back or does again.
    """

    diagram = models.ForeignKey(Diagram, models.CASCADE, related_name="operations")
    sequence_number = models.BigIntegerField()
    operation_id = models.UUIDField()
    actor = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", db_column="user_internal_uuid"
    )
    operation = models.JSONField()
    inverse = models.JSONField()
    digest = models.TextField(blank=True, default="", db_default="")
    undo_of = models.UUIDField(null=True, blank=True)
    redo_of = models.UUIDField(null=True, blank=True)

    class Meta:
        db_table = "diagram_operations"
        verbose_name = _("diagram operation")
        verbose_name_plural = _("diagram operations")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["diagram", "sequence_number"], name="diagram_operations_diagram_sequence_key"
            ),
            models.UniqueConstraint(
                fields=["diagram", "operation_id"], name="diagram_operations_diagram_operation_key"
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(
                fields=["diagram", "actor", "-sequence_number"], name="diagram_operations_actor_idx"
            ),
            models.Index(fields=["created_at"], name="diagram_operations_created_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.diagram_id} #{self.sequence_number}"
