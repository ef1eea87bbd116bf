"""A web process finds its server, or says what is missing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tmi.config import ConfigError, load
from tmi.server.web import engine


@pytest.mark.parametrize("name", ["daphne", "uvicorn"])
def test_the_configured_server_serves(tmp_path: Path, name: str) -> None:
    config = load({"TMI_DATA_DIR": str(tmp_path), "TMI_SERVER_ENGINE": name})
    assert engine(config).__module__ == f"tmi.server.{name}"


def test_a_server_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = load({"TMI_DATA_DIR": str(tmp_path), "TMI_SERVER_ENGINE": "uvicorn"})
    monkeypatch.delitem(sys.modules, "tmi.server.uvicorn", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ConfigError, match=r"^server\.engine: uvicorn needs uvicorn, not installed$"):
        engine(config)
