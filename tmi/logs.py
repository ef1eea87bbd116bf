"""What the server writes down: one JSON object a line, rotated files, never a secret."""

import fcntl
import json
import logging
import os
import re
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from tmi.config_schema import Config, Logging
from tmi.lib.context import request_id

NAME = "tmi.log"
FIELDS = ("request_id", "user", "method", "path", "status", "duration")
_LEVELS = {"debug": "DEBUG", "info": "INFO", "warn": "WARNING", "error": "ERROR"}
_WORDS = r"[\w-]*(?:token|password|passwd|secret|ticket|cookie|sessionid|authorization|api[-_]?key)"
_VALUE = r"(\"[^\"]*\"|'[^']*'|[^\s&;,)}\]]+)"
_SECRETS = (
    re.compile(r"()\beyJ[\w-]+\.[\w-]+\.[\w-]*"),  # a JWT, wherever it stands
    re.compile(r"(?i)(\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}"),
    re.compile(rf"(?i)(\b{_WORDS}[\"']?\s*[=:]\s*){_VALUE}"),
    re.compile(rf"(?i)([?&](?:code|otp|state)=){_VALUE}"),
    re.compile(r"(/accounts/(?:[a-z-]+/)+)[^/\s\"']{16,}"),  # the secret of a link that was mailed or shown
    # PostgreSQL repeats the row.
    re.compile(r"(?s)(DETAIL:\s+).*?(?=\n\n(?:The above exception|During handling)|\Z)"),
)
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


def logging_config(config: Config) -> dict[str, Any]:
    """Django's LOGGING: the console and, where its directory can be written, a rotating file."""
    chosen = config.logging
    human = chosen.is_dev or (config.embedded and sys.stderr.isatty())
    console = {"class": "logging.StreamHandler", "formatter": "console" if human else "json"}
    handlers: dict[str, Any] = {"file": _file(chosen)} if _writable(Path(chosen.log_dir)) else {}
    if chosen.also_log_to_console or not handlers:
        handlers["console"] = console
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}, "console": {"()": ConsoleFormatter}},
        "filters": {"one_line": {"()": OneLine}},
        "handlers": handlers,
        "root": {"level": _LEVELS[chosen.level], "handlers": list(handlers)},
        "loggers": {
            # Statements carry what people typed, and these libraries talk about every packet.
            "django.db.backends": {"level": "INFO"},
            "asyncio": {"level": "WARNING"},
            "channels_redis": {"filters": ["one_line"]},
            "channels_redis.pubsub": {"filters": ["one_line"]},
            "daphne": {"level": "WARNING"},
            # One line for a request is written by our own middleware.
            "uvicorn.access": {"level": "CRITICAL"},
            "django.server": {"handlers": [], "propagate": True},
        },
    }


def redact(text: str) -> str:
    """The text with every token, password and cookie value replaced by "***"."""
    for pattern in _SECRETS:
        text = pattern.sub(lambda match: match[1] + "***", text)
    return text


class OneLine(logging.Filter):
    """A connection that is lost is no error of the program: one warning without a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        # By name: the parent of the web processes has no use for the client of Redis.
        if isinstance(error, OSError) or any(kind.__name__ == "RedisError" for kind in type(error).__mro__):
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.msg, record.args = "Redis is away: %s", (error,)
            record.exc_info = record.exc_text = None
        return True


class JsonFormatter(logging.Formatter):
    """One record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"time": _time(record), "level": record.levelname.lower(), "logger": record.name}
        line |= {"message": redact(record.getMessage())} | fields(record)
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


class ConsoleFormatter(logging.Formatter):
    """One record for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        extra = " ".join(f"{key}={value}" for key, value in fields(record).items())
        line = f"{_time(record)[11:23]} {record.levelname:7} {record.name}: {redact(record.getMessage())}"
        # What a caller wrote neither begins a line nor colours the terminal.
        line = f"{line}  {extra}".rstrip().translate(_CONTROLS)
        trace = "\n" + redact(self.formatException(record.exc_info)) if record.exc_info else ""
        return line + trace


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """What a record knows about its request: the path without its query, the duration in milliseconds."""
    known: dict[str, Any] = {key: getattr(record, key) for key in FIELDS if hasattr(record, key)}
    request = getattr(record, "request", None)
    known.setdefault("request_id", request_id.get() or getattr(request, "request_id", None))
    known.setdefault("status", getattr(record, "status_code", None))
    known.setdefault("duration", getattr(record, "duration_ms", None))
    for key in ("method", "path"):
        known.setdefault(key, getattr(request, key, None))
    if known["path"] is not None:
        known["path"] = redact(str(known["path"]).partition("?")[0])
    return {key: _plain(known[key]) for key in FIELDS if known.get(key) is not None}


class SharedRotatingFileHandler(RotatingFileHandler):
    """A rotating file that several processes write: whoever finds it too long renames it, once."""

    def __init__(self, filename: str, max_bytes: int, backups: int, max_age_days: int) -> None:
        super().__init__(filename, maxBytes=max_bytes, backupCount=backups, encoding="utf-8", delay=True)
        self.max_age_days = max_age_days

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802  the library's name
        self._follow()
        return bool(super().shouldRollover(record))

    def doRollover(self) -> None:  # noqa: N802  the library's name
        lock = os.open(f"{self.baseFilename}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._follow()
            if (
                Path(self.baseFilename).stat().st_size >= self.maxBytes // 2
            ):  # else another process was faster
                super().doRollover()
                _forget_old(Path(self.baseFilename), self.max_age_days)
        finally:
            os.close(lock)

    def _follow(self) -> None:
        """Opens the file anew when another process has renamed it."""
        if self.stream is None:
            return
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(self.stream.fileno()), os.stat(self.baseFilename)):
                return
        self.stream.close()
        self.stream = self._open()


def forget_old_files(chosen: Logging) -> int:
    """Deletes what was put aside longer ago than the configuration says; how many files."""
    return _forget_old(Path(chosen.log_dir) / NAME, chosen.max_age_days)


def _forget_old(path: Path, max_age_days: int) -> int:
    limit, gone = time.time() - max_age_days * 86400, 0
    for old in path.parent.glob(f"{path.name}.[0-9]*"):
        with suppress(OSError):  # another process was faster, or it is not ours to delete
            if old.stat().st_mtime < limit:
                old.unlink()
                gone += 1
    return gone


def _file(chosen: Logging) -> dict[str, Any]:
    return {
        "()": SharedRotatingFileHandler,
        "formatter": "json",
        "filename": str(Path(chosen.log_dir) / NAME),
        "max_bytes": chosen.max_size_mb * 1024 * 1024,
        "backups": chosen.max_backups,
        "max_age_days": chosen.max_age_days,
    }


def _writable(directory: Path) -> bool:
    """Whether logs can be kept there; a container without such a place logs to its console."""
    try:
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(directory, os.W_OK | os.X_OK)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _plain(value: object) -> Any:
    return value if isinstance(value, int | float | str) else str(value)
