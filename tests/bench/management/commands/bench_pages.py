"""Times pages against the queries that they run, and a list against the number of rows that others have."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from threatmodels.actions.record import create_records
from threatmodels.actions.threat_model import create_threat_model
from threatmodels.models import Threat

REPEATS = 15
OTHERS = """INSERT INTO threat_models
  (id, owner_internal_uuid, created_by_internal_uuid, name, created_at, modified_at)
SELECT gen_random_uuid(), %s, %s, 'Model of others ' || n, now(), now() - n * interval '1 second'
FROM generate_series(1, %s) n"""


def best(act: Callable[[], Any]) -> float:
    """The shortest of some times in milliseconds: what the work takes when nothing else is in the way."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return min(times) * 1000


class Command(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("others", type=int)
        parser.add_argument("visible", type=int)

    def handle(self, *_args: Any, **options: Any) -> None:
        reader = User.objects.create(email="reader@bench.example", name="Reader", email_verified=True)
        stranger = User.objects.create(email="stranger@bench.example", name="Stranger")
        for number in range(20):
            model = create_threat_model(actor=reader, name=f"Model {number}", description="text " * 20)
        threats = [{"name": f"Threat {n}", "severity": "high", "description": "x " * 80} for n in range(100)]
        create_records(Threat, threat_model=model, actor=reader, rows=threats)
        client = Client(headers={"Host": "localhost"})
        client.force_login(reader)
        rows = []
        for what, path in (
            ("dashboard of 20", "/"),
            ("page of a threat model with 100 threats", f"/threat-models/{model.pk}"),
        ):
            rows += self._page(client, what, path)
        rows.append(self._list(client, reader, stranger, options["others"], options["visible"]))
        self.stdout.write(json.dumps(rows))

    @staticmethod
    def _page(client: Client, what: str, path: str) -> list[dict[str, Any]]:
        client.get(path)
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(path)
        assert answer.status_code == 200
        texts = [query["sql"] for query in queries]

        def alone() -> None:
            with connection.cursor() as cursor:
                for text in texts:
                    cursor.execute(text)
                    if cursor.description:
                        cursor.fetchall()

        ours, limit = best(lambda: client.get(path)), best(alone)
        size = len(gzip.compress(answer.content)) / 1000
        at_most = {"at_most": True}
        return [
            {"what": what, "ours": ours, "limit": limit, "unit": "ms", "goal": 2, **at_most},
            {
                "what": f"{what}: gzipped",
                "ours": size,
                "limit": 100,
                "unit": "kB",
                "goal": 1,
                **at_most,
            },
        ]

    @staticmethod
    def _list(client: Client, reader: User, stranger: User, others: int, visible: int) -> dict[str, Any]:
        def fill(owner: User, amount: int) -> None:
            with connection.cursor() as cursor:
                cursor.execute(OTHERS, [owner.pk, owner.pk, amount])
                cursor.execute("ANALYZE")

        path = "/api/v1/threat_models?limit=20"
        fill(reader, visible - 20)
        client.get(path)
        few = best(lambda: client.get(path))
        fill(stranger, others - visible)
        client.get(path)
        many = best(lambda: client.get(path))
        what = f"list, page 1 of {visible:,} of {others:,} models, beside {visible:,} in all"
        return {"what": what, "ours": many, "limit": few, "unit": "ms", "goal": 2, "at_most": True}
