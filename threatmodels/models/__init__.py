"""Threat models and everything in them."""

from threatmodels.models.access import AccessInvitation, ThreatModelAccess
from threatmodels.models.asset import Asset
from threatmodels.models.diagram import Diagram, DiagramOperation
from threatmodels.models.document import Document
from threatmodels.models.knowledge import RulePack, SuggestionDecision
from threatmodels.models.metadata import Metadata
from threatmodels.models.note import Note
from threatmodels.models.record import Record
from threatmodels.models.repository import Repository
from threatmodels.models.summary import ThreatModelSummary, ThreatReportRow
from threatmodels.models.threat import Threat
from threatmodels.models.threat_model import ThreatModel
from threatmodels.models.webhook import Webhook, WebhookDelivery

__all__ = [
    "AccessInvitation",
    "Asset",
    "Diagram",
    "DiagramOperation",
    "Document",
    "Metadata",
    "Note",
    "Record",
    "Repository",
    "RulePack",
    "SuggestionDecision",
    "Threat",
    "ThreatModel",
    "ThreatModelAccess",
    "ThreatModelSummary",
    "ThreatReportRow",
    "Webhook",
    "WebhookDelivery",
]
