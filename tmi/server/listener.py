"""The listening socket of an instance, and its claim on the data directory."""

import errno
import fcntl
import os
import socket
import time
from contextlib import AbstractContextManager, ExitStack

from tmi.config import Config

BACKLOG = 1024
# A server killed a moment ago leaves processes that hold the socket until they notice.
BIND_SECONDS = 3
ANYWHERE = ("0.0.0.0", "::", "127.0.0.1", "::1")  # noqa: S104  compared, not bound


class StartError(Exception):
    """The server cannot start; the text is one line that says why."""


def claim(config: Config) -> AbstractContextManager[object]:
    """Holds a data directory with embedded engines for one server; StartError when another has it."""
    held = ExitStack()
    if config.database.postgres.host and config.database.redis.host:
        return held
    path = config.data_dir / "server.lock"
    try:
        config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = held.enter_context(path.open("a+", encoding="utf-8"))
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StartError(
            f"TMI already runs on {config.data_dir} (process {path.read_text(encoding='utf-8').strip()}): "
            "stop it first, or set TMI_DATA_DIR and TMI_SERVER_PORT for a second instance"
        ) from None
    except OSError as problem:
        raise StartError(f"{path}: {problem.strerror}") from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return held


def listen(config: Config) -> socket.socket:
    """The bound socket; StartError names the key when that is impossible."""
    host, port = config.server.interface, config.server.port
    deadline = time.monotonic() + BIND_SECONDS
    while True:
        try:
            return _bind(host, port)
        except socket.gaierror:
            raise StartError(f"server.interface: {host} is no address of this machine") from None
        except OSError as problem:
            if problem.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                why = os.strerror(problem.errno or 0).lower()
                raise StartError(
                    f"server.port: cannot listen on {host}, port {port}: {why} "
                    "(stop what listens there, or set TMI_SERVER_PORT)"
                ) from None
        time.sleep(0.1)


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, where = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def address(config: Config, listener: socket.socket) -> str:
    """What a person types into a browser."""
    if config.server.public_url:
        return config.server.public_url
    host, port = listener.getsockname()[:2]
    shown = "localhost" if host in ANYWHERE else f"[{host}]" if ":" in host else host
    return f"{'https' if config.server.tls_enabled else 'http'}://{shown}:{port}"


def environ(config: Config, listener: socket.socket) -> dict[str, str]:
    """The environment of the children; a port that the system chose is theirs too."""
    own = dict(os.environ)
    if config.server.port == 0:
        own.pop("TMI_SERVER_PORT_FILE", None)
        own["TMI_SERVER_PORT"] = str(listener.getsockname()[1])
    return own
