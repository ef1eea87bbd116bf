"""Sending what the outbox holds: signed, again after failures, given up in the end.

Any number of workers in any number of processes share the work. Each leases one delivery at a time, and
never two of one webhook, so that a slow receiver holds up nobody else. A worker that dies leaves its lease,
which runs out; a receiver may then get an event twice, with the same `id`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import requests
from django.conf import settings
from django.db import InterfaceError, OperationalError, ProgrammingError, connection, transaction
from django.utils import timezone
from psycopg.errors import UndefinedTable

from accounts import audit
from threatmodels.actions.webhook import CHALLENGE, give_up_waiting
from threatmodels.choices import DeliveryStatus, WebhookStatus
from threatmodels.models import Webhook, WebhookDelivery
from tmi.lib import outgoing, rows, sweep
from tmi.lib.json import time_text

logger = logging.getLogger(__name__)

# Longer than any request can take.
LEASE_SECONDS = 60
POLL_SECONDS = 1.0
WORKERS = 2
LONGEST_PAUSE_SECONDS = 6 * 3600
DISABLED = "Too many deliveries in a row failed."

# The webhook whose delivery waits longest, of those that nobody serves at the moment. Its row stays locked
# until the lease is written, and the lease is chosen by a statement of its own: one that began before another
# worker wrote its lease does not see it.
FREE_WEBHOOK = """
SELECT w.id FROM webhook_deliveries d
  JOIN webhooks w ON w.id = d.webhook_id JOIN users u ON u.internal_uuid = w.user_internal_uuid
WHERE d.status = 'pending' AND d.next_attempt_at <= %(now)s AND u.is_active
  AND NOT EXISTS (SELECT FROM webhook_deliveries o WHERE o.webhook_id = w.id AND o.leased_until > %(now)s)
ORDER BY d.next_attempt_at, d.id LIMIT 1 FOR UPDATE OF w SKIP LOCKED
"""
LEASE = """
UPDATE webhook_deliveries SET leased_until = %(until)s WHERE id = (
  SELECT d.id FROM webhook_deliveries d
  WHERE d.webhook_id = %(webhook)s AND d.status = 'pending' AND d.next_attempt_at <= %(now)s
    AND NOT EXISTS (SELECT FROM webhook_deliveries o
      WHERE o.webhook_id = d.webhook_id AND o.leased_until > %(now)s)
  ORDER BY d.next_attempt_at, d.id LIMIT 1)
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended; `error` is empty when the receiver took the delivery."""

    status_code: int | None
    error: str
    milliseconds: int


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """What receivers compare with the X-TMI-Signature of a delivery: HMAC-SHA256 of "timestamp.body"."""
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"t={timestamp},v1={signed.hexdigest()}"


def deliver_next() -> bool:
    """Leases one delivery that is due and tries it; False when there is none."""
    try:
        leased = _lease()
        while leased is None:  # another worker was faster
            leased = _lease()
    except LookupError:
        return False
    delivery = WebhookDelivery.objects.select_related("webhook__user").filter(pk=leased).first()
    if delivery is not None:
        _settle(delivery, _send(delivery))
    return True


@transaction.atomic
def _lease() -> UUID | None:
    """The id of the delivery that is ours now, None when somebody has taken it; LookupError: none is due."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(FREE_WEBHOOK, {"now": now})
        found = cursor.fetchone()
        if found is None:
            raise LookupError
        times = {"now": now, "until": now + timedelta(seconds=LEASE_SECONDS)}
        cursor.execute(LEASE, {"webhook": found[0], **times})
        leased = cursor.fetchone()
    return leased[0] if leased else None


def _send(delivery: WebhookDelivery) -> Outcome:
    webhook = delivery.webhook
    if not _fits_status(delivery):
        return Outcome(None, "The webhook is not active.", 0)
    body = json.dumps(delivery.payload, separators=(",", ":")).encode()
    timestamp = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "TMI-Webhook/1",
        "X-TMI-Event": delivery.event,
        "X-TMI-Delivery": str(delivery.pk),
        "X-TMI-Signature": signature(webhook.secret, timestamp, body),
    }
    begun = time.monotonic()

    def outcome(code: int | None, error: str) -> Outcome:
        return Outcome(code, error, int((time.monotonic() - begun) * 1000))

    if not webhook.url.lower().startswith("https://"):
        return outcome(None, "An https address is expected.")
    try:
        outgoing.check_url(webhook.url)
        with outgoing.Session() as session:
            answer = session.post(webhook.url, data=body, headers=headers)
    except outgoing.Forbidden as error:
        return outcome(None, error.message)
    except requests.Timeout:
        return outcome(None, "The receiver did not answer in time.")
    except requests.exceptions.SSLError:
        return outcome(None, "The receiver's certificate is not trusted.")
    except (requests.RequestException, OSError, ValueError):
        return outcome(None, "No connection to the receiver.")
    if not 200 <= answer.status_code < 300:
        return outcome(answer.status_code, f"The receiver answered {answer.status_code}.")
    if delivery.event == CHALLENGE and not _echoes(answer.content, webhook.challenge):
        return outcome(answer.status_code, "The receiver did not answer the challenge.")
    return outcome(answer.status_code, "")


