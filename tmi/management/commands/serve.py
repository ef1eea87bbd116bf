"""Serves the instance; `manage.py serve` comes here only for its help, the parent runs without Django."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from tmi.server import supervisor


class Command(BaseCommand):
    """The web processes and, where no host is configured, the databases."""

    help = "Serves TMI until it is stopped."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        supervisor.add_arguments(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        flags = [f"--{name}" for name in ("migrate", "demo") if options[name]]
        raise SystemExit(supervisor.main(settings.CONFIG, flags))
