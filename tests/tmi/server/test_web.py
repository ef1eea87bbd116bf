"""A web process finds its server, or says what is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tmi.config import BASE_DIR, ConfigError, load
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


SERVING = """
import importlib, socket, sys
from tmi.config import load

async def application(scope, receive, send):
    pass

serve = importlib.import_module("tmi.server." + sys.argv[1]).serve
listener = socket.create_server(("127.0.0.1", 0))
listener.setblocking(False)
serve(application, load({"TMI_DATA_DIR": sys.argv[2]}), listener, lambda: print("ready", flush=True))
print("after")
"""


@pytest.mark.parametrize("name", ["daphne", "uvicorn"])
def test_a_server_that_is_told_to_stop_leaves_time_for_what_comes_after(tmp_path: Path, name: str) -> None:
    """Mails that wait, traces and workers are looked after once it serves no more."""
    command = [sys.executable, "-c", SERVING, name, str(tmp_path)]
    with subprocess.Popen(command, cwd=BASE_DIR, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        assert process.stdout.read() == "after\n"
    assert process.returncode == 0
