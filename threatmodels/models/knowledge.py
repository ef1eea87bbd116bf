"""What people decided about suggestions, and the rule packs of an installation."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from threatmodels.choices import Verdict
from threatmodels.models.diagram import Diagram
from threatmodels.models.threat import Threat
from threatmodels.models.threat_model import ThreatModel
from tmi.lib.fields import LineField, ProseField
from tmi.lib.models import ChangingRow, Row, one_of
from tmi.lib.text import NotBlank


class SuggestionDecision(Row):
    """A suggestion that was accepted or does not apply; without a rule, a whole category at an element.

    A decision to accept counts as long as its threat is there.
    """

    threat_model = models.ForeignKey(ThreatModel, models.CASCADE, related_name="decisions")
    diagram = models.ForeignKey(Diagram, models.CASCADE, related_name="decisions")
    cell_id = models.UUIDField()
    rule_id = LineField(_("rule"), max_length=140, blank=True, default="", db_default="")
    category = LineField(_("category"), max_length=100, validators=[NotBlank()])
    verdict = LineField(_("verdict"), choices=Verdict)
    reason = ProseField(_("reason"), max_length=2000, blank=True, default="", db_default="")
    threat = models.ForeignKey(Threat, models.SET_NULL, null=True, blank=True, related_name="decisions")
    actor = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", db_column="user_internal_uuid"
    )

    class Meta:
        db_table = "suggestion_decisions"
        verbose_name = _("suggestion decision")
        verbose_name_plural = _("suggestion decisions")
        constraints: ClassVar[list[Any]] = [
            one_of("verdict", Verdict.values, name="suggestion_decisions_verdict_check"),
            models.UniqueConstraint(
                fields=["diagram", "cell_id", "rule_id", "category"],
                name="suggestion_decisions_diagram_cell_rule_key",
            ),
            models.CheckConstraint(
                condition=Q(verdict="accepted") | Q(reason__regex=r"\S"),
                name="suggestion_decisions_reason_check",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id or self.category}: {self.verdict}"


class RulePack(ChangingRow):
    """A pack that an administrator uploaded, or what they changed about one that comes with TMI.

    `content` is null for a pack of TMI; `off` names single rules that are not asked.
    """

    key = LineField(_("key"), max_length=64, unique=True, validators=[NotBlank()])
    content = models.JSONField(_("content"), null=True, blank=True)
    is_enabled = models.BooleanField(_("enabled"), default=True, db_default=True)
    off = ArrayField(
        LineField(max_length=64),
        verbose_name=_("rules that are off"),
        default=list,
        db_default=[],
        blank=True,
    )

    class Meta:
        db_table = "rule_packs"
        verbose_name = _("rule pack")
        verbose_name_plural = _("rule packs")

    def __str__(self) -> str:
        return self.key
