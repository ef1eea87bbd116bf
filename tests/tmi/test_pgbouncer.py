"""Behind PgBouncer in transaction mode everything works: no statement leans on the one before it."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.faults.stage import SETTINGS, run
from tests.tmi.instance import Instance, until
from tests.tools.crowd import Crowd, Verdict
from tests.tools.databases import Server
from tests.tools.requests_load import Load
from tests.tools.room import make_room

pytestmark = pytest.mark.xdist_group("backup")

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
# Fewer connections than there are threads that ask: who commits gives theirs to somebody else.
CONFIGURATION = """
[databases]
* = host={host} port=5432 user=tmi
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
server_reset_query_always = 1
server_reset_query = DISCARD ALL
log_connections = 0
log_disconnections = 0
"""


@pytest.fixture(scope="module")
def pooled(django_db_setup: None, django_db_blocker: Any) -> Iterator[Instance]:
    """Two web processes whose database is behind PgBouncer."""
    if PROGRAM is None:
        pytest.skip("pgbouncer is not installed")
    with django_db_blocker.unblock():
        connection.close()
    server = Server(str(connection.settings_dict["HOST"]), str(connection.settings_dict["NAME"]))
    database = server.database("pooled", server.base)
    kept = json.loads((Path(os.environ["TMI_DATA_DIR"]) / "secrets.json").read_text())
    with tempfile.TemporaryDirectory(prefix="tmi-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        bouncer, port = start(folder, server.host)
        instance = Instance(
            folder / "d",
            **SETTINGS,
            TMI_SERVER_PROCESSES="2",
            TMI_DATABASE_POSTGRES_HOST="127.0.0.1",
            TMI_DATABASE_POSTGRES_PORT=str(port),
            TMI_DATABASE_POSTGRES_USER="tmi",
            TMI_DATABASE_POSTGRES_DATABASE=database,
            TMI_SERVER_SECRET_KEY=kept["server.secret_key"],
            TMI_AUTH_JWT_SECRET=kept["auth.jwt.secret"],
            TMI_AUTH_ENCRYPTION_KEYS=",".join(kept["auth.encryption_keys"]),
        )
        try:
            yield instance.start()
        finally:
            instance.clean_up()
            bouncer.terminate()
            bouncer.wait(10)
            server.drop(database)


def start(folder: Path, host: str) -> tuple[subprocess.Popen[bytes], int]:
    """PgBouncer before a socket, as the user who may open that, and its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    file = folder / "pgbouncer.ini"
    file.write_text(CONFIGURATION.format(host=host, port=port))
    folder.chmod(0o755)
    command = [str(PROGRAM), str(file)]
    if os.geteuid() == 0:
        command[1:1] = ["-u", pwd.getpwuid(Path(host).stat().st_uid).pw_name]
    log = (folder / "pgbouncer.log").open("wb")
    process = subprocess.Popen(command, stdout=log, stderr=log)

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    assert until(answers, 60), (folder / "pgbouncer.log").read_text()
    return process, port


# The mark makes the database of the tests, which is copied.
@pytest.mark.django_db
def test_people_edit_and_ask_through_a_pool_smaller_than_what_they_need(pooled: Instance) -> None:
    room = make_room(pooled.url, pooled.env, writers=3, cells=(100,))
    load = Load(room.writers[0], room.diagram.threat_model_id)

    async def edit() -> Verdict:
        async with Crowd(room.diagram, room.writers, 6) as crowd:
            with load.going_on():
                async with crowd.editing(60):
                    await asyncio.sleep(4)
            return await crowd.verdict()

    verdict = run(edit())
    assert verdict.holds, verdict
    assert verdict.acknowledged > 60
    assert not verdict.closes
    assert load.failures == []
    assert load.answers.total() > 20
    assert "Traceback" not in pooled.said()


def test_commands_work_through_it_too(pooled: Instance, tmp_path: Path) -> None:
    housekeeping = pooled.manage("housekeeping")
    assert housekeeping.returncode == 0, housekeeping.stderr
    assert "threat models: 0" in housekeeping.stdout
    backup = pooled.manage("backup", str(tmp_path / "a.tmi"))
    assert backup.returncode == 0, backup.stderr
    assert pooled.get("/readyz").status_code == 200
