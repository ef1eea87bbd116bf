"""Statements that PostgreSQL must refuse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import Error, transaction

CHECK, UNIQUE, FOREIGN_KEY, RESTRICT, TRIGGER = "23514", "23505", "23503", "23001", "23000"


@contextmanager
def refused(*states: str, by: str | None = None) -> Iterator[None]:
    """The block must fail with one of the SQLSTATEs and, if given, name the constraint or index `by`."""
    with pytest.raises(Error) as caught, transaction.atomic():
        yield
    cause = caught.value.__cause__
    assert isinstance(cause, psycopg.Error)
    assert cause.sqlstate in states, f"{cause.sqlstate}: {cause}"
    if by is not None:
        assert cause.diag.constraint_name == by
