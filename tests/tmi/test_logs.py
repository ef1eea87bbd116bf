"""What is written down: one object a line, files that are rotated, and never a secret."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import User
from tmi.config import BASE_DIR, load
from tmi.logs import ConsoleFormatter, JsonFormatter, SharedRotatingFileHandler, logging_config, redact

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
UUID4 = "1c7a3f52-8f0e-4a8e-9d5b-2f6f0f3a9b10"


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("tmi.test", logging.WARNING, __file__, 1, message, arguments, None)
    made.__dict__.update(extra)
    return made


# -- what a line says


@pytest.mark.asvs("v5.0.0-16.2.2", "v5.0.0-16.2.4")
def test_a_record_is_one_line_of_json() -> None:
    line = JsonFormatter().format(record("two\nlines of %s", "ä", method="GET", status=200, user=7))
    assert "\n" not in line
    said = json.loads(line)
    assert said.pop("time").endswith("+00:00")
    assert said == {
        "level": "warning",
        "logger": "tmi.test",
        "message": "two\nlines of ä",
        "method": "GET",
        "status": 200,
        "user": 7,
    }


@pytest.mark.asvs("v5.0.0-16.3.4")
def test_a_failure_is_written_with_its_trace(lines: Any) -> None:
    try:
        raise RuntimeError("password='open sesame'")
    except RuntimeError:
        logging.getLogger("tmi.test").exception("It broke")
    (line,) = lines()
    assert "RuntimeError" in line["exception"]
    assert "sesame" not in line["exception"]


@pytest.mark.asvs("v5.0.0-16.4.1")
def test_the_console_shows_one_line_whatever_a_caller_sent() -> None:
    line = ConsoleFormatter().format(record("GET /a\n00:00:00 INFO forged\x1b[31m", path="/a\nb"))
    assert "\n" not in line
    assert "\x1b" not in line
    assert "\\x0a00:00:00 INFO forged" in line


@pytest.mark.parametrize(("level", "name"), [("debug", "DEBUG"), ("warn", "WARNING"), ("error", "ERROR")])
def test_the_level_is_the_configured_one(tmp_path: Path, level: str, name: str) -> None:
    made = logging_config(load({"TMI_DATA_DIR": str(tmp_path), "TMI_LOGGING_LEVEL": level}))
    assert made["root"]["level"] == name


@pytest.mark.asvs("v5.0.0-16.2.3")
def test_logs_go_to_the_directory_and_to_the_console(tmp_path: Path) -> None:
    made = logging_config(load({"TMI_DATA_DIR": str(tmp_path)}))
    assert made["root"]["handlers"] == ["file", "console"]
    assert made["handlers"]["file"]["filename"] == str(tmp_path / "logs" / "tmi.log")
    quiet = {"TMI_LOGGING_ALSO_LOG_TO_CONSOLE": "no", "TMI_LOGGING_LOG_DIR": str(tmp_path / "elsewhere")}
    made = logging_config(load({"TMI_DATA_DIR": str(tmp_path), **quiet}))
    assert made["root"]["handlers"] == ["file"]
    assert made["handlers"]["file"]["filename"] == str(tmp_path / "elsewhere" / "tmi.log")


def test_without_a_directory_the_console_has_it_all(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    nowhere = {
        "TMI_LOGGING_LOG_DIR": str(tmp_path / "file" / "logs"),
        "TMI_LOGGING_ALSO_LOG_TO_CONSOLE": "no",
    }
    made = logging_config(load({"TMI_DATA_DIR": str(tmp_path), **nowhere}))
    assert made["root"]["handlers"] == ["console"]


# -- what it does not say


@pytest.mark.asvs("v5.0.0-16.2.5")
@pytest.mark.parametrize(
    "text",
    [
        f"got {JWT} from somebody",
        f"Authorization: Bearer {JWT}",
        "authorization: Basic dTpvcGVuLXNlc2FtZQ==",
        '{"password": "open sesame"}',
        "password=open-sesame&login=a",
        "GET /ws/diagrams/1?ticket=open-sesame&since=3",
        "{'client_secret': 'open-sesame'}",
        "Cookie: sessionid=open-sesame; csrftoken=open-sesame",
        "/oauth2/callback?state=open-sesame&code=open-sesame",
        "refresh_token=open-sesame",
        "api_key: open-sesame",
        "Not Found: /accounts/first-admin/open-sesame-open-sesame/",
        "/accounts/password/reset/key/1b-open-sesame-open-sesame/",
    ],
)
def test_secrets_are_starred(text: str) -> None:
    said = redact(text)
    assert "***" in said
    for secret in (JWT, "sesame", "dTpvcGVu"):
        assert secret not in said


@pytest.mark.parametrize(
    "text",
    [
        "GET /accounts/login/ 200",
        f"GET /threat_models/{UUID4}/diagrams 200",
        "the token has expired",
        "/accounts/password/change/",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_a_row_that_the_database_repeats_is_not_written(cast: Any, lines: Any) -> None:
    email = "Geheim.Name@example.org"
    User.objects.create(email=email, name="One")
    with pytest.raises(IntegrityError, match=r"(?i)geheim") as caught, transaction.atomic():
        User.objects.create(email=email, name="Two")
    logging.getLogger("tmi.test").error("It broke", exc_info=caught.value)
    (line,) = [line for line in lines() if line["message"] == "It broke"]
    assert "IntegrityError" in line["exception"]
    assert "geheim" not in str(line).lower()


SECRET = "zq-Open-Sesame-4711"


@pytest.mark.asvs("v5.0.0-16.2.5")
@pytest.mark.parametrize(
    "ask",
    [
        lambda c: c.get(f"/?token={SECRET}&ticket={SECRET}"),
        lambda c: c.get("/", headers={"Authorization": f"Bearer {SECRET}", "Cookie": f"sessionid={SECRET}"}),
        lambda c: c.get("/api/v1/threat_models", headers={"Authorization": f"Bearer {SECRET}"}),
        lambda c: c.post("/accounts/login/", {"login": "owner@example.org", "password": SECRET}),
        lambda c: c.post(
            "/api/v1/auth/token",
            {"grant_type": "password", "username": "owner@example.org", "password": SECRET},
            content_type="application/json",
        ),
        lambda c: c.post(
            "/api/v1/threat_models", f'{{"name": "{SECRET}", broken', content_type="application/json"
        ),
        lambda c: c.get(f"/accounts/first-admin/{SECRET}/"),
        lambda c: c.post(f"/accounts/demo/{SECRET}/"),
    ],
)
def test_no_request_leaves_a_secret_in_the_log(cast: Any, lines: Any, ask: Any) -> None:
    ask(Client(raise_request_exception=False))
    written = lines()
    assert [line for line in written if line["logger"] == "tmi.requests"]
    assert SECRET.lower() not in str(written).lower()


def test_every_line_about_a_request_has_its_id(cast: Any, lines: Any) -> None:
    Client().get("/nothing", headers={"X-Request-ID": UUID4})
    loggers = {line["logger"]: line.get("request_id") for line in lines()}
    assert loggers["django.request"] == loggers["tmi.requests"] == UUID4


# -- files

WRITER = """
import logging, sys
from tmi.logs import SharedRotatingFileHandler
handler = SharedRotatingFileHandler(sys.argv[1], 1000, 100, 30)
for number in range(500):
    handler.handle(logging.LogRecord("t", 20, "", 1, f"{sys.argv[2]} {number:04}", (), None))
