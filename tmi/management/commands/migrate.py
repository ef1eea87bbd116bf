"""Django's migrate, which goes on while people are at work."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from tmi.lib.giving_way import giving_way


class Command(migrate.Command):
    """A migration that finds a table in use is taken back and tried again."""

    def handle(self, *args: Any, **options: Any) -> None:
        def apply() -> None:
            migrate.Command.handle(self, *args, **options)

        giving_way(apply, connections[options["database"]], self.stderr.write)
