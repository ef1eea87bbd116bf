"""Vocabularies: what the database insists on, and what the pages offer."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Framework(models.TextChoices):
    CIA = "CIA", "CIA"
    STRIDE = "STRIDE", "STRIDE"
    LINDDUN = "LINDDUN", "LINDDUN"
    DIE = "DIE", "DIE"
    PLOT4AI = "PLOT4ai", "PLOT4ai"


class DiagramType(models.TextChoices):
    DFD = "DFD-1.0.0", _("Data-flow diagram")


class AssetType(models.TextChoices):
    DATA = "data", _("Data")
    HARDWARE = "hardware", _("Hardware")
    SOFTWARE = "software", _("Software")
    INFRASTRUCTURE = "infrastructure", _("Infrastructure")
    SERVICE = "service", _("Service")
    PERSONNEL = "personnel", _("Personnel")


class RepositoryType(models.TextChoices):
    GIT = "git", "Git"
    SVN = "svn", "Subversion"
    MERCURIAL = "mercurial", "Mercurial"
    OTHER = "other", _("Other")


class SubjectType(models.TextChoices):
    USER = "user", _("Person")
    GROUP = "group", _("Group")


class EntityType(models.TextChoices):
    """What metadata can be attached to."""

    THREAT_MODEL = "threat_model", _("threat model")
    THREAT = "threat", _("threat")
    DIAGRAM = "diagram", _("diagram")
    DOCUMENT = "document", _("document")
    REPOSITORY = "repository", _("repository")
    CELL = "cell", _("cell")
    NOTE = "note", _("note")
    ASSET = "asset", _("asset")


class WebhookStatus(models.TextChoices):
    """Pending until the receiver has answered a challenge; disabled after too many failures, or by people."""

    PENDING = "pending", _("waiting for the receiver's answer")
    ACTIVE = "active", _("active")
    DISABLED = "disabled", _("disabled")


# What people may ask for.
SWITCHES = [WebhookStatus.ACTIVE.value, WebhookStatus.DISABLED.value]


class DeliveryStatus(models.TextChoices):
    """Dead: given up, and kept so that it can be sent again."""

    PENDING = "pending", _("pending")
    DELIVERED = "delivered", _("delivered")
    DEAD = "dead", _("given up")


class Verdict(models.TextChoices):
    """What somebody decided about a suggestion."""

    ACCEPTED = "accepted", _("accepted")
    NOT_APPLICABLE = "not_applicable", _("not applicable")


class RoleName(models.TextChoices):
    OWNER = "owner", _("Owner")
    WRITER = "writer", _("Writer")
    READER = "reader", _("Reader")


# What the pages offer; the API takes other text as given.
SEVERITIES = [
    ("critical", pgettext_lazy("severity", "Critical")),
    ("high", pgettext_lazy("severity", "High")),
    ("medium", pgettext_lazy("severity", "Medium")),
    ("low", pgettext_lazy("severity", "Low")),
    ("informational", pgettext_lazy("severity", "Informational")),
    ("unknown", pgettext_lazy("severity", "Unknown")),
]
LEVELS = [
    ("very_high", _("Very high")),
    ("high", _("High")),
    ("medium", _("Medium")),
    ("low", _("Low")),
    ("very_low", _("Very low")),
]
PRIORITIES = [
    ("Immediate", _("Immediate")),
    ("High", _("High")),
    ("Medium", _("Medium")),
    ("Low", _("Low")),
    ("Deferred", _("Deferred")),
]
THREAT_STATUSES = [
    ("Active", _("Active")),
    ("Open", _("Open")),
    ("Confirmed", _("Confirmed")),
    ("Mitigation planned", _("Mitigation planned")),
    ("Mitigation in progress", _("Mitigation in progress")),
    ("Verification pending", _("Verification pending")),
    ("Resolved", _("Resolved")),
    ("Accepted", _("Accepted")),
    ("Transferred", _("Transferred")),
    ("Avoided", _("Avoided")),
    ("False positive", _("False positive")),
    ("Not applicable", _("Not applicable")),
    ("Deferred", _("Deferred")),
    ("Closed", _("Closed")),
]
# A threat in one of these needs no more work; so does one that is marked mitigated. Compared without case.
CLOSED_STATUSES = [
    "resolved",
    "accepted",
    "transferred",
    "avoided",
    "false positive",
    "not applicable",
    "closed",
]
MODEL_STATUSES = [
    ("Not started", _("Not started")),
    ("In progress", _("In progress")),
    ("Pending review", _("Pending review")),
    ("Remediation required", _("Remediation required")),
    ("Remediation in progress", _("Remediation in progress")),
    ("Verification pending", _("Verification pending")),
    ("Approved", _("Approved")),
    ("Rejected", _("Rejected")),
    ("Deferred", _("Deferred")),
    ("Closed", _("Closed")),
]
THREAT_TYPES = {
    Framework.STRIDE: [
        ("Spoofing", _("Spoofing")),
        ("Tampering", _("Tampering")),
        ("Repudiation", _("Repudiation")),
        ("Information disclosure", _("Information disclosure")),
        ("Denial of service", _("Denial of service")),
        ("Elevation of privilege", _("Elevation of privilege")),
    ],
    Framework.CIA: [
        ("Confidentiality", _("Confidentiality")),
        ("Integrity", _("Integrity")),
        ("Availability", _("Availability")),
    ],
    Framework.LINDDUN: [
        ("Linking", _("Linking")),
        ("Identifying", _("Identifying")),
        ("Non-repudiation", _("Non-repudiation")),
        ("Detecting", _("Detecting")),
        ("Data disclosure", _("Data disclosure")),
        ("Unawareness and unintervenability", _("Unawareness and unintervenability")),
        ("Non-compliance", _("Non-compliance")),
    ],
    Framework.DIE: [
        ("Distributed", _("Distributed")),
        ("Immutable", _("Immutable")),
        ("Ephemeral", _("Ephemeral")),
    ],
    Framework.PLOT4AI: [
        ("Data and data governance", _("Data and data governance")),
        ("Transparency and accessibility", _("Transparency and accessibility")),
        ("Privacy and data protection", _("Privacy and data protection")),
        ("Cybersecurity", _("Cybersecurity")),
        ("Safety and environmental impact", _("Safety and environmental impact")),
        ("Bias, fairness and discrimination", _("Bias, fairness and discrimination")),
        ("Ethics and human rights", _("Ethics and human rights")),
        ("Accountability and human oversight", _("Accountability and human oversight")),
    ],
}

# What PLOT4ai's first edition called its categories.
EARLIER_TYPES: dict[Framework | None, dict[str, str]] = {
    Framework.PLOT4AI: {
        "Technique and processes": "Data and data governance",
        "Accessibility": "Transparency and accessibility",
        "Unawareness": "Transparency and accessibility",
        "Identifiability and linkability": "Privacy and data protection",
        "Security": "Cybersecurity",
        "Safety": "Safety and environmental impact",
        "Non-compliance": "Accountability and human oversight",
    }
}

_TYPES = [choice for choices in THREAT_TYPES.values() for choice in choices]
_SPELLED: dict[str, Any] = dict([*LEVELS, *PRIORITIES, *THREAT_STATUSES, *MODEL_STATUSES, *_TYPES])
_SPELLED |= {"Unspecified": _("Unspecified"), **dict(AssetType.choices), **dict(RepositoryType.choices)}
_CELL_TYPES = {
    "process": _("Process"),
    "datastore": _("Data store"),
    "external_entity": _("External entity"),
    "trust_boundary": _("Trust boundary"),
    "data_flow": _("Data flow"),
}


def spelled(value: str) -> str:
    """A level, priority, status or type as a person writes it; what somebody typed stays."""
    return str(_SPELLED.get(value, value))


def cell_type_title(name: str) -> str:
    return str(_CELL_TYPES.get(name, name))
