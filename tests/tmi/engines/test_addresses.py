"""Where the databases are follows from the configuration alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tmi.config import load
from tmi.engines import Endpoints, endpoints, socket_dir

LONGEST = 100
NAMES = (".s.PGSQL.5432", "valkey.sock")


@pytest.fixture
def place(tmp_path: Path):
    """`place(VARIABLE=...)` is where the databases of that instance are."""

    def of(**environ: str) -> Endpoints:
        own = {"TMI_DATA_DIR": str(tmp_path), "TMI_LOGGING_IS_DEV": "true"}
        return endpoints(load(own | {f"TMI_DATABASE_{name}": value for name, value in environ.items()}))

    return of


def test_a_configured_database_is_reached_as_configured(place) -> None:
    found = place(
        POSTGRES_HOST="db.internal",
        POSTGRES_PORT="6432",
        POSTGRES_USER="ada",
        POSTGRES_PASSWORD="s3",
        POSTGRES_SSLMODE="verify-full",
    )
    assert found.postgres == {
        "HOST": "db.internal",
        "PORT": "6432",
        "USER": "ada",
        "PASSWORD": "s3",
        "NAME": "tmi",
        "OPTIONS": {"sslmode": "verify-full"},
    }


def test_a_configured_redis_is_reached_as_configured(place) -> None:
    assert place(REDIS_HOST="r.internal", REDIS_DB="3").redis_url == "redis://r.internal:6379/3"
    found = place(REDIS_HOST="::1", REDIS_PASSWORD="a/b@c").redis_url
    assert found == "redis://:a%2Fb%40c@[::1]:6379/0"


def test_a_password_is_not_shown_with_the_address(place) -> None:
    found = place(POSTGRES_HOST="db", POSTGRES_PASSWORD="hidden", REDIS_HOST="r", REDIS_PASSWORD="hidden")
    assert "hidden" not in repr(found)


def test_without_hosts_both_are_sockets_of_the_instance(place, tmp_path: Path) -> None:
    found, run = place(), socket_dir(tmp_path)
    assert (found.postgres["HOST"], found.postgres["USER"]) == (str(run), "tmi")
    assert found.redis_url == f"unix://{run}/valkey.sock?db=0"


@pytest.mark.parametrize("length", [10, 80, 90, 200])
def test_no_socket_has_too_long_a_path(length: int) -> None:
    data_dir = Path("/" + "d" * length)
    run = socket_dir(data_dir)
    assert all(len(str(run / name)) < LONGEST for name in NAMES)
    assert run == socket_dir(data_dir) != socket_dir(Path("/" + "e" * length))
