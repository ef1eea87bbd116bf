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

SHARED = Path(__file__).resolve().parents[2] / "shared"
_engines = ExitStack()


def refuse_without_shared(folder: Path = SHARED) -> None:
    """With NEED_SHARED the tests that skip where the seed and the samples are missing are to run."""
    missing = [name for name in ("seed.md", "samples") if not (folder / name).exists()]
    if missing and os.environ.get("NEED_SHARED"):
        raise pytest.UsageError(f"NEED_SHARED is set, and {folder / missing[0]} is missing")


def pytest_configure(config: pytest.Config) -> None:
    refuse_without_shared()
    from tmi.config import load
    from tmi.engines import ensure

    _engines.enter_context(ensure(load()))


def pytest_unconfigure(config: pytest.Config) -> None:
    _engines.close()
