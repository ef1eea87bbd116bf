"""`manage.py serve` from its start to its end, as processes with engines of their own."""

from __future__ import annotations

import os
import re
import signal
import socket
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import requests

from tests.tmi.instance import START_SECONDS, Instance, gone, until
from tmi.engines import socket_dir

pytestmark = pytest.mark.xdist_group("serve")

PASSWORD = "correct-horse-battery-9"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A short path: the sockets of the engines lie below it."""
    with tempfile.TemporaryDirectory(prefix="tmi-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def silent() -> Iterator[int]:
    """A port that refuses connections, and that nobody else takes meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture(scope="module", autouse=True)
def without_redis(folder: Path, silent: int) -> Iterator[Instance]:
    """A server whose Redis does not answer; it gives up while the other tests run."""
    redis = {"TMI_DATABASE_REDIS_HOST": "127.0.0.1", "TMI_DATABASE_REDIS_PORT": str(silent)}
    instance = Instance(folder / "r", **redis)
    instance.launch()
    yield instance
    instance.clean_up()


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Instance]:
    """A server that the tests share: nobody stops it."""
    instance = Instance(folder / "a")
    yield instance.start()
    instance.clean_up()


@pytest.fixture(scope="module")
def spare(folder: Path) -> Path:
    """A data directory for servers that are started and stopped one after another."""
    return folder / "b"


@pytest.fixture
def other(spare: Path) -> Iterator[Instance]:
    instance = Instance(spare)
    yield instance
    instance.clean_up()


# -- it answers


def test_a_fresh_server_is_alive_and_ready_and_shows_its_sign_in_page(running: Instance) -> None:
    for path in ("/healthz", "/readyz"):
        answer = running.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    page = running.get("/accounts/login/")
    assert page.status_code == 200
    assert 'type="password"' in page.text
    assert "no host configured: running postgres and valkey" in running.said()


def test_an_unknown_host_is_refused(running: Instance) -> None:
    assert running.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_a_command_beside_it_uses_its_engines(running: Instance) -> None:
    before = {name: engine.pid for name, engine in running.engines().items()}
    made = running.manage(
        "create_user", "ada@example.org", "--name", "Ada", "--password-stdin", text=PASSWORD
    )
    assert made.returncode == 0, made.stderr
    assert {name: engine.pid for name, engine in running.engines().items()} == before
    given = {"grant_type": "password", "username": "ada@example.org", "password": PASSWORD}
    token = requests.post(f"{running.url}/api/v1/auth/token", json=given, timeout=20)
    assert token.json()["data"]["access_token"]


def test_looking_whether_postgres_is_ready_fills_no_log(running: Instance) -> None:
    assert running.manage("tmi_config").returncode == 0
    assert "does not exist" not in (running.data_dir / "logs" / "postgres.log").read_text()


def test_nothing_secret_is_in_its_output(running: Instance) -> None:
    secret = f"tk-{uuid.uuid4().hex}"
    running.get(
        f"/?token={secret}", headers={"Authorization": f"Bearer {secret}"}, cookies={"sessionid": secret}
    )
    running.get(f"/accounts/first-admin/{secret}/")
    requests.post(f"{running.url}/accounts/login/", data={"login": "a@b.c", "password": secret}, timeout=20)
    given = {"grant_type": "password", "username": "a@b.c", "password": secret}
    requests.post(f"{running.url}/api/v1/auth/token", json=given, timeout=20)
    last = running.get("/healthz").headers["X-Request-ID"]
    logs = [running.log, running.data_dir / "logs" / "tmi.log"]
    for log in logs:
        assert until(lambda log=log: last in log.read_text(), 30)
        assert secret not in log.read_text()


