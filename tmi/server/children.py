"""Web processes as their parent sees them: started, told to go, ready, ended, started again."""

import os
import socket
import subprocess
import sys
import time
from contextlib import suppress

from tmi.config import BASE_DIR

STEADY_SECONDS = 10
LONGEST_PAUSE = 30.0
# Many threads that each keep a heap of their own, and large buffers in it, would grow for days.
MALLOC = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "262144"}


class Child:
    """One web process; it ends by itself when the parent's end of the control socket closes."""

    def __init__(self, listener: socket.socket, environ: dict[str, str]) -> None:
        self.control, theirs = socket.socketpair()
        self.control.setblocking(False)
        self.since = time.monotonic()
        self._ready = False
        with theirs:
            ends = (listener.fileno(), theirs.fileno())
            self.process = subprocess.Popen(  # noqa: S603  our own module
                [sys.executable, "-P", "-m", "tmi.server.web", *map(str, ends)],
                env=MALLOC | environ | {"PYTHONPATH": os.pathsep.join([str(BASE_DIR), *_path(environ)])},
                pass_fds=ends,
                stdin=subprocess.DEVNULL,
                # Ctrl-C in a terminal is for the parent, which ends its children in order.
                start_new_session=True,
            )

    def go(self) -> None:
        """Lets it take connections as soon as it has loaded the application."""
        with suppress(OSError):  # it has ended, which the parent sees by itself
            self.control.send(b"g")

    def ready(self) -> bool:
        """Whether it takes connections."""
        if not self._ready:
            with suppress(OSError):
                self._ready = self.control.recv(1) == b"r"
        return self._ready

    def ended(self) -> bool:
        """Whether the process is gone, and reaped."""
        return self.process.poll() is not None

    def stop(self) -> None:
        """Asks it to finish what it does and end."""
        if not self.ended():
            self.process.terminate()

    def kill(self) -> None:
        """Ends it at once."""
        if not self.ended():
            self.process.kill()
            self.process.wait()
        self.control.close()


def _path(environ: dict[str, str]) -> list[str]:
    return [environ["PYTHONPATH"]] if environ.get("PYTHONPATH") else []


class Slot:
    """The place of one web process: whoever dies there is followed by another, after a growing pause."""

    def __init__(self, listener: socket.socket, environ: dict[str, str]) -> None:
        self._listener, self._environ = listener, environ
        self.child = self.new_child()
        self.leaving: list[Child] = []
        self._failures = 0
        self._next = 0.0

    def tend(self) -> str:
        """Replaces a process that has ended; returns what to log, or nothing."""
        self._bury()
        if not self.child.ended():
            return ""
        if not self._next:
            lived = time.monotonic() - self.child.since
            self._failures = 0 if lived > STEADY_SECONDS else self._failures + 1
            self._next = time.monotonic() + min(LONGEST_PAUSE, 0.1 * 3**self._failures)
            return f"web process {self.child.process.pid} ended with status {self.child.process.returncode}"
        if time.monotonic() >= self._next:
            self._next = 0.0
            self.child.control.close()
            self.child = self.new_child()
            self.child.go()
        return ""

    def succeed(self, successor: Child) -> None:
        """Gives the place to another process and lets the old one finish."""
        old, self.child = self.child, successor
        old.stop()
        self.leaving.append(old)

    def new_child(self) -> Child:
        """A process that is to take this place."""
        return Child(self._listener, self._environ)

    def all(self) -> list[Child]:
        """Every process of this place that lives."""
        return [child for child in (self.child, *self.leaving) if not child.ended()]

    def _bury(self) -> None:
        for child in [child for child in self.leaving if child.ended()]:
            child.control.close()
            self.leaving.remove(child)
