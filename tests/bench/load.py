"""Requests as fast as a server answers them, over a few kept connections."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

CONNECTIONS = 4


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: bytes | None = None


def rate(url: str, request: Request, headers: Mapping[str, str], *, seconds: float = 3) -> float:
    """Answers a second; raises RuntimeError for an answer that is no success."""
    counts, problems = [0] * CONNECTIONS, []
    until = time.perf_counter() + seconds

    def ask(index: int) -> None:
        place = urlsplit(url)
        connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=30)
        while time.perf_counter() < until and not problems:
            connection.request(request.method, request.path, request.body, dict(headers))
            answer = connection.getresponse()
            content = answer.read()
            if answer.status >= 300:
                problems.append(f"{request}: {answer.status} {content[:300]!r}")
            counts[index] += 1
        connection.close()

    began = time.perf_counter()
    threads = [threading.Thread(target=ask, args=(index,)) for index in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise RuntimeError(problems[0])
    return sum(counts) / (time.perf_counter() - began)
