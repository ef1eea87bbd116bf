"""What other processes are told, through Redis: at most a hint, for the database is what counts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import redis
from channels.layers import get_channel_layer

from tmi.lib.events import Event
from tmi.lib.ids import parse_id
from tmi.lib.redis import client

logger = logging.getLogger(__name__)

# Who this process is, for the others.
PROCESS = uuid4().hex
EVENTS = "events"
# What rooms have to know of; everything else stays in this process.
KINDS = (
    "access.",
    "asset.",
    "collaboration_session.",
    "diagram.",
    "group.",
    "session.",
    "suggestion.",
    "threat.",
    "threat_model.",
    "user.",
)


def group_of(diagram_id: UUID) -> str:
    """The channel layer's group of a diagram."""
    return f"diagram.{diagram_id.hex}"


def concerns_rooms(event: Event) -> bool:
    return event.kind.startswith(KINDS) and not event.kind.endswith(".metadata")


def publish(event: Event) -> None:
    """Tells the other processes of an event, from whatever thread or command; without Redis nobody hears."""
    layer = get_channel_layer()
    message = {
        "type": "event",
        "process": PROCESS,
        "kind": event.kind,
        "entity_id": str(event.entity_id),
        "threat_model_id": event.threat_model_id and str(event.threat_model_id),
        "actor_id": event.actor_id and str(event.actor_id),
        "data": event.data,
    }
    try:
        # The form of channels_redis.pubsub, whose own `group_send` needs an event loop.
        client().publish(f"asgi__group__{EVENTS}", layer.serialize(message))
    except redis.RedisError as error:
        logger.warning("Redis did not take an event: %s", error)


def event_of(message: dict[str, Any]) -> Event:
    """The event in a message that `publish` made."""
    entity_id = parse_id(message["entity_id"])
    assert entity_id is not None
    return Event(
        message["kind"],
        entity_id,
        parse_id(message["threat_model_id"]),
        parse_id(message["actor_id"]),
        message["data"],
    )


_deliver: list[Callable[[Event], None]] = []


def deliver_to(receiver: Callable[[Event], None]) -> None:
    """The rooms of this process hear of its own events without Redis."""
    _deliver[:] = [receiver]


def on_event(event: Event) -> None:
    """The listener of this process's events."""
    if concerns_rooms(event):
        for receiver in _deliver:
            receiver(event)
        if not event.data.get("told"):
            publish(event)
