"""A whole TMI as its users get it: the server as a process, with databases and data of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "correct-horse-battery-9"
MAKE_PEOPLE = """
from accounts.actions.user import create_local_user
for name in {names}:
    made = create_local_user(email=name.lower() + "@example.org", name=name, password="{password}")
    print(name, made.pk)
"""


@dataclass
class Site:
    """A running server. `api` speaks REST to it as a person, by email."""

    url: str
    env: dict[str, str]
    process: subprocess.Popen[bytes]
    tokens: dict[str, str] = field(default_factory=dict)

    def manage(self, *args: str, text: str = "", timeout: float = 60) -> str:
        command = [sys.executable, "manage.py", *args]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.env,
            input=text,
            capture_output=True,
            text=True,
            check=True,
            timeout=timeout,
        )
        return done.stdout.strip()

    def make_person(self, name: str, *options: str) -> str:
        email = f"{name.lower()}@example.org"
        self.manage("create_user", email, "--name", name, "--password-stdin", *options, text=PASSWORD)
        return email

    def make_people(self, *names: str) -> dict[str, str]:
        """Several at once, which takes no longer than one; their ids by name."""
        said = self.manage("shell", "--no-imports", "-c", MAKE_PEOPLE.format(names=names, password=PASSWORD))
        return dict(line.split() for line in said.splitlines() if len(line.split()) == 2)

    def api(self, email: str, method: str, path: str, body: Any = None) -> Any:
        """`data` of the answer; raises HTTPError."""
        if email not in self.tokens:
            given = {"grant_type": "password", "username": email, "password": PASSWORD}
            self.tokens[email] = self._send("POST", "/auth/token", given, {})["access_token"]
        return self._send(method, path, body, {"Authorization": f"Bearer {self.tokens[email]}"})

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **headers}
        request = urllib.request.Request(f"{self.url}/api/v1{path}", data, headers, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            content = answer.read()
        return json.loads(content)["data"] if content else None

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()


def start(data_dir: Path, **settings: str) -> Site:
    """Starts a server, on a free port if none is given, and waits until it is ready."""
    port = int(settings.get("TMI_SERVER_PORT") or _free_port())
    env = {name: value for name, value in os.environ.items() if not name.startswith("TMI_")}
    env |= {"TMI_DATA_DIR": str(data_dir), "TMI_SERVER_PORT": str(port)}
    limits = ("SIGN_IN_PER_MINUTE", "REQUESTS_PER_MINUTE", "PER_ENDPOINT_PER_MINUTE")
    env |= {**{f"TMI_RATE_LIMITS_{name}": "0" for name in limits}, **settings}
    command = [sys.executable, "manage.py", "serve", "--migrate"]
    log = (data_dir.parent / f"serve-{port}.log").open("wb")
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
    site = Site(f"http://localhost:{port}", env, process)
    _wait_until_ready(site, Path(log.name))
    return site


def _wait_until_ready(site: Site, log: Path) -> None:
    for _ in range(600):
        if site.process.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{site.url}/readyz", timeout=5)  # noqa: S310
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    site.stop()
    raise RuntimeError(f"the server did not start: {log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def unique(name: str) -> str:
    return f"{name} {uuid.uuid4().hex[:8]}"
