"""Secrets: made once for an embedded instance, demanded from every other, never weak."""

import base64
import fcntl
import json
import os
import re
import secrets
from pathlib import Path
from typing import Any

from tmi.config_schema import Config, ConfigError

FILE = "secrets.json"
SHORTEST = 32
_PLACEHOLDER = re.compile(r"change[-_ ]?(me|this|it)|your[-_ ]|insecure|placeholder|example", re.IGNORECASE)

Generated = dict[tuple[str, ...], Any]


def generate_missing(config: Config, data_dir: Path) -> Generated:
    """The secrets that the configuration lacks, kept in the data directory; ConfigError if none is made."""
    missing = _missing(config)
    if not missing:
        return {}
    if not (config.embedded or config.logging.is_dev):
        raise ConfigError(f"{missing[0]}: is missing, and has no default with a configured database")
    try:
        kept = _keep(data_dir, missing)
    except OSError as problem:
        raise ConfigError(
            f"{missing[0]}: not configured, and {data_dir / FILE}: {problem.strerror}"
        ) from None
    except ValueError:
        raise ConfigError(
            f"{missing[0]}: not configured, and {data_dir / FILE} is damaged: bring it back from a backup"
        ) from None
    return {tuple(key.split(".")): kept[key] for key in missing}


def refuse_weak(config: Config) -> None:
    """ConfigError for a placeholder or a secret too short, but in development."""
    if config.logging.is_dev:
        return
    for key, value in (
        ("server.secret_key", config.server.secret_key),
        ("auth.jwt.secret", config.auth.jwt.secret if config.auth.jwt.symmetric else ""),
        *(("server.previous_secret_keys", secret) for secret in config.server.previous_secret_keys),
        *(("auth.jwt.previous_secrets", secret) for secret in config.auth.jwt.previous_secrets),
    ):
        if value and (_PLACEHOLDER.search(value) or len(set(value)) < 8):
            raise ConfigError(f"{key}: is a placeholder, not a secret")
        if value and len(value.encode()) < SHORTEST:
            raise ConfigError(f"{key}: is too short, {SHORTEST} characters at least")


def _missing(config: Config) -> list[str]:
    jwt = config.auth.jwt
    if not jwt.symmetric and not jwt.private_key:
        raise ConfigError(f"auth.jwt.private_key: is missing, and {jwt.signing_method} needs it")
    wanted = {
        "server.secret_key": config.server.secret_key,
        "auth.jwt.secret": jwt.secret or not jwt.symmetric,
        "auth.encryption_keys": config.auth.encryption_keys,
    }
    return [key for key, value in wanted.items() if not value]


def _keep(data_dir: Path, keys: list[str]) -> dict[str, Any]:
    """Reads the kept secrets and adds those that are not there yet; one process at a time."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    locked = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(locked, fcntl.LOCK_EX)
        kept = _read(data_dir / FILE)
        fresh = {key: _new(key) for key in keys if key not in kept}
        if fresh:
            kept |= fresh
            _write(data_dir / FILE, json.dumps(kept, indent=1) + "\n")
    finally:
        os.close(locked)
    return kept


def _read(path: Path) -> dict[str, Any]:
    """What the file holds; ValueError where that is no object of JSON."""
    kept = json.loads(path.read_text(encoding="utf-8") or "{}") if path.exists() else {}
    if not isinstance(kept, dict):
        raise ValueError
    return kept


def _write(path: Path, text: str) -> None:
    """The whole file or, when that fails, the one before."""
    fresh = path.with_name(f"{path.name}.new")
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)


def _new(key: str) -> str | list[str]:
    if key == "auth.encryption_keys":
        return [base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()]
    return secrets.token_urlsafe(48)
