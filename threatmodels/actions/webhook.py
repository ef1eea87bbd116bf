"""Webhooks: who is told, and sending something again."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from threatmodels import access
from threatmodels.actions import record
from threatmodels.choices import DeliveryStatus, WebhookStatus
from threatmodels.models import ThreatModel, Webhook, WebhookDelivery
from threatmodels.outbox import SUBSCRIBABLE
from tmi.lib import outgoing
from tmi.lib.errors import Conflict, FieldError, NotFound, PermissionDenied, ValidationFailed
from tmi.lib.ids import new_id
from tmi.lib.json import time_text

MOST_WEBHOOKS = 50
SHORTEST_SECRET, LONGEST_SECRET = 16, 200
CHALLENGE, PING = "webhook.challenge", "webhook.ping"


@transaction.atomic
def create_webhook(
    *,
    actor: User,
    url: str,
    events: Sequence[str],
    threat_model: ThreatModel | None = None,
    secret: str | None = None,
) -> tuple[Webhook, str]:
    """A webhook and the secret that signs its deliveries, which is shown this once. Raises ValidationFailed.

    For `threat_model`, which the caller has loaded as an owner, or for all that the actor may read. The
    receiver is asked to answer a challenge first.
    """
    _check(url, events, secret)
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    if actor.webhooks.count() >= MOST_WEBHOOKS:
        raise ValidationFailed.of("", f"A person has at most {MOST_WEBHOOKS} webhooks.")
    given = secret or new_secret()
    made = Webhook(user=actor, threat_model=threat_model, url=url, events=_listed(events), secret=given)
    record_rules(made)
    made.challenge = secrets.token_urlsafe(32)
    made.save(force_insert=True)
    _audit(made, "create", actor, {"url": (None, shown(url)), "events": (None, made.events)})
    _queue_challenge(made)
    return made, given


@transaction.atomic
def update_webhook(
    webhook: Webhook,
    *,
    actor: User,
    url: str | None = None,
    events: Sequence[str] | None = None,
    secret: str | None = None,
    status: str | None = None,
) -> Webhook:
    """Changes what is given. Another address, or `status` active, asks the receiver anew.

    Raises ValidationFailed; `status` may become active or disabled.
    """
    if status is not None and status not in (WebhookStatus.ACTIVE, WebhookStatus.DISABLED):
        raise ValidationFailed.of("status", "active or disabled.")
    locked = lock(webhook)
    _check(url, locked.events if events is None else events, secret)
    before = {"url": locked.url, "events": locked.events, "status": locked.status}
    if url is not None:
        locked.url = url
    if events is not None:
        locked.events = _listed(events)
    record_rules(locked)
    if secret is not None:
        locked.secret = secret
    _settle_status(locked, moved=locked.url != before["url"], wanted=status)
    after = {"url": locked.url, "events": locked.events, "status": locked.status}
    changed = {name: (before[name], value) for name, value in after.items() if before[name] != value}
    if "url" in changed:
        changed["url"] = (shown(before["url"]), shown(locked.url))
    if not changed and secret is None:
        return locked
    locked.modified_at = timezone.now()
    locked.save()
    _audit(locked, "update", actor, changed if secret is None else {**changed, "secret": (None, "changed")})
    return locked


def new_secret() -> str:
    return secrets.token_urlsafe(32)


@transaction.atomic
def renew_secret(webhook: Webhook, *, actor: User) -> str:
    """A new secret, which is shown this once; what is sent from now on is signed with it."""
    secret = new_secret()
    update_webhook(webhook, actor=actor, secret=secret)
    return secret


@transaction.atomic
def delete_webhook(webhook: Webhook, *, actor: User) -> None:
    """Nothing is sent there any more; its deliveries are forgotten."""
    locked = lock(webhook)
    _audit(locked, "delete", actor, {"url": (shown(locked.url), None)})
    locked.delete()


@transaction.atomic
def test_webhook(webhook: Webhook) -> WebhookDelivery:
    """Sends a ping, or once more the challenge that was not answered yet. Raises Conflict when disabled."""
    locked = lock(webhook)
    if locked.status == WebhookStatus.DISABLED:
        raise Conflict("This webhook is disabled.")
    if locked.status == WebhookStatus.PENDING:
        return _queue_challenge(locked)
    return _queue(locked, PING, {})


@transaction.atomic
def redeliver(webhook: Webhook, delivery: WebhookDelivery) -> WebhookDelivery:
    """Sends the same event again, as a new delivery.

    Raises Conflict unless the webhook is active, PermissionDenied where its person may not read the model
    (any more).
    """
    locked = lock(webhook)
    if locked.status != WebhookStatus.ACTIVE:
        raise Conflict("This webhook is not active.")
    if not may_tell(locked, delivery):
        raise PermissionDenied("Whoever made this webhook may not read this threat model any more.")
    return WebhookDelivery.objects.create(
        webhook=locked, event_id=delivery.event_id, event=delivery.event, payload=delivery.payload
    )


def may_tell(webhook: Webhook, delivery: WebhookDelivery) -> bool:
    """Whether the person of a webhook may (still) read what a delivery speaks of."""
    model_id = delivery.payload.get("threat_model_id")
    return model_id is None or access.visible_to(webhook.user).filter(pk=model_id).exists()


def lock(webhook: Webhook) -> Webhook:
    """The webhook as it is now, locked until the end of the transaction. Raises NotFound."""
    found = (
        Webhook.objects.select_for_update(of=("self",)).filter(pk=webhook.pk).select_related("user").first()
    )
    if found is None:
        raise NotFound
    return found


def shown(url: str) -> str:
    """An address without its path, which for many receivers is a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def record_rules(webhook: Webhook) -> None:
    """The rules of the row's own fields. Raises ValidationFailed."""
    record.check_fields(webhook, exclude={"user", "threat_model", "secret", "challenge"})


