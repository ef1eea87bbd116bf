"""Delivers webhooks beside the web processes, or what is due and then ends."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from threatmodels.delivering import WORKERS, Workers, deliver_next


class Command(BaseCommand):
    help = "Delivers webhooks until it is stopped; safe beside others and beside the web processes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="deliver what is due now, then end")
        parser.add_argument("--workers", type=int, default=WORKERS, help="deliveries at the same time")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            self.stdout.write(f"{self._drain()} deliveries tried")
            return
        ends = {signal.SIGINT, signal.SIGTERM}
        signal.pthread_sigmask(signal.SIG_BLOCK, ends)
        workers = Workers(options["workers"])
        workers.start()
        stopped = signal.sigwait(ends)
        workers.stop(30)
        self.stdout.write(f"stopped by {signal.Signals(stopped).name}")

    @staticmethod
    def _drain() -> int:
        tried = 0
        while deliver_next():
            tried += 1
        return tried
