"""People's requests, again and again: what was answered, what failed, and what was made."""

from __future__ import annotations

import http.client
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.tools.rest import Person

SECONDS = 30


@dataclass
class Load:
    """So many people who read a threat model and add threats to it, over connections that they keep.

    A kept connection that the server has closed before it answered is opened anew, as browsers and proxies
    do (RFC 9110, 9.2.2); that is counted, and it happens once for a request at most. All else is a failure.
    """

    person: Person
    threat_model_id: str
    people: int = 4
    # What is read, below the threat model; in turn.
    reads: tuple[str, ...] = ("",)
    # Seconds between two requests of one person.
    pause: float = 0
    answers: Counter[int] = field(default_factory=Counter)
    made: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    reopened: int = 0
    slowest: float = 0

    @contextmanager
    def going_on(self) -> Iterator[None]:
        over = threading.Event()
        threads = [threading.Thread(target=self._work, args=(over,)) for _ in range(self.people)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def _work(self, over: threading.Event) -> None:
        connection: http.client.HTTPConnection | None = None
        number = 0
        while not over.is_set():
            number += 1
            connection = self._one(connection, number)
            over.wait(self.pause)
        if connection is not None:
            connection.close()

    def _one(self, kept: http.client.HTTPConnection | None, number: int) -> http.client.HTTPConnection | None:
        path = f"/api/v1/threat_models/{self.threat_model_id}"
        headers = {"Authorization": f"Bearer {self.person.token}", "Content-Type": "application/json"}
        asked = ("GET", path + self.reads[number % len(self.reads)], None, headers)
        name = uuid.uuid4().hex
        if number % 4 == 0:
            # With the key it may be sent again: it is carried out once.
            headers["Idempotency-Key"] = name
            asked = ("POST", f"{path}/threats", json.dumps({"name": name}), headers)
        began = time.monotonic()
        for again in (kept is not None, False):
            connection = kept or http.client.HTTPConnection(urlsplit(self.person.url).netloc, timeout=SECONDS)
            try:
                connection.request(asked[0], asked[1], asked[2], asked[3])
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as problem:
                connection.close()
                kept = None
                if again and isinstance(problem, ConnectionError):
                    self.reopened += 1
                    continue
                self.failures.append(f"{asked[0]}: {problem!r}")
                return None
            self._answered(asked[0], name, answer.status, time.monotonic() - began)
            return None if answer.will_close else connection
        return None

    def _answered(self, method: str, name: str, status: int, seconds: float) -> None:
        self.answers[status] += 1
        self.slowest = max(self.slowest, seconds)
        if status not in (200, 201):
            self.failures.append(f"{method}: {status}")
        elif method == "POST":
            self.made.append(name)

    def __str__(self) -> str:
        return (
            f"{self.answers.total()} requests answered, {len(self.failures)} failed, "
            f"{len(self.made)} threats made, {self.reopened} kept connections opened anew, "
            f"the slowest took {self.slowest:.2f} s"
        )
