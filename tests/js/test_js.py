"""The modules of the editor that need no browser, by node's own test runner."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
FILES = sorted(HERE.glob("*.test.js"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_javascript(file: Path) -> None:
    node = shutil.which("node")
    if node is None:
        give_up = pytest.fail if os.environ.get("NEED_BROWSER") else pytest.skip
        give_up("no node on PATH (Debian and Ubuntu: apt install nodejs)")
    command = [node, "--test", str(file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