def _fits_status(delivery: WebhookDelivery) -> bool:
    """A pending webhook gets its challenge alone."""
    wanted = WebhookStatus.PENDING if delivery.event == CHALLENGE else WebhookStatus.ACTIVE
    return delivery.webhook.status == wanted


def _echoes(content: bytes, challenge: str) -> bool:
    """Whether an answer is {"challenge": ...} with the very text that was sent."""
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        return False
    given = str(said.get("challenge", "")) if isinstance(said, dict) else ""
    return hmac.compare_digest(given.encode(errors="replace"), challenge.encode())


@transaction.atomic
def _settle(delivery: WebhookDelivery, outcome: Outcome) -> None:
    """Writes down how it went, and what follows from it."""
    webhook = Webhook.objects.select_for_update(of=("self",)).filter(pk=delivery.webhook_id).first()
    held = WebhookDelivery.objects.select_for_update().filter(pk=delivery.pk).first()
    if webhook is None or held is None or held.status != DeliveryStatus.PENDING:
        return
    now = timezone.now()
    held.leased_until = None
    held.attempts = [
        *held.attempts,
        {
            "at": time_text(now),
            "status_code": outcome.status_code,
            "error": outcome.error,
            "milliseconds": outcome.milliseconds,
        },
    ]
    if outcome.error:
        _failed(webhook, held)
    else:
        held.status, held.delivered_at = DeliveryStatus.DELIVERED, now
        _succeeded(webhook, held)
    held.save(update_fields=["status", "attempts", "leased_until", "delivered_at", "next_attempt_at"])


def _succeeded(webhook: Webhook, delivery: WebhookDelivery) -> None:
    confirmed = delivery.event == CHALLENGE and delivery.payload["data"]["challenge"] == webhook.challenge
    if confirmed and webhook.status == WebhookStatus.PENDING:
        webhook.status = WebhookStatus.ACTIVE
    elif not webhook.failures:
        return
    webhook.failures = 0
    webhook.save(update_fields=["status", "failures"])


def _failed(webhook: Webhook, delivery: WebhookDelivery) -> None:
    config = settings.CONFIG.webhooks
    tried = len(delivery.attempts)
    if tried >= config.attempts:
        delivery.status = DeliveryStatus.DEAD
    pause = min(config.first_retry_seconds * 2 ** min(tried - 1, 20), LONGEST_PAUSE_SECONDS)
    delivery.next_attempt_at = timezone.now() + timedelta(seconds=pause)
    webhook.failures += 1
    if webhook.failures >= config.disable_after and webhook.status != WebhookStatus.DISABLED:
        webhook.status = WebhookStatus.DISABLED
        delivery.status = DeliveryStatus.DEAD
        delivery.save(update_fields=["status"])
        give_up_waiting(webhook, DISABLED)
        audit.write(
            entity_type="webhook",
            entity_id=webhook.pk,
            threat_model_id=webhook.threat_model_id,
            action="disable",
            actor=None,
            changes={"failures": (None, webhook.failures)},
        )
    webhook.save(update_fields=["status", "failures"])


def forget_old() -> int:
    """Deletes deliveries that were kept long enough; how many. Raises ElsewhereError."""
    limit = timezone.now() - timedelta(days=settings.CONFIG.webhooks.kept_days)
    return sweep.in_batches(sweep.rows(WebhookDelivery.objects.filter(created_at__lt=limit)))


# -- workers of a process


class Workers:
    """A few threads that deliver until they are stopped; `wake` saves them the wait for the next look."""

    def __init__(self, count: int = WORKERS) -> None:
        self._stop, self._wake = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"webhooks-{n}", daemon=True) for n in range(count)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 0) -> None:
        """What is being sent is finished, if it takes no longer than this."""
        self._stop.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(seconds)

    def wake(self, *_: Any) -> None:
        self._wake.set()

    def _work(self) -> None:
        away = False
        while not self._stop.is_set():
            try:
                with rows.scope(rows.EVERYTHING):
                    busy = deliver_next()
                away = False
            except Exception as error:
                busy = False
                if not _is_away(error):
                    logger.exception("A delivery failed in an unexpected way")
                elif not away:
                    logger.warning("webhooks wait for the database: %s", error)
                    away = True
            finally:
                with suppress(Exception):
                    connection.close()
            if not busy and not self._stop.is_set():
                self._wake.wait(POLL_SECONDS)
                self._wake.clear()


def _is_away(error: Exception) -> bool:
    """Whether the database cannot be reached, or has not been migrated yet."""
    is_bare = isinstance(error, ProgrammingError) and isinstance(error.__cause__, UndefinedTable)
    return is_bare or isinstance(error, OperationalError | InterfaceError)
