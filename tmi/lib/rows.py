"""Whose rows the database shows: with row-level security, every statement says for whom it is asked.

Statements of a request are for the person who signed in, and before that for nobody; rooms, the admin site
and the delivery of webhooks ask for everything, by name. What is said holds for one transaction, in the very
message of the statement, so that it works behind a pooler too and can be left behind nowhere. Code outside a
scope (migrations, commands) works as the owner of the tables, to whom no policy applies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

# A role that owns nothing and may not pass by policies; `manage.py tmi_rls enable` makes it.
WEB_ROLE = "tmi_web"
NOBODY, EVERYTHING = "", "everything"
SAY = "SELECT set_config('role', '{role}', true), set_config('tmi.user_id', '{who}', true); "
# They may come when the transaction has failed already, and touch no row.
UNSCOPED = ("SAVEPOINT", "RELEASE", "ROLLBACK", "SET ")

_who: ContextVar[str | None] = ContextVar("rows_of", default=None)


@contextmanager
def scope(who: UUID | str) -> Iterator[None]:
    """Until the end, statements are asked for a person, for NOBODY or for EVERYTHING."""
    token = _who.set(str(who))
    try:
        yield
    finally:
        _who.reset(token)


def become(who: UUID | str) -> None:
    """From here on to the end of the scope; outside of any it changes nothing."""
    if _who.get() is not None:
        _who.set(str(who))


def is_on() -> bool:
    """Whether the configuration asks for row-level security."""
    return settings.CONFIG.database.postgres.row_level_security


def attach(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Makes a new connection say for whom it asks."""
    if connection.vendor == "postgresql" and _say not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, _say)


def connect() -> None:
    """For AppConfig.ready."""
    connection_created.connect(attach, dispatch_uid="tmi.rows")


def _say(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    connection, who = context["connection"], _who.get()
    scoped = getattr(connection, "tmi_scoped", False)
    if (who is None and not scoped) or not is_on() or str(sql).startswith(UNSCOPED):
        return execute(sql, params, many, context)
    connection.tmi_scoped = True
    said = SAY.format(role="none" if who is None else WEB_ROLE, who=_plain(who or NOBODY))
    cursor = context["cursor"].cursor
    if many:
        with transaction.atomic(using=connection.alias):
            cursor.execute(said)
            return execute(sql, params, many, context)
    result = execute(said + str(sql), params, many, context)
    cursor.nextset()
    return result


def _plain(who: str) -> str:
    """An id, or one of the two words: nothing that ends a literal."""
    return who if who in (NOBODY, EVERYTHING) else str(UUID(who))
