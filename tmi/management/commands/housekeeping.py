"""Removes what is past its time."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from tmi.housekeeping import run
from tmi.lib.sweep import ElsewhereError


class Command(BaseCommand):
    help = "Removes what is past its time; at any time, on any node. `serve` does it by itself."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            removed = run()
        except ElsewhereError:
            self.stdout.write("another process is doing it")
            return
        for kind, number in removed.items():
            self.stdout.write(f"{kind}: {number}")
