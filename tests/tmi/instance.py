"""A server as its users start it: a process with a data directory, and everything that it started in turn."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import requests

from tmi.config import BASE_DIR

ADDRESS = re.compile(r"TMI answers at (http\S+)")
# A machine that many share.
START_SECONDS = 180


class Instance:
    """`manage.py` on one data directory; `url` is there after `start`."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir = data_dir
        plain = {name: value for name, value in os.environ.items() if not name.startswith("TMI_")}
        own = {"TMI_DATA_DIR": str(data_dir), "TMI_SERVER_INTERFACE": "127.0.0.1", "TMI_SERVER_PORT": "0"}
        self.env = plain | own | settings
        self.log = data_dir.with_suffix(".log")
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.owns_engines = True
        self._seen: list[psutil.Process] = []

    def launch(self, *options: str) -> subprocess.Popen[bytes]:
        """Starts `serve` and waits for nothing; its output goes to `log`."""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", *options],
                cwd=BASE_DIR,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self.process

    def start(self) -> Instance:
        """Starts `serve --migrate` and waits for its address."""
        process = self.launch("--migrate")
        until(lambda: ADDRESS.search(self.said()) or process.poll() is not None, START_SECONDS)
        found = ADDRESS.search(self.said())
        assert found, f"the server did not start: {self.said()[-2000:]}"
        self.url = found[1]
        return self

    def said(self) -> str:
        return self.log.read_text()

    def get(self, path: str, **options: object) -> requests.Response:
        return requests.get(self.url + path, timeout=20, allow_redirects=False, **options)  # type: ignore[arg-type]

    def manage(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Runs a command of this instance to its end."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=BASE_DIR,
            env=self.env,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def tree(self) -> list[psutil.Process]:
        """The server and all processes below it, and its engines, whoever their parent is."""
        found: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            if self.process is not None:
                top = psutil.Process(self.process.pid)
                found = [top, *top.children(recursive=True)]
        for engine in self.engines().values() if self.owns_engines else ():
            with suppress(psutil.NoSuchProcess):
                found += [engine, *engine.children(recursive=True)]
        return list(dict.fromkeys(found))

    def web(self) -> set[int]:
        """The pids of the web processes."""
        return {process.pid for process in self.tree() if "tmi.server.web" in command_line(process)}

    def engines(self) -> dict[str, psutil.Process]:
        """The engines that run on the data directory, by name."""
        files = {"postgres": "postgres/postmaster.pid", "valkey": "valkey/valkey.pid"}
        found: dict[str, psutil.Process] = {}
        for name, file in files.items():
            with suppress(OSError, ValueError, IndexError, psutil.NoSuchProcess):
                process = psutil.Process(int((self.data_dir / file).read_text().split()[0]))
                if str(self.data_dir) in command_line(process):
                    found[name] = process
        return found

    def stop(self, number: int) -> int:
        """Sends a signal to the server alone and returns its exit status."""
        assert self.process is not None
        self._seen += self.tree()  # who outlives it is found no more
        self.process.send_signal(number)
        return self.process.wait(20)

    def clean_up(self) -> None:
        """Ends whatever is left, also after a test that failed."""
        left = [*self._seen, *self.tree()]
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(15)
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, 5)
        if self.process is not None:
            self.process.wait(5)


def command_line(process: psutil.Process) -> str:
    """Its arguments; nothing when it is gone, or between two programs."""
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def gone(processes: list[psutil.Process], seconds: float) -> bool:
    """Whether all of them have ended in time."""
    return until(lambda: not any(map(_runs, processes)), seconds)


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def until(condition: Callable[[], object], seconds: float) -> bool:
    """Waits for a condition; returns whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
