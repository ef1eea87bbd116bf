"""REST as one person: a bearer token, and answers as plain data."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

# Enough for a crowd that comes back at once; each of them waits for its ticket.
_threads = ThreadPoolExecutor(32, thread_name_prefix="rest")
SECONDS = 15
MOST_ON_A_PAGE = 100


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in at `url`."""

    url: str
    token: str

    @classmethod
    def signed_in(cls, url: str, email: str, password: str) -> Person:
        """Raises HTTPError where email and password do not fit."""
        given = {"grant_type": "password", "username": email, "password": password}
        return cls(url, cls(url, "").call("POST", "/auth/token", given)["data"]["access_token"])

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The whole answer. Raises HTTPError, OSError."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(f"{self.url}/api/v1{path}", data, headers, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            content = answer.read()
        return json.loads(content) if content else {"data": None}

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """`data` of the answer, without standing in the way of the event loop."""
        loop = asyncio.get_running_loop()
        return (await loop.run_in_executor(_threads, self.call, method, path, body))["data"]

    async def ticket(self) -> str:
        """What opens one socket."""
        ticket: str = (await self.ask("POST", "/ws/ticket"))["ticket"]
        return ticket


@dataclass(frozen=True)
class Diagram:
    """Where a diagram is."""

    threat_model_id: str
    id: str

    @property
    def path(self) -> str:
        return f"/threat_models/{self.threat_model_id}/diagrams/{self.id}"

    async def read(self, person: Person) -> tuple[int, dict[str, Any]]:
        """The update vector and the cells by id, as REST tells them."""
        data = await person.ask("GET", self.path)
        return data["update_vector"], {cell["id"]: cell for cell in data["diagram_data"]["cells"]}

    async def log(self, person: Person) -> list[dict[str, Any]]:
        """All operations, the first one first."""

        def pages() -> list[dict[str, Any]]:
            found, cursor = [], ""
            while cursor is not None:
                place = f"{self.path}/operations?sort=sequence_number&limit={MOST_ON_A_PAGE}&cursor={cursor}"
                answer = person.call("GET", place)
                found += answer["data"]
                cursor = answer["meta"]["pagination"]["next_cursor"]
            return found

        return await asyncio.get_running_loop().run_in_executor(_threads, pages)
