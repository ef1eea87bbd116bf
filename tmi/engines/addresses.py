"""Where the two engines answer: computed from the configuration alone, nothing is started."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tmi.config_schema import Config, Redis

# sockaddr_un holds 104 bytes on macOS and 108 on Linux.
LONGEST_SOCKET = 100
POSTGRES_SOCKET = ".s.PGSQL.5432"
VALKEY_SOCKET = "valkey.sock"
EMBEDDED_ROLE = "tmi"


@dataclass(frozen=True)
class Endpoints:
    """`postgres` holds Django's HOST, PORT, USER, PASSWORD, NAME and, of a configured host, OPTIONS.

    `redis_url` is redis:// or unix://.
    """

    postgres: dict[str, Any] = field(repr=False)
    redis_url: str = field(repr=False)


def endpoints(config: Config) -> Endpoints:
    """The addresses of the configured hosts, or of the sockets of the embedded engines."""
    return Endpoints(postgres=_postgres(config), redis_url=_redis(config))


def socket_dir(data_dir: Path) -> Path:
    """The directory of both sockets: inside the data directory, or in /tmp where that path is too long."""
    near = data_dir / "run"
    if len(str(near / POSTGRES_SOCKET).encode()) < LONGEST_SOCKET:
        return near
    # Not tempfile.gettempdir(): every process of the instance must come to the same path.
    return Path("/tmp") / f"tmi-{hashlib.sha256(str(data_dir).encode()).hexdigest()[:20]}"  # noqa: S108


def _postgres(config: Config) -> dict[str, Any]:
    chosen = config.database.postgres
    if not chosen.host:
        run = str(socket_dir(config.data_dir))
        return {"HOST": run, "PORT": "5432", "USER": EMBEDDED_ROLE, "PASSWORD": "", "NAME": chosen.database}
    return {
        "HOST": chosen.host,
        "PORT": str(chosen.port),
        "USER": chosen.user,
        "PASSWORD": chosen.password,
        "NAME": chosen.database,
        "OPTIONS": {"sslmode": chosen.sslmode},
    }


def _redis(config: Config) -> str:
    chosen = config.database.redis
    if not chosen.host:
        return f"unix://{quote(str(socket_dir(config.data_dir) / VALKEY_SOCKET))}?db={chosen.db}"
    return f"redis://{_login(chosen)}{_bracketed(chosen.host)}:{chosen.port}/{chosen.db}"


def _login(redis: Redis) -> str:
    return f":{quote(redis.password, safe='')}@" if redis.password else ""


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
