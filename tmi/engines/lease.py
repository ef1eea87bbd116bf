"""Who uses the embedded engines of a data directory: the first starts them, the last stops them."""

import fcntl
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from types import TracebackType

from tmi.config_schema import Config
from tmi.engines.account import Account, choose
from tmi.engines.addresses import socket_dir
from tmi.engines.errors import EngineError
from tmi.engines.postgres import Postgres
from tmi.engines.process import Process
from tmi.engines.valkey import Valkey

logger = logging.getLogger(__name__)

PRODUCTS = {"postgres": "PostgreSQL", "redis": "Redis"}


def ensure(config: Config, *, wait_seconds: float = 0) -> "Engines":
    """A context in which the databases are there: embedded ones run, a configured one has been reached.

    `wait_seconds` is how long a configured database may take to come up. Raises EngineError on entering.
    """
    return Engines(config, wait_seconds=wait_seconds)


class Engines(AbstractContextManager["Engines"]):
    """The engines in use by this process; `started` names those that entering has started."""

    def __init__(self, config: Config, *, wait_seconds: float = 0) -> None:
        self.config = config
        self.wait_seconds = wait_seconds
        self.started: list[str] = []
        self._processes: list[Process] = []
        self._use = ExitStack()

    @property
    def embedded(self) -> list[str]:
        """The names of the engines that run as our own processes."""
        return [process.name for process in self._processes]

    def __enter__(self) -> "Engines":
        _reach(self.config, self.wait_seconds)
        if self.config.database.postgres.host and self.config.database.redis.host:
            return self
        data_dir = self.config.data_dir
        try:
            with self._turn():
                self._processes = _embedded(self.config, _account(data_dir))
                self._use.enter_context(_locked(data_dir / "engines.users", fcntl.LOCK_SH))
                self.started = [process.name for process in self._processes if process.ensure()]
        except BaseException as problem:
            self._leave()
            if isinstance(problem, OSError):
                raise EngineError(f"{problem.filename or data_dir}: {problem.strerror}") from None
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def revive(self) -> list[str]:
        """Starts again what has died; returns the names."""
        if all(process.alive() for process in self._processes):
            return []
        with self._turn():
            return [process.name for process in self._processes if process.ensure()]

    def _leave(self) -> None:
        """Stops the engines unless another process uses them."""
        if not self._processes:
            return
        with self._turn():
            self._use.close()
            try:
                with _locked(self.config.data_dir / "engines.users", fcntl.LOCK_EX | fcntl.LOCK_NB):
                    for process in reversed(self._processes):
                        process.stop()
            except BlockingIOError:
                pass
        self._processes = []

    def _turn(self) -> AbstractContextManager[None]:
        """One process at a time starts or stops engines."""
        return _locked(self.config.data_dir / "engines.lock", fcntl.LOCK_EX)


def _embedded(config: Config, account: Account) -> list[Process]:
    data_dir, run = config.data_dir, socket_dir(config.data_dir)
    account.own_dir(run)
    account.let_in(run)
    found: list[Process] = []
    if not config.database.postgres.host:
        found.append(Postgres(data_dir, run, account, config.database.postgres.database))
    if not config.database.redis.host:
        found.append(Valkey(data_dir, run, account))
    return found


def _account(data_dir: Path) -> Account:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return choose(data_dir)


@contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, how)
        yield
    finally:
        os.close(file)


def _reach(config: Config, seconds: float) -> None:
    """Waits until every configured host takes connections; EngineError names one that does not in time."""
    deadline = time.monotonic() + seconds
    for key, chosen in (("postgres", config.database.postgres), ("redis", config.database.redis)):
        if chosen.host:
            _wait_for(key, chosen.host, chosen.port, deadline)


def _wait_for(key: str, host: str, port: int, deadline: float) -> None:
    told = False
    while True:
        try:
            return _dial(host, port)
        except OSError as problem:
            if time.monotonic() >= deadline:
                raise EngineError(
                    f"database.{key}.host: {host}:{port} does not answer ({problem.strerror or problem}): "
                    f"start {PRODUCTS[key]} there or correct the address; without a host TMI runs its own"
                ) from None
        if not told:
            logger.info("waiting for %s at %s:%s", PRODUCTS[key], host, port)
            told = True
        time.sleep(0.5)


def _dial(host: str, port: int) -> None:
    if host.startswith("/"):
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(3)
            probe.connect(f"{host}/.s.PGSQL.{port}")
        return
    socket.create_connection((host, port), timeout=3).close()
