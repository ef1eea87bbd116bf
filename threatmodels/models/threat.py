"""Threats."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from threatmodels.choices import CLOSED_STATUSES, PRIORITIES, SEVERITIES
from threatmodels.cvss import cvss_score
from threatmodels.models.asset import Asset
from threatmodels.models.deletable import DeletableQuerySet
from threatmodels.models.diagram import Diagram
from threatmodels.models.record import Record
from threatmodels.rules import cwe_id, http_uri, no_duplicates, one_decimal
from threatmodels.search import WordSearch
from tmi.lib.fields import LineField, ProseField
from tmi.lib.text import NotBlank


class ThreatQuerySet(WordSearch, DeletableQuerySet):
    def open(self) -> ThreatQuerySet:
        """Neither mitigated nor in a status that needs no more work."""
        return self.alias(lower_status=Lower("status")).filter(
            Q(mitigated=False) & (Q(status=None) | ~Q(lower_status__in=CLOSED_STATUSES))
        )

    def with_severity_rank(self) -> ThreatQuerySet:
        """Annotates `severity_rank`: 0 for the worst, unknown and missing last."""
        return self.annotate(severity_rank=_rank("severity", SEVERITIES))

    def with_priority_rank(self) -> ThreatQuerySet:
        """Annotates `priority_rank`: 0 for what is first, unknown and missing last."""
        return self.annotate(priority_rank=_rank("priority", PRIORITIES))


def _rank(column: str, choices: Sequence[tuple[str, Any]]) -> Case:
    """The place of a value among the choices, however it is spelled."""
    ranks = [When(**{f"{column}__iexact": name}, then=Value(rank)) for rank, (name, _l) in enumerate(choices)]
    return Case(*ranks, default=Value(len(ranks)), output_field=models.IntegerField())


class Threat(Record):
    """What can go wrong, how bad it is, and what is done about it."""

    kind: ClassVar[str] = "threat"

    diagram = models.ForeignKey(
        Diagram, models.SET_NULL, null=True, blank=True, related_name="threats", verbose_name=_("diagram")
    )
    cell_id = models.UUIDField(_("element"), null=True, blank=True)
    asset = models.ForeignKey(
        Asset, models.SET_NULL, null=True, blank=True, related_name="threats", verbose_name=_("asset")
    )
    name = LineField(_("name"), max_length=200, validators=[NotBlank()])
    description = ProseField(_("description"), max_length=2000, null=True, blank=True)
    severity = LineField(_("severity"), max_length=50, null=True, blank=True)
    likelihood = LineField(_("likelihood"), max_length=50, null=True, blank=True)
    risk_level = LineField(_("risk level"), max_length=50, null=True, blank=True)
    score = models.DecimalField(
        _("score"),
        max_digits=3,
        decimal_places=1,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(10)), one_decimal],
    )
    priority = LineField(
        _("priority"), max_length=50, null=True, blank=True, default="Medium", db_default="Medium"
    )
    mitigated = models.BooleanField(_("mitigated"), default=False, db_default=False)
    status = LineField(
        _("status"), max_length=50, null=True, blank=True, default="Active", db_default="Active"
    )
    threat_type = LineField(
        _("type"), max_length=100, null=True, blank=True, default="Unspecified", db_default="Unspecified"
    )
    mitigation = ProseField(_("mitigation"), max_length=32_768, null=True, blank=True)
    issue_uri = LineField(_("issue address"), max_length=1000, null=True, blank=True, validators=[http_uri])
    cwe_ids = ArrayField(
        LineField(validators=[cwe_id]),
        verbose_name=_("CWE"),
        default=list,
        db_default=[],
        blank=True,
        size=50,
        validators=[no_duplicates],
    )
    cvss_vector = LineField(_("CVSS vector"), max_length=400, null=True, blank=True)

    _loaded: dict[str, Any]

    objects = ThreatQuerySet.as_manager()

    class Meta:
        db_table = "threats"
        verbose_name = _("threat")
        verbose_name_plural = _("threats")
        default_related_name = "threats"
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(
                condition=Q(score__gte=Decimal("0.0")) & Q(score__lte=Decimal("10.0")),
                name="threats_score_check",
            )
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["threat_model", "created_at", "id"], name="threats_created_idx"),
            models.Index(fields=["threat_model", "modified_at", "id"], name="threats_modified_idx"),
            models.Index(fields=["threat_model", "name", "id"], name="threats_name_idx"),
            models.Index(fields=["threat_model", "severity"], name="threats_severity_idx"),
            models.Index(fields=["threat_model", "priority"], name="threats_priority_idx"),
            models.Index(fields=["threat_model", "status"], name="threats_status_idx"),
            models.Index(fields=["threat_model", "threat_type"], name="threats_type_idx"),
            models.Index(fields=["threat_model", "score"], name="threats_score_idx"),
            models.Index(fields=["threat_model", "mitigated"], name="threats_mitigated_idx"),
            models.Index(fields=["cell_id"], name="threats_cell_idx"),
            models.Index(fields=["deleted_at"], name="threats_deleted_idx"),
            GinIndex(SearchVector("name", "description", config="simple"), name="threats_search_idx"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """References stay within the threat model; a CVSS vector decides the score."""
        self._check_references()
        if self.cvss_vector:
            self._take_score_from_vector()

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Threat:
        found = super().from_db(*args, **kwargs)
        found._loaded = {name: found.__dict__.get(name) for name in ("diagram_id", "cell_id", "asset_id")}
        return found

    def _is_new(self, *names: str) -> bool:
        """Whether one of these references was not there when the row was loaded."""
        loaded: dict[str, Any] = getattr(self, "_loaded", {})
        return any(getattr(self, name) != loaded.get(name) for name in names)

    def _check_references(self) -> None:
        """What is referred to must be there when the reference is made; later it may be deleted."""
        inside = {"threat_model_id": self.threat_model_id, "deleted_at": None}
        diagrams, assets = Diagram.objects.filter(**inside), Asset.objects.filter(**inside)
        if (
            self.diagram_id
            and self._is_new("diagram_id")
            and not diagrams.filter(pk=self.diagram_id).exists()
        ):
            raise ValidationError({"diagram": _("There is no such diagram in this threat model.")})
        if self.asset_id and self._is_new("asset_id") and not assets.filter(pk=self.asset_id).exists():
            raise ValidationError({"asset": _("There is no such asset in this threat model.")})
        if self.cell_id and self._is_new("diagram_id", "cell_id"):
            self._check_cell(self.cell_id)

    def _check_cell(self, cell_id: UUID) -> None:
        if not self.diagram_id:
            raise ValidationError({"cell_id": _("An element needs its diagram: give diagram_id too.")})
        if not Diagram.objects.filter(pk=self.diagram_id).holding(cell_id):
            raise ValidationError({"cell_id": _("There is no such element in this diagram.")})

    def _take_score_from_vector(self) -> None:
        try:
            score = cvss_score(self.cvss_vector)
        except ValueError as error:
            raise ValidationError({"cvss_vector": str(error)}) from None
        if self.score is not None and self.score != score:
            raise ValidationError(
                {"score": _("The CVSS vector gives %(score)s; leave the score out.") % {"score": score}}
            )
        self.score = score
