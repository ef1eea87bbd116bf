"""What webhooks are to be told, written in the transaction of the change, so that none of it is ever lost.

The database decides who is told (`webhook_outbox`, made by a migration): at that very moment, so that
nobody hears of a model that they may not read any more. Operations of diagrams are written down by
`append_operations`, which costs no further round trip.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from tmi.lib.events import Event
from tmi.lib.json import encode

KINDS = {
    "threat_model": ["created", "updated", "transferred", "deleted", "restored", "metadata"],
    **{
        kind: ["created", "updated", "deleted", "restored", "metadata"]
        for kind in ("threat", "asset", "document", "note", "repository")
    },
    "diagram": ["created", "updated", "deleted", "restored", "metadata", "operation"],
    "cell": ["metadata"],
    "access": ["grant", "change", "revoke", "accept"],
    "collaboration_session": ["started", "ended"],
}
# What one can subscribe to: a kind of event, all of an entity (`threat.*`), or all there is.
EVENTS = sorted(f"{entity}.{action}" for entity, actions in KINDS.items() for action in actions)
SUBSCRIBABLE = ["*", *(f"{entity}.*" for entity in KINDS), *EVENTS]

# (kind, entity, threat model, actor, data) of each event.
WRITE = """
SELECT webhook_outbox(kind, entity, model, actor, data)
FROM unnest(%s::text[], %s::uuid[], %s::uuid[], %s::uuid[], %s::jsonb[])
  AS e(kind, entity, model, actor, data)
"""


def record(events: Sequence[Event]) -> None:
    """Writes deliveries of what happened to threat models; part of the transaction at hand."""
    told = [event for event in events if event.threat_model_id and event.kind in _OURS]
    if not told:
        return
    rows = [
        (event.kind, event.entity_id, event.threat_model_id, event.actor_id, encode(event.data).decode())
        for event in told
    ]
    with connection.cursor() as cursor:
        cursor.execute(WRITE, [list(column) for column in zip(*rows, strict=True)])


_OURS = frozenset(EVENTS) - {"diagram.operation"}
