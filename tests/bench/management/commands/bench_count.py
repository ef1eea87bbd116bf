"""How many queries a call of the API runs, and how many bytes it answers."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext


class Command(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("method")
        parser.add_argument("path")
        parser.add_argument("authorization")

    def handle(self, *_args: Any, **options: Any) -> None:
        client = Client(headers={"Authorization": options["authorization"], "Host": "localhost"})
        body = sys.stdin.read()
        with CaptureQueriesContext(connection) as queries:
            answer = client.generic(options["method"], options["path"], body, content_type="application/json")
        if answer.status_code >= 300:
            raise SystemExit(f"{answer.status_code}: {answer.content[:300]!r}")
        self.stdout.write(f"{len(queries)} {len(answer.content)}")
