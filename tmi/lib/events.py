"""Telling the rest of the system, after the commit, that something changed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to which entity: `kind` is `<entity_type>.<action>`, ids are those of the database."""

    kind: str
    entity_id: UUID
    threat_model_id: UUID | None = None
    actor_id: UUID | None = None
    data: dict[str, Any] = field(default_factory=dict)


Listener = Callable[[Event], None]
Recorder = Callable[[Sequence[Event]], None]
_listeners: list[Listener] = []
_recorders: list[Recorder] = []


def subscribe(listener: Listener) -> None:
    """Call `listener` with every published event of this process. For AppConfig.ready."""
    if listener not in _listeners:
        _listeners.append(listener)


def record_with(recorder: Recorder) -> None:
    """Call `recorder` with events in the transaction of their change: what it writes is part of it."""
    if recorder not in _recorders:
        _recorders.append(recorder)


def publish_on_commit(event: Event) -> None:
    """Hand the event to all listeners after the commit; one that fails stops no other."""
    publish_all_on_commit([event])


def publish_all_on_commit(events: Sequence[Event]) -> None:
    """The same for events of one transaction, which recorders get together."""
    for record in _recorders:
        record(events)
    for event in events:
        transaction.on_commit(partial(_publish, event), robust=True)


def _publish(event: Event) -> None:
    for listener in _listeners:
        try:
            listener(event)
        except Exception:
            logger.exception("A listener failed on %s", event.kind)
