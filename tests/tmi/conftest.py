"""What tests of the kernel look at: the log as it is written, and a database that is away."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from tmi.logs import JsonFormatter

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """`lines()` is everything logged since the test began, at every level."""
    written, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(written), root.level
    handler.setFormatter(JsonFormatter())
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def database_away(transactional_db: None) -> Iterator[Callable[[], None]]:
    """`database_away()` breaks the connection; connecting fails until the test ends."""
    host = connection.settings_dict["HOST"]

    def break_it() -> None:
        connection.close()
        connection.settings_dict["HOST"] = "/nonexistent"

    yield break_it
    connection.close()
    connection.settings_dict["HOST"] = host