@pytest.mark.asvs("v5.0.0-4.2.1")
def test_too_large_a_body_is_refused_before_any_view(running: Instance) -> None:
    body = b"x" * (23 * 1024 * 1024)
    answer = requests.post(f"{running.url}/api/v1/threat_models", data=body, timeout=20)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert answer.json()["meta"]["request_id"] == answer.headers["X-Request-ID"]
    page = requests.post(f"{running.url}/accounts/login/", data=iter([body]), timeout=20)
    assert page.status_code == 413
    assert page.headers["Content-Type"].startswith("text/html")
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def test_a_bad_form_is_answered_by_the_application(running: Instance) -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=a"):
        answer = requests.post(
            f"{running.url}/api/v1/nothing", data=b"--b\r\nx", headers={"Content-Type": kind}, timeout=20
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


def test_too_long_a_header_is_refused_by_name(running: Instance) -> None:
    for place, headers in (("/" + "a" * 20_000, {}), ("/", {"X-Long": "a" * 20_000})):
        answer = running.get(place, headers=headers)
        assert answer.status_code == 431
        assert "too long" in answer.text


def test_a_body_in_chunks_is_read(running: Instance) -> None:
    _check_chunks(running)
    json = {"Content-Type": "application/json"}
    large = requests.post(
        f"{running.url}/api/v1/auth/token", data=iter([b" " * (17 * 1024 * 1024)]), headers=json, timeout=20
    )
    assert (large.status_code, large.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


def _check_chunks(server: Instance) -> None:
    """What a body in chunks says is known: the fields that are missing beside it."""
    bodies = {
        "application/json": [b'{"grant_type":', b' "password"}'],
        "application/x-www-form-urlencoded": [b"grant_type=", b"password"],
    }
    for kind, chunks in bodies.items():
        answer = requests.post(
            f"{server.url}/api/v1/auth/token", data=iter(chunks), headers={"Content-Type": kind}, timeout=20
        )
        assert answer.status_code == 400
        named = [error["field"] for error in answer.json()["error"]["details"]["errors"]]
        assert named == ["username", "password"]


def test_a_web_process_that_dies_is_replaced(running: Instance) -> None:
    (pid,) = running.web()
    psutil.Process(pid).kill()
    assert until(lambda: running.web() - {pid}, START_SECONDS)
    assert until(lambda: _status(running, "/readyz") == 200, 60)
    assert f"web process {pid} ended" in running.said()


@pytest.mark.asvs("v5.0.0-16.5.2")
def test_an_engine_that_dies_is_started_again(running: Instance) -> None:
    valkey = running.engines()["valkey"]
    valkey.kill()
    assert until(lambda: running.engines().get("valkey", valkey).pid != valkey.pid, 60)
    assert until(lambda: _status(running, "/readyz") == 200, 60)
    assert "valkey had ended and runs again" in running.said()


def _status(instance: Instance, path: str) -> int:
    try:
        return instance.get(path).status_code
    except requests.ConnectionError:
        return 0


# -- it does not start


def _refused(instance: Instance, seconds: float) -> str:
    """What a start that must fail says; no traceback."""
    process = instance.process or instance.launch("--migrate")
    try:
        assert process.wait(seconds) == 1
    finally:
        instance.clean_up()
    said = instance.said()
    assert "Traceback" not in said
    return said


def test_a_second_server_on_one_data_directory_is_refused(running: Instance) -> None:
    second = Instance(running.data_dir)
    second.log = running.data_dir.with_name("second.log")
    second.owns_engines = False
    said = _refused(second, 10)
    assert running.process is not None
    assert said.startswith(f"TMI already runs on {running.data_dir} (process {running.process.pid})")
    assert said.count("\n") == 1
    assert _status(running, "/readyz") == 200


def test_a_port_in_use_is_named(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = _refused(Instance(folder / "p", TMI_SERVER_PORT=str(port)), 10)
    assert said.startswith(f"server.port: cannot listen on 127.0.0.1, port {port}: address already in use")
    assert said.count("\n") == 1
    assert not (folder / "p" / "postgres").exists()


def test_an_interface_that_is_not_ours_is_named(folder: Path) -> None:
    said = _refused(Instance(folder / "p", TMI_SERVER_INTERFACE="no.such.host.invalid"), 10)
    assert said == "server.interface: no.such.host.invalid is no address of this machine\n"


@pytest.mark.parametrize(("key", "product"), [("postgres", "PostgreSQL"), ("redis", "Redis")])
def test_a_command_names_the_database_that_does_not_answer(
    folder: Path, silent: int, key: str, product: str
) -> None:
    prefix = f"TMI_DATABASE_{key.upper()}"
    away = {f"{prefix}_HOST": "127.0.0.1", f"{prefix}_PORT": str(silent), "TMI_LOGGING_IS_DEV": "true"}
    done = Instance(folder / "p", **away).manage("showmigrations")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"database.{key}.host: 127.0.0.1:{silent} does not answer (Connection ref")
    assert f"start {product} there" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_database_that_does_not_let_us_in_is_named(running: Instance, folder: Path) -> None:
    host = {"TMI_DATABASE_POSTGRES_HOST": str(running.data_dir / "run"), "TMI_LOGGING_IS_DEV": "true"}
    said = _refused(Instance(folder / "p", TMI_DATABASE_POSTGRES_USER="stranger", **host), 20)
    assert "database.postgres: " in said
    assert 'role "stranger" does not exist' in said


def test_a_server_that_waits_for_its_database_can_be_stopped(folder: Path, silent: int) -> None:
    away = {"TMI_DATABASE_POSTGRES_HOST": "127.0.0.1", "TMI_DATABASE_POSTGRES_PORT": str(silent)}
    waiting = Instance(folder / "w", TMI_LOGGING_IS_DEV="true", **away)
    waiting.launch()
    try:
        assert until(lambda: "waiting for PostgreSQL" in waiting.said(), 60)
        assert waiting.stop(signal.SIGTERM) == 128 + signal.SIGTERM
    finally:
        waiting.clean_up()
    assert "Traceback" not in waiting.said()


# -- it ends


def test_sigterm_ends_the_server_and_everything_below_it(other: Instance) -> None:
    other.start()
    everything = other.tree()
    assert len(other.engines()) == 2
    assert len(other.web()) == 1
    begun = time.monotonic()
    assert other.stop(signal.SIGTERM) == 0
    assert gone(everything, 10)
    assert time.monotonic() - begun < 10
    assert "Traceback" not in other.said()


def test_two_uvicorn_processes_serve_are_renewed_and_end_by_sigint(spare: Path) -> None:
    public = {"TMI_SERVER_PUBLIC_URL": "https://localhost", "TMI_SERVER_TRUSTED_PROXIES": "127.0.0.1"}
    often = {"TMI_SERVER_HOUSEKEEPING_INTERVAL": "10s"}
    pair = Instance(spare, TMI_SERVER_ENGINE="uvicorn", TMI_SERVER_PROCESSES="2", **public, **often)
    try:
        # With a public address the server says that one, so its port has to be known.
        pair.env["TMI_SERVER_PORT"] = str(_free_port())
        pair.start()
        pair.url = f"http://127.0.0.1:{pair.env['TMI_SERVER_PORT']}"
        first = pair.web()
        assert len(first) == 2
        with _database(pair) as database:
            database.execute("INSERT INTO django_session VALUES ('old', '', '2020-01-01')")
        _check_https_behind_a_proxy(pair)
        _check_chunks(pair)
        _check_figures(pair)
        _check_renewal(pair, first)
        _check_figures(pair)
        _check_housekeeping(pair)
        everything = pair.tree()
        assert pair.stop(signal.SIGINT) == 0
        assert gone(everything, 10)
    finally:
        pair.clean_up()


def _check_https_behind_a_proxy(server: Instance) -> None:
    plain = server.get("/accounts/login/")
    assert (plain.status_code, "Strict-Transport-Security" in plain.headers) == (200, False)
    secure = server.get("/accounts/login/", headers={"X-Forwarded-Proto": "https"})
    assert "max-age=31536000" in secure.headers["Strict-Transport-Security"]
    said = secure.headers["Set-Cookie"].lower()
    assert said.startswith("csrftoken=")
    assert all(f"; {word}" in said for word in ("secure", "httponly", "samesite=lax"))


def _database(server: Instance) -> psycopg.Connection[tuple[int]]:
    where = {"host": str(socket_dir(server.data_dir)), "user": "tmi", "dbname": "tmi"}
    return psycopg.connect(**where, autocommit=True)


def _check_figures(server: Instance) -> None:
    """Both processes together, whichever answers, and nobody who has gone."""

    def figure(name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (\S+)$", server.get("/metrics").text, re.M)
        return float(found[1]) if found else 0

    health = 'tmi_http_requests_total{method="GET",route="/healthz",status="200"}'
    assert until(lambda: figure("tmi_web_processes") == 2, 20)
    before = figure(health)
    for _ in range(20):
        server.get("/healthz")
    assert figure(health) >= before + 20


def _check_housekeeping(server: Instance) -> None:
    """`serve` removes by itself what is past its time."""
    with _database(server) as database:
        left = "SELECT count(*) FROM django_session WHERE session_key = 'old'"
        assert until(lambda: database.execute(left).fetchone() == (0,), 60)


def _check_renewal(server: Instance, first: set[int]) -> None:
    """SIGUSR2 puts new processes in the place of the old ones, and no request fails meanwhile."""
    assert server.process is not None
    server.process.send_signal(signal.SIGUSR2)
    answers: list[int] = []

    def renewed() -> bool:
        answers.append(server.get("/healthz").status_code)
        now = server.web()
        return len(now) == 2 and not now & first

    assert until(renewed, START_SECONDS), server.said()[-2000:]
    assert set(answers) == {200}


def test_after_kill_9_the_next_start_takes_over(other: Instance) -> None:
    other.env["TMI_SERVER_PORT"] = str(_free_port())
    other.start()
    web = [psutil.Process(pid) for pid in other.web()]
    postgres = other.engines()["postgres"].pid
    assert other.stop(signal.SIGKILL) == -signal.SIGKILL
    other.start()
    assert gone(web, 10)
    assert other.engines()["postgres"].pid == postgres
    assert _status(other, "/readyz") == 200
    everything = other.tree()
    assert other.stop(signal.SIGTERM) == 0
    assert gone(everything, 10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_server_gives_up_on_a_redis_that_does_not_answer(without_redis: Instance, silent: int) -> None:
    line = _refused(without_redis, 45).splitlines()[-1]
    assert line.startswith(f"database.redis.host: 127.0.0.1:{silent} does not answer (Connection refused)")
    assert not without_redis.engines()


def test_log_files_that_were_put_aside_long_ago_go_at_the_start(other: Instance) -> None:
    logs = other.data_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    old, young = logs / "tmi.log.8", logs / "tmi.log.7"
    for file, days in ((old, 31), (young, 29)):
        file.touch()
        os.utime(file, (time.time() - days * 86400,) * 2)
    other.launch()
    assert until(lambda: not old.exists(), START_SECONDS)
    assert young.exists()