def _check(url: str | None, events: Sequence[str], secret: str | None) -> None:
    problems: list[FieldError] = []
    if unknown := [event for event in events if event not in SUBSCRIBABLE]:
        problems.append(FieldError("events", f"There is no event {unknown[0][:100]!r}."))
    if not events:
        problems.append(FieldError("events", "At least one event is expected."))
    if secret is not None and not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET:
        problems.append(
            FieldError("secret", f"{SHORTEST_SECRET} to {LONGEST_SECRET} characters are expected.")
        )
    try:
        if url is None:
            pass
        elif not url.lower().startswith("https://"):
            raise outgoing.Forbidden("An https address is expected.")
        else:
            outgoing.check_url(url)
    except outgoing.Forbidden as error:
        problems.append(FieldError("url", error.message))
    if problems:
        raise ValidationFailed(problems)


def _listed(events: Sequence[str]) -> list[str]:
    return sorted(set(events))


def _settle_status(locked: Webhook, *, moved: bool, wanted: str | None) -> None:
    if wanted == WebhookStatus.DISABLED:
        locked.status = WebhookStatus.DISABLED
        give_up_waiting(locked, "The webhook was disabled.")
    elif moved or (wanted == WebhookStatus.ACTIVE and locked.status != WebhookStatus.ACTIVE):
        give_up_waiting(locked, "The webhook was changed.")
        locked.status, locked.failures = WebhookStatus.PENDING, 0
        locked.challenge = secrets.token_urlsafe(32)
        _queue_challenge(locked)


def give_up_waiting(webhook: Webhook, reason: str) -> None:
    """What waits for a webhook goes to the dead letters."""
    attempt = {"at": time_text(timezone.now()), "status_code": None, "error": reason, "milliseconds": 0}
    for delivery in webhook.deliveries.filter(status=DeliveryStatus.PENDING).select_for_update():
        delivery.status, delivery.attempts = DeliveryStatus.DEAD, [*delivery.attempts, attempt]
        delivery.save(update_fields=["status", "attempts"])


def _queue_challenge(webhook: Webhook) -> WebhookDelivery:
    return _queue(webhook, CHALLENGE, {"challenge": webhook.challenge})


def _queue(webhook: Webhook, event: str, data: dict[str, Any]) -> WebhookDelivery:
    event_id = new_id()
    payload = {
        "id": str(event_id),
        "event": event,
        "created_at": time_text(timezone.now()),
        "threat_model_id": None,
        "entity_type": "webhook",
        "entity_id": str(webhook.pk),
        "actor_id": None,
        "data": data,
    }
    return WebhookDelivery.objects.create(webhook=webhook, event_id=event_id, event=event, payload=payload)


def _audit(webhook: Webhook, action: str, actor: User | None, changes: audit.Changes) -> None:
    audit.write(
        entity_type="webhook",
        entity_id=webhook.pk,
        threat_model_id=webhook.threat_model_id,
        action=action,
        actor=actor,
        changes=changes,
    )
