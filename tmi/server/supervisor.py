"""The parent of a running instance: the listening socket, the engines, the web processes. Without Django."""

import argparse
import logging
import logging.config
import math
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType

from tmi.config import BASE_DIR, Config
from tmi.engines import EngineError, Engines, ensure
from tmi.logs import forget_old_files, logging_config
from tmi.server.children import Slot
from tmi.server.listener import StartError, address, claim, environ, listen

logger = logging.getLogger("tmi.supervisor")

DATABASE_WAIT_SECONDS = 30
ENGINE_CHECK_SECONDS = 1.0
RELOAD_SECONDS = 60
# Not while everything starts; later not all nodes at once.
FIRST_HOUSEKEEPING_SECONDS = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `manage.py serve`."""
    parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")
    parser.add_argument("--demo", action="store_true", help="load the demo threat model and print its link")


def main(config: Config, arguments: list[str]) -> int:
    """Serves until told to stop; returns the exit status. Raises EngineError when a database is missing."""
    parser = argparse.ArgumentParser(prog="manage.py serve", description="Serves TMI.")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    logging.config.dictConfig(logging_config(config))
    forget_old_files(config.logging)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    try:
        with ExitStack() as stack:
            stack.enter_context(claim(config))
            listener = stack.enter_context(listen(config))
            engines = stack.enter_context(ensure(config, wait_seconds=DATABASE_WAIT_SECONDS))
            figures = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tmi-metrics-")))
            supervisor = Supervisor(config, engines, listener, figures)
            return supervisor.run(migrate=options.migrate, demo=options.demo)
    except StartError as problem:
        print(problem, file=sys.stderr)
        return 1


class Supervisor:
    """Keeps engines and web processes alive; SIGTERM and SIGINT end it, SIGUSR2 renews the web processes."""

    def __init__(self, config: Config, engines: Engines, listener: socket.socket, figures: Path) -> None:
        self.config, self.engines, self.listener, self.figures = config, engines, listener, figures
        self.environ = environ(config, listener) | {"PROMETHEUS_MULTIPROC_DIR": str(figures)}
        self.stopping = 0
        self.reload = False
        self._engine_check = 0.0
        self._wakeup = _wakeup(self._on_signal)
        self._slots: list[Slot] = []
        self._housekeeping: subprocess.Popen[bytes] | None = None
        self._housekeeping_at = math.inf

    def run(self, *, migrate: bool, demo: bool) -> int:
        """Starts everything, says so, and stays until stopped."""
        if self.engines.embedded:
            names = " and ".join(self.engines.embedded)
            logger.info("no host configured: running %s in %s", names, self.config.data_dir)
        self._slots = [Slot(self.listener, self.environ) for _ in range(self.config.server.processes)]
        try:
            self._come_up(migrate=migrate, demo=demo)
            self._plan_housekeeping(FIRST_HOUSEKEEPING_SECONDS)
            while not self.stopping:
                self._turn()
                if self.reload:
                    self._renew()
        finally:
            self._stop()
        return 0

    def _come_up(self, *, migrate: bool, demo: bool) -> None:
        """The processes load the application while the database is being prepared."""
        links = self._prepare([f"--{name}" for name, on in (("migrate", migrate), ("demo", demo)) if on])
        for slot in self._slots:
            slot.child.go()
        children = [slot.child for slot in self._slots]
        self._wait(lambda: all(child.ready() or child.ended() for child in children))
        if self.stopping:
            return
        if any(child.ended() for child in children):
            raise StartError("a web process ended while it started: see above")
        with suppress(OSError):
            print(f"\nTMI answers at {address(self.config, self.listener)}", *links, sep="\n", flush=True)

    def _prepare(self, flags: list[str]) -> list[str]:
        """One Django process: migrations, demo, and the links that it says."""
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(  # noqa: S603  our own command
                [sys.executable, str(BASE_DIR / "manage.py"), "prepare", *flags],
                env=self.environ,
                stdout=said,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                self._wait(lambda: process.poll() is not None)
            finally:
                _end(process)
            if process.returncode and not self.stopping:
                raise StartError("the database could not be prepared: see above")
            said.seek(0)
            return said.read().decode().splitlines()

    def _wait(self, condition: Callable[[], bool], seconds: float = math.inf) -> bool:
        deadline = time.monotonic() + seconds
        while not condition():
            if self.stopping or time.monotonic() > deadline:
                return False
            self._sleep(0.05)
        return True

    def _turn(self) -> None:
        """One round of looking after everything."""
        for slot in self._slots:
            if said := slot.tend():
                logger.error(said)
        if time.monotonic() >= self._engine_check:
            self._engine_check = time.monotonic() + ENGINE_CHECK_SECONDS
            self._revive()
            self._forget_dead()
        self._keep_house()
        self._sleep(0.25)

    def _forget_dead(self) -> None:
        """What a process counted stays; what it had open is not open any more."""
        alive = {child.process.pid for slot in self._slots for child in slot.all()}
        for file in self.figures.glob("gauge_live*.db"):
            if int(file.stem.rpartition("_")[2]) not in alive:
                file.unlink(missing_ok=True)

    def _plan_housekeeping(self, at_most: float = math.inf) -> None:
        seconds = min(self.config.server.housekeeping_interval, at_most)
        self._housekeeping_at = time.monotonic() + seconds * random.uniform(0.9, 1.1)  # noqa: S311

    def _keep_house(self) -> None:
        """A process of its own, so that what it does slows no web process down."""
        if self._housekeeping is not None:
            if self._housekeeping.poll() is None:
                return
            if self._housekeeping.returncode:
                logger.error("housekeeping ended with status %s", self._housekeeping.returncode)
            self._housekeeping = None
        if time.monotonic() >= self._housekeeping_at:
            self._plan_housekeeping()
            self._housekeeping = subprocess.Popen(  # noqa: S603  our own command
                [sys.executable, str(BASE_DIR / "manage.py"), "housekeeping"],
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )

    def _revive(self) -> None:
        try:
            for name in self.engines.revive():
                logger.error("%s had ended and runs again", name)
        except (EngineError, OSError) as problem:
            logger.error("%s", problem)
            self._engine_check = time.monotonic() + 5

    def _renew(self) -> None:
        """One place after another: the successor takes connections before the old process leaves."""
        self.reload = False
        for slot in self._slots:
            successor = slot.new_child()
            successor.go()
            self._wait(lambda child=successor: child.ready() or child.ended(), RELOAD_SECONDS)  # type: ignore[misc]
            if not successor.ready():
                successor.kill()
                logger.error("the new web process did not start: the old ones stay")
                return
            slot.succeed(successor)
        logger.info("web processes renewed")

    def _stop(self) -> None:
        """Everybody finishes; who does not in time, or when asked a second time, is killed."""
        deadline = time.monotonic() + self.config.server.shutdown_timeout + 2
        asked = max(self.stopping, 1)
        if self._housekeeping is not None:
            _end(self._housekeeping)
        children = [child for slot in self._slots for child in slot.all()]
        for child in children:
            child.stop()
        while any(not child.ended() for child in children):
            if time.monotonic() > deadline or self.stopping > asked:
                break
            self._sleep(0.05)
        for child in children:
            child.kill()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGUSR2:
            self.reload = True
        elif number != signal.SIGCHLD:
            self.stopping += 1

    def _sleep(self, seconds: float) -> None:
        """Until the time is over or a signal has come."""
        if select.select([self._wakeup], [], [], seconds)[0]:
            self._wakeup.recv(4096)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _wakeup(handler: Callable[[int, FrameType | None], None]) -> socket.socket:
    """Signals go to the handler and make the returned socket readable."""
    reader, writer = socket.socketpair()
    for end in (reader, writer):
        end.setblocking(False)
    signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2, signal.SIGCHLD):
        signal.signal(number, handler)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, handler)
    return reader
