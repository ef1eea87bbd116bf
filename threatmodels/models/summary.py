"""The two SQL views that lists and reports read."""

from __future__ import annotations

from django.db import models

from threatmodels.models.threat import Threat
from threatmodels.models.threat_model import ThreatModel


class ThreatModelSummary(models.Model):
    """Counts of what is live in a threat model, its highest open severity and its last change."""

    threat_model = models.OneToOneField(
        ThreatModel, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="summary"
    )
    diagram_count = models.IntegerField()
    threat_count = models.IntegerField()
    open_threat_count = models.IntegerField()
    asset_count = models.IntegerField()
    document_count = models.IntegerField()
    note_count = models.IntegerField()
    repository_count = models.IntegerField()
    highest_severity = models.TextField(null=True)
    last_change = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "threat_model_summary"

    def __str__(self) -> str:
        return str(self.threat_model_id)


class ThreatReportRow(models.Model):
    """A live threat with the names of its model, diagram, element and asset."""

    threat = models.OneToOneField(
        Threat, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="report_row"
    )
    threat_model = models.ForeignKey(
        ThreatModel, models.DO_NOTHING, db_constraint=False, related_name="threat_report"
    )
    threat_model_name = models.TextField()
    diagram_name = models.TextField(null=True)
    cell_label = models.TextField(null=True)
    asset_name = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = "threat_report"

    def __str__(self) -> str:
        return str(self.threat_id)
