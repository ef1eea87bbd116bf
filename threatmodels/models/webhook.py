"""Other servers that are told of changes, and what was or is to be delivered to them."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from threatmodels.choices import DeliveryStatus, WebhookStatus
from threatmodels.models.threat_model import ThreatModel
from tmi.lib.crypto import EncryptedField
from tmi.lib.fields import LineField, created_at
from tmi.lib.models import ChangingRow, Row, one_of
from tmi.lib.text import NotBlank


class Webhook(ChangingRow):
    """A subscription: of one threat model, or of all that its person may read.

    Nothing but a challenge is sent before the receiver has answered one (`pending`). `failures` counts
    attempts in a row that failed.
    """

    user = models.ForeignKey(
        User,
        models.CASCADE,
        related_name="webhooks",
        db_column="user_internal_uuid",
        verbose_name=_("made by"),
    )
    threat_model = models.ForeignKey(
        ThreatModel, models.CASCADE, null=True, blank=True, related_name="webhooks"
    )
    url = LineField(_("address"), max_length=1000, validators=[NotBlank()])
    events = ArrayField(LineField(max_length=100), verbose_name=_("events"))
    secret = EncryptedField(editable=False)
    challenge = models.TextField(editable=False)
    status = LineField(
        _("status"), choices=WebhookStatus, default=WebhookStatus.PENDING, db_default="pending"
    )
    failures = models.IntegerField(_("failures in a row"), default=0, db_default=0)

    class Meta:
        db_table = "webhooks"
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        constraints: ClassVar[list[Any]] = [
            one_of("status", WebhookStatus.values, name="webhooks_status_check")
        ]

    def __str__(self) -> str:
        """Without the path, which for many receivers is a secret."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


class WebhookDelivery(Row):
    """One event for one webhook, written in the transaction of the change; a worker sends it.

    `attempts` lists {at, status_code, error, milliseconds} of each try. While a worker sends it
    `leased_until` lies ahead; one that dies in between leaves it to the next one.
    """

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    event_id = models.UUIDField()
    event = LineField(_("event"), max_length=100)
    payload = models.JSONField(_("payload"))
    status = LineField(
        _("status"), choices=DeliveryStatus, default=DeliveryStatus.PENDING, db_default="pending"
    )
    attempts = models.JSONField(_("attempts"), default=list, db_default=[])
    next_attempt_at = created_at()
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True, editable=False)

    class Meta:
        db_table = "webhook_deliveries"
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints: ClassVar[list[Any]] = [
            one_of("status", DeliveryStatus.values, name="webhook_deliveries_status_check")
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(
                fields=["next_attempt_at"], condition=Q(status="pending"), name="webhook_deliveries_due_idx"
            ),
            models.Index(
                fields=["webhook"],
                condition=Q(leased_until__isnull=False),
                name="webhook_deliveries_lease_idx",
            ),
            models.Index(fields=["webhook", "-created_at"], name="webhook_deliveries_webhook_idx"),
            models.Index(fields=["created_at"], name="webhook_deliveries_created_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.event}: {self.status}"
