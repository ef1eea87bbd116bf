"""One web process: the application on the inherited socket, until the parent says stop or is gone."""

import gc
import importlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from tmi.config import Config, ConfigError, load

GC_THRESHOLDS = (10_000, 20, 20)


def main(listener: int, control: int) -> int:
    """Serves on an inherited socket; the other one is the parent's word and life. Returns the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tmi.settings")
    try:
        config = load(os.environ)
        serve = engine(config)
    except ConfigError as problem:
        print(f"configuration: {problem}", file=sys.stderr)
        return 2
    parent = Parent(socket.socket(fileno=control), config.server.shutdown_timeout)
    from tmi.asgi import application, workers
    from tmi.lib import metrics, tracing

    # What has been loaded stays: walking it again and again would stop everybody for a tenth of a second.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    with socket.socket(fileno=listener) as inherited:
        inherited.setblocking(False)
        if parent.says_go():
            metrics.keep_sampling()
            beside = workers()
            beside.start()
            serve(application, config, inherited, parent.ready)
            beside.stop()
            tracing.flush()
    return 0


class Parent:
    """The control socket: a "g" from the parent, an "r" back, its end is ours."""

    def __init__(self, control: socket.socket, grace_seconds: float) -> None:
        self.control, self.grace_seconds = control, grace_seconds
        self._go = threading.Event()
        self._gone = False
        threading.Thread(target=self._listen, name="parent", daemon=True).start()

    def says_go(self) -> bool:
        """Waits for the word; False when the parent is gone instead."""
        self._go.wait()
        return not self._gone

    def ready(self) -> None:
        """Tells the parent that connections are taken."""
        with suppress(OSError):  # it is gone, which the other thread sees
            self.control.send(b"r")

    def _listen(self) -> None:
        with suppress(OSError):
            while self.control.recv(1):
                self._go.set()
        self._gone = True
        self._go.set()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(self.grace_seconds + 1)
        os._exit(1)


def engine(config: Config) -> Callable[..., None]:
    """The `serve` of the configured server; imported before the application, as Twisted wants it.

    Raises ConfigError when its package is not installed.
    """
    try:
        module = importlib.import_module(f"tmi.server.{config.server.engine}")
    except ModuleNotFoundError as problem:
        raise ConfigError(
            f"server.engine: {config.server.engine} needs {problem.name}, not installed"
        ) from None
    serve: Callable[..., None] = module.serve
    return serve


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
