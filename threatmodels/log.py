"""The log of a diagram in the database: accepted operations, numbered without gaps, and the checkpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson
from django.db import connection

from threatmodels.models import DiagramOperation
from threatmodels.operations import Applied, Cell, Operation
from tmi.lib.ids import new_id

# A diagram so large is not written whole for every operation; the log's end is added when it is read.
LARGE = 500
CHECKPOINT_EVERY = 200
CHECKPOINT = "UPDATE diagrams SET cells = %s, cells_vector = %s WHERE id = %s AND cells_vector < %s"

# One statement, so one round trip and one commit: the diagram moves on, its operations are kept, its model is
# touched. The function is made by a migration.
WRITE = "SELECT append_operations(%s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Entry:
    """An operation that was carried out in memory and is to be kept."""

    operation_id: UUID
    actor_id: UUID
    applied: Applied
    digest: str
    undo_of: UUID | None = None
    redo_of: UUID | None = None


def write(diagram_id: UUID, vector: int, entries: Sequence[Entry], now: datetime) -> bool:
    """Keeps entries behind operation `vector`; False, and nothing is kept, where that is not the last one.

    It is not either when the diagram or its threat model has been deleted. Raises IntegrityError where an
    operation_id is taken.
    """
    told = [
        {
            "id": new_id(),
            "operation_id": entry.operation_id,
            "actor_id": entry.actor_id,
            "operation": entry.applied.operation,
            "inverse": entry.applied.inverse,
            "digest": entry.digest,
            "undo_of": entry.undo_of,
            "redo_of": entry.redo_of,
        }
        for entry in entries
    ]
    with connection.cursor() as cursor:
        cursor.execute(WRITE, [diagram_id, vector, now, orjson.dumps(told).decode()])
        written: bool = cursor.fetchone()[0]
    return written


def digest(operation: Operation) -> str:
    """What tells whether two operations ask for the same: a hash of the operation as it was sent."""
    return hashlib.sha256(orjson.dumps(operation, option=orjson.OPT_SORT_KEYS)).hexdigest()


def since(diagram_id: UUID, vector: int) -> list[DiagramOperation]:
    """The operations after `vector`, in order."""
    later = DiagramOperation.objects.filter(diagram_id=diagram_id, sequence_number__gt=vector)
    return list(later.order_by("sequence_number"))


# Of each diagram so many operations stay, however old they are.
LEAST_KEPT = 10_000
DROP = """
DELETE FROM diagram_operations WHERE id = ANY(ARRAY(
  SELECT o.id FROM diagram_operations o JOIN diagrams d ON d.id = o.diagram_id
  WHERE o.created_at < %s AND o.sequence_number <= least(d.cells_vector, d.update_vector - %s)
  ORDER BY o.diagram_id, o.sequence_number LIMIT %s))
"""


def drop_old(before: datetime, limit: int) -> int:
    """Forgets so many operations from before a moment, but for the last ones of each diagram; how many.

    What is dropped is in the checkpoint; it can no longer be taken back or reverted to.
    """
    with connection.cursor() as cursor:
        cursor.execute(DROP, [before, LEAST_KEPT, limit])
        return cursor.rowcount


def checkpoint(diagram_id: UUID, vector: int, cells: Iterable[Cell]) -> None:
    """Writes the cells as they are at operation `vector`, unless a later checkpoint is there."""
    # Not by the ORM, whose JSON takes ten times as long and holds up every thread meanwhile.
    with connection.cursor() as cursor:
        cursor.execute(CHECKPOINT, [orjson.dumps(list(cells)).decode(), vector, diagram_id, vector])
