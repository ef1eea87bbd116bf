"""Rows by plain SQL for the tests of the schema."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from tests.schema.rows import Rows


@pytest.fixture
def rows(db: None) -> Iterator[Rows]:
    """Rows of the test's own transaction."""
    with connection.cursor() as cursor:
        yield Rows(cursor)
