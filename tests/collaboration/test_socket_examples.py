"""The programs of the handbook for integrators work as they are printed there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"


def node() -> list[str]:
    """The command that runs a module with a WebSocket: Node from 22 on has one by itself."""
    program = shutil.which("node") or str(Path(sys.executable).with_name("node"))
    flag = ["--experimental-websocket"]
    known = subprocess.run([program, *flag, "--version"], capture_output=True, check=False).returncode == 0
    return [program, *(flag if known else [])]


RUN = pytest.mark.parametrize("language", ["py", "mjs"])


@pytest.fixture
def run(served):
    """`run(name, language, *arguments)` is what the program prints."""
    made = served.api("writer", "POST", "/me/client_credentials", {"name": "Example"})
    environ = {
        **os.environ,
        "TMI_URL": served.url,
        "CLIENT_ID": made["client_id"],
        "CLIENT_SECRET": made["client_secret"],
    }

    def run_one(name, language, *arguments):
        program = [sys.executable] if language == "py" else node()
        command = [*program, str(EXAMPLES / f"{name}.{language}"), *arguments]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run_one


@RUN
def test_the_review_over_rest(served, run, language):
    *listed, report, model = run("review", language)
    assert sorted(" ".join(line.split()) for line in listed) == [
        "high done Orders are forged",
        "medium open Nobody knows who paid",
    ]
    assert "Payments" in report
    threats = served.api("writer", "GET", f"/threat_models/{model}/threats")
    assert {one["name"]: one["mitigated"] for one in threats} == {
        "Orders are forged": True,
        "Nobody knows who paid": False,
    }


@RUN
def test_the_drawing_over_the_socket_is_seen_by_who_is_there(drawing, run, language):
    watcher = drawing.join("reader")
    before = drawing.vector()
    said = run("draw", language, drawing.model, drawing.id)
    assert said == [f"operation {before + n} is in the database" for n in (1, 2)]
    assert [watcher.until("diagram_operation")["sequence_number"] for _ in said] == [before + 1, before + 2]
    labels = {cell["properties"].get("label") for cell in drawing.cells().values()}
    assert {"Till", "Receipts", "receipt"} <= labels


def test_the_page_prints_the_programs_as_they_are():
    page = (ROOT / "docs" / "integrators.md").read_text()
    for file in EXAMPLES.iterdir():
        assert f"(examples/{file.name})" in page
