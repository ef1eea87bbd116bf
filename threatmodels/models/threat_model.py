"""The top-level container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.postgres.indexes import GinIndex, HashIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditEntry, User
from threatmodels.choices import Framework
from threatmodels.models.deletable import DeletableQuerySet, DeletableRow
from threatmodels.rules import http_uri
from threatmodels.search import WordSearch
from tmi.lib.fields import LineField, ProseField
from tmi.lib.models import one_of
from tmi.lib.text import NotBlank

if TYPE_CHECKING:
    from threatmodels.models.summary import ThreatModelSummary


class ThreatModelQuerySet(WordSearch, DeletableQuerySet):
    def with_summary(self) -> ThreatModelQuerySet:
        return self.select_related("summary")


class ThreatModel(DeletableRow):
    """A threat model: diagrams, threats, assets and the rest hang below it."""

    kind: ClassVar[str] = "threat_model"

    owner = models.ForeignKey(
        User,
        models.RESTRICT,
        related_name="owned_threat_models",
        db_column="owner_internal_uuid",
        verbose_name=_("owner"),
    )
    name = LineField(_("name"), max_length=200, validators=[NotBlank()])
    description = ProseField(_("description"), max_length=2000, null=True, blank=True)
    created_by = models.ForeignKey(
        User,
        models.RESTRICT,
        related_name="+",
        db_column="created_by_internal_uuid",
        editable=False,
        verbose_name=_("created by"),
    )
    threat_model_framework = LineField(
        _("framework"), choices=Framework, default=Framework.STRIDE, db_default=Framework.STRIDE.value
    )
    issue_uri = LineField(_("issue address"), max_length=1000, null=True, blank=True, validators=[http_uri])
    status = LineField(_("status"), max_length=128, null=True, blank=True)
    status_updated = models.DateTimeField(_("status updated"), null=True, blank=True, editable=False)
    # What a file of another tool holds that no column does, by format; its writer puts it back.
    extensions = models.JSONField(default=dict, db_default={}, blank=True, editable=False)

    objects = ThreatModelQuerySet.as_manager()

    if TYPE_CHECKING:
        summary: ThreatModelSummary
        role_rank: int
        is_invited: bool

    class Meta:
        db_table = "threat_models"
        verbose_name = _("threat model")
        verbose_name_plural = _("threat models")
        constraints: ClassVar[list[Any]] = [
            one_of("threat_model_framework", Framework.values, name="threat_models_framework_check"),
            models.CheckConstraint(
                condition=models.Q(status=None)
                | models.Q(LessThanOrEqual(Length(models.F("status")), models.Value(128))),
                name="threat_models_status_check",
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["modified_at", "id"], name="threat_models_modified_idx"),
            models.Index(fields=["created_at", "id"], name="threat_models_created_idx"),
            models.Index(fields=["name", "id"], name="threat_models_name_idx"),
            models.Index(fields=["status"], name="threat_models_status_idx"),
            models.Index(fields=["status_updated"], name="threat_models_status_upd_idx"),
            models.Index(fields=["threat_model_framework"], name="threat_models_framework_idx"),
            models.Index(fields=["deleted_at"], name="threat_models_deleted_idx"),
            # Addresses can be longer than what a B-tree takes.
            HashIndex(fields=["issue_uri"], name="threat_models_issue_uri_idx"),
            GinIndex(SearchVector("name", "description", config="simple"), name="threat_models_search_idx"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def audit_entries(self) -> models.QuerySet[AuditEntry]:
        """What was done to the model and to everything in it."""
        return AuditEntry.objects.filter(threat_model_id=self.pk)
