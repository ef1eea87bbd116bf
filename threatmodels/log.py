"""The log of a diagram in the database: accepted operations, numbered without gaps, and the checkpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from threatmodels.models import Diagram, DiagramOperation
from threatmodels.operations import Applied, Cell, Operation
from tmi.lib.ids import new_id

# A diagram so large is not written whole for every operation; the log's end is added when it is read.
LARGE = 500
CHECKPOINT_EVERY = 200

# One statement, so one round trip and one commit: the diagram moves on, if it is where the writer thinks it
# is and neither it nor its model has been deleted; its operations are kept; its model is touched.
WRITE = """
WITH moved AS (
  UPDATE diagrams d SET update_vector = d.update_vector + %(count)s, modified_at = %(now)s
  FROM threat_models t
  WHERE d.id = %(diagram)s AND d.update_vector = %(vector)s AND d.deleted_at IS NULL
    AND t.id = d.threat_model_id AND t.deleted_at IS NULL
  RETURNING d.id, d.threat_model_id, d.update_vector
), touched AS (
  UPDATE threat_models SET modified_at = %(now)s WHERE id IN (SELECT threat_model_id FROM moved)
)
INSERT INTO diagram_operations (id, diagram_id, sequence_number, operation_id, user_internal_uuid,
  operation, inverse, digest, undo_of, redo_of, created_at)
SELECT o.id, m.id, %(vector)s + o.place, o.operation_id, o.actor, o.operation, o.inverse, o.digest, o.undo_of,
  o.redo_of, %(now)s
FROM moved m, unnest(%(ids)s::uuid[], %(operation_ids)s::uuid[], %(actors)s::uuid[], %(operations)s::jsonb[],
  %(inverses)s::jsonb[], %(digests)s::text[], %(undo_of)s::uuid[], %(redo_of)s::uuid[])
  WITH ORDINALITY AS o(id, operation_id, actor, operation, inverse, digest, undo_of, redo_of, place)
"""


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
    values: dict[str, Any] = {
        "diagram": diagram_id,
        "vector": vector,
        "count": len(entries),
        "now": now,
        "ids": [new_id() for _ in entries],
        "operation_ids": [entry.operation_id for entry in entries],
        "actors": [entry.actor_id for entry in entries],
        "operations": [orjson.dumps(entry.applied.operation).decode() for entry in entries],
        "inverses": [orjson.dumps(entry.applied.inverse).decode() for entry in entries],
        "digests": [entry.digest for entry in entries],
        "undo_of": [entry.undo_of for entry in entries],
        "redo_of": [entry.redo_of for entry in entries],
    }
    with connection.cursor() as cursor:
        cursor.execute(WRITE, values)
        return cursor.rowcount == len(entries)


def digest(operation: Operation) -> str:
    """What tells whether two operations ask for the same: a hash of the operation as it was sent."""
    return hashlib.sha256(orjson.dumps(operation, option=orjson.OPT_SORT_KEYS)).hexdigest()


def since(diagram_id: UUID, vector: int) -> list[DiagramOperation]:
    """The operations after `vector`, in order."""
    later = DiagramOperation.objects.filter(diagram_id=diagram_id, sequence_number__gt=vector)
    return list(later.order_by("sequence_number"))


def checkpoint(diagram_id: UUID, vector: int, cells: Iterable[Cell]) -> None:
    """Writes the cells as they are at operation `vector`, unless a later checkpoint is there."""
    Diagram.objects.filter(pk=diagram_id, cells_vector__lt=vector).update(
        cells=list(cells), cells_vector=vector
    )
