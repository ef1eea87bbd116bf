"""One engine as a process of its own session: found again by its pid file, judged by its socket."""

import os
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from tmi.engines.account import Account
from tmi.engines.errors import EngineError

START_SECONDS = 60
STOP_SECONDS = 20
LONGEST_LOG = 5_000_000


class Process(ABC):
    """The lifetime of one server; a subclass says how it is called and how to ask whether it is ready."""

    name = "engine"
    stop_signal = signal.SIGTERM

    def __init__(self, data_dir: Path, run_dir: Path, account: Account) -> None:
        self.home = data_dir / self.name
        self.log = data_dir / "logs" / f"{self.name}.log"
        self.run_dir = run_dir
        self.account = account
        self._child: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def address(self) -> Path:
        """The Unix socket that it answers on."""

    @property
    @abstractmethod
    def pid_file(self) -> Path:
        """The file whose first line is its pid."""

    @property
    @abstractmethod
    def mark(self) -> str:
        """What its command line contains and no other process's does."""

    @abstractmethod
    def command(self) -> list[str]:
        """The program and its arguments."""

    def prepare(self) -> None:
        """Makes what has to be there before a start."""
        self.account.own_dir(self.home)

    @abstractmethod
    def ready(self) -> bool:
        """Whether it answers questions, not only connections."""

    def ensure(self) -> bool:
        """Starts it unless it runs; returns whether it did. EngineError when it does not come up."""
        if self.pid() is not None and self._wait_ready(START_SECONDS):
            return False
        self.stop()
        self.prepare()
        self.pid_file.unlink(missing_ok=True)
        self.address.unlink(missing_ok=True)
        self._start()
        return True

    def alive(self) -> bool:
        """Whether the process is there and takes connections."""
        return self.pid() is not None and connects(self.address)

    def pid(self) -> int | None:
        """The process that the pid file names, if it is this engine and not a later owner of the number."""
        try:
            pid = int(self.pid_file.read_text(encoding="utf-8").split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        return pid if self._is_mine(pid) else None

    def stop(self) -> None:
        """Ends it in order, or by force when it does not end; returns when it is gone."""
        pid = self.pid()
        steps = ((self.stop_signal, STOP_SECONDS), (signal.SIGQUIT, 5), (signal.SIGKILL, 5))
        for number, seconds in steps if pid else ():
            if pid and self._is_mine(pid):
                os.kill(pid, number)
                until(lambda: not self._is_mine(pid), seconds)

    def _start(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with _open_log(self.log) as log:
                begin = log.tell()
                self._child = subprocess.Popen(  # noqa: S603  our own command line
                    self.command(), stdout=log, stderr=log, **self.account.popen()
                )
            if self._wait_ready(deadline - time.monotonic()):
                return
            said = _complaint(self.log, begin)
            # Backends of a killed PostgreSQL hold its shared memory a moment longer.
            if "shared memory" not in said or time.monotonic() > deadline:
                self.stop()
                raise EngineError(f"{self.name} does not start: {said} (see {self.log})")
            time.sleep(0.2)

    def _wait_ready(self, seconds: float) -> bool:
        until(lambda: self.ready() or self._ended(), seconds)
        return self.ready()

    def _ended(self) -> bool:
        return self.pid() is None if self._child is None else self._child.poll() is not None

    def _is_mine(self, pid: int) -> bool:
        if self._child is not None and self._child.poll() is not None:
            self._child = None  # reaped; a zombie has no command line either
        return self.mark in command_line(pid)


def command_line(pid: int) -> str:
    """The arguments of a process, separated by NUL or blanks; empty when it is gone or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        if Path("/proc/self").exists():
            return ""
    command = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603


def connects(address: Path) -> bool:
    """Whether somebody listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(address))
        except OSError:
            return False
    return True


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Waits for a condition; returns whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _open_log(path: Path) -> BinaryIO:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LONGEST_LOG:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def _complaint(path: Path, begin: int) -> str:
    """What the engine said last before it gave up, without its prefixes of time and level."""
    with path.open("rb") as log:
        log.seek(begin)
        lines = log.read().decode("utf-8", errors="replace").split("\n")
    said = [line for line in lines if "FATAL" in line] or [line for line in lines if line.strip()]
    return said[-1].rpartition("FATAL:")[2].strip() if said else "no answer"
