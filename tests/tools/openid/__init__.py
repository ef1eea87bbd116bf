"""A real OpenID Connect provider on loopback, and a browser that goes there and comes back."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

HERE = Path(__file__).resolve().parent
CLIENT_ID, CLIENT_SECRET = "tmi", "a-secret-of-the-provider"


@contextmanager
def provider(callback: str) -> Iterator[str]:
    """Starts the provider; its address."""
    node = shutil.which("node") or "node"
    process = subprocess.Popen(
        [node, str(HERE / "provider.mjs"), callback],
        cwd=HERE.parent.parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        issuer = next(line.strip() for line in process.stdout if line.startswith("http"))
        yield issuer
    finally:
        process.kill()
        process.wait()


def claim(issuer: str, **claims: Any) -> str:
    """From now on the provider claims this of the person `sub`, who is returned."""
    requests.post(f"{issuer}/claims", json=claims, timeout=20).raise_for_status()
    return str(claims["sub"])


def consent(where: str, login: str, callback: str) -> str:
    """What a browser does at the provider from its authorization address on: the address that leads back."""
    browser = requests.Session()
    answer = browser.get(where, allow_redirects=False, timeout=20)
    for _ in range(12):
        if answer.is_redirect:
            target = urljoin(answer.url, answer.headers["Location"])
            if target.startswith(callback):
                return target
            answer = browser.get(target, allow_redirects=False, timeout=20)
            continue
        form = re.search(r'<form[^>]+action="([^"]+)"', answer.text)
        assert form, answer.text[:500]
        prompt = re.findall(r'name="prompt" value="(\w+)"', answer.text)[0]
        given = {"prompt": prompt, "login": login, "password": "any"}
        action = urljoin(answer.url, unescape(form[1]))
        answer = browser.post(action, given, allow_redirects=False, timeout=20)
    raise AssertionError("the provider does not send back")


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"