"""


def test_two_processes_rotate_one_file_and_lose_nothing(tmp_path: Path) -> None:
    log = tmp_path / "tmi.log"
    command = [sys.executable, "-c", WRITER, str(log)]
    both = [subprocess.Popen([*command, name], cwd=BASE_DIR) for name in "ab"]
    assert [process.wait(30) for process in both] == [0, 0]
    files = [file for file in tmp_path.glob("tmi.log*") if file.suffix != ".lock"]
    assert len(files) > 4
    assert max(file.stat().st_size for file in files) < 2000
    written = sorted(line for file in files for line in file.read_text().splitlines())
    assert written == [f"{name} {number:04}" for name in "ab" for number in range(500)]


def test_only_so_many_and_so_old_files_are_kept(tmp_path: Path) -> None:
    handler = SharedRotatingFileHandler(str(tmp_path / "tmi.log"), 100, 3, 30)
    for number in range(40):
        handler.handle(record(f"line {number:020}"))
    assert sorted(file.name for file in tmp_path.glob("tmi.log.[0-9]*")) == [
        f"tmi.log.{n}" for n in (1, 2, 3)
    ]
    long_ago = time.time() - 31 * 86400
    os.utime(tmp_path / "tmi.log.1", (long_ago, long_ago))
    for number in range(6):
        handler.handle(record(f"line {number:020}"))
    handler.close()
    kept = [file.stat().st_mtime for file in tmp_path.glob("tmi.log.[0-9]*")]
    assert kept
    assert min(kept) > long_ago + 1
