"""Removing many rows that nobody needs: in short transactions, by one process at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection, models, transaction

BATCH = 1_000
# Any number that nobody else locks.
LOCK = 7_364_912_055


class ElsewhereError(Exception):
    """Another process is removing rows at this moment."""


def in_batches(remove: Callable[[int], int], *, batch: int = BATCH) -> int:
    """Calls `remove(batch)`, each time in a transaction of its own, until it removes fewer; how many in all.

    Raises ElsewhereError. The lock ends with each transaction, so that it holds behind a pooler too.
    """
    total = 0
    while True:
        with transaction.atomic():
            _take_lock()
            done = remove(batch)
        total += done
        if done < batch:
            return total


def rows(found: models.QuerySet[Any]) -> Callable[[int], int]:
    """What removes so many rows of a queryset; what hangs below them goes by the database's own rules."""

    def remove(limit: int) -> int:
        ids = list(found.order_by().values_list("pk", flat=True)[:limit])
        delete(found.model, ids)
        return len(ids)

    return remove


def delete(model: type[models.Model], ids: list[Any]) -> None:
    """Deletes rows by id without loading what hangs below them."""
    if ids:
        chosen = model._base_manager.filter(pk__in=ids)
        chosen._raw_delete(chosen.db)


def _take_lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise ElsewhereError
