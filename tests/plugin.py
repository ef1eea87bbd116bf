"""Loaded before anything else: gives the tests an instance of their own and starts its engines."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import pytest

os.environ.setdefault("TMI_DATA_DIR", str(Path(__file__).resolve().parent.parent / "var" / "test"))
os.environ.setdefault("TMI_RATE_LIMITS_SIGN_IN_PER_MINUTE", "0")
os.environ.setdefault("TMI_RATE_LIMITS_REQUESTS_PER_MINUTE", "0")
os.environ.setdefault("TMI_RATE_LIMITS_PER_ENDPOINT_PER_MINUTE", "0")
os.environ.setdefault("TMI_SERVER_CHECK_ANSWERS", "true")
os.environ.setdefault("TMI_LOGGING_ALSO_LOG_TO_CONSOLE", "false")
if "PYTEST_XDIST_WORKER" in os.environ:
    # What one process of the tests empties, another may be counting in.
    os.environ["TMI_DATABASE_REDIS_DB"] = os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")
# Playwright keeps an event loop in the thread of a browser test, whose database calls are made there.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

_engines = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    from tmi.config import load
    from tmi.engines import ensure

    _engines.enter_context(ensure(load()))


def pytest_unconfigure(config: pytest.Config) -> None:
    _engines.close()
