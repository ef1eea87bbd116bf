"""What a server does before it answers, in one process: migrations, the demo, the first links."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor


class Command(BaseCommand):
    """Brings the database up to date and prints the links of a first run."""

    help = "Prepares the database for serving; used by serve."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--migrate", action="store_true", help="apply migrations")
        parser.add_argument("--demo", action="store_true", help="load the demo threat model")

    def handle(self, *_args: Any, **options: Any) -> None:
        self._connect()
        missing = self._missing()
        if missing and not options["migrate"]:
            self.stderr.write(
                f"{missing} migrations are not applied: run `manage.py migrate`; not ready until then"
            )
            return
        if missing:
            self.stderr.write(f"applying {missing} migrations")
            call_command("migrate", verbosity=0, interactive=False)
        if settings.CONFIG.database.postgres.row_level_security:
            call_command("tmi_rls", "enable", stdout=self.stderr)
        if options["demo"]:
            call_command("load_demo", stdout=self.stderr)
        call_command("first_run_links", demo=options["demo"], stdout=self.stdout)

    @staticmethod
    def _connect() -> None:
        """Says in one line what a server that answers, but does not let us in, has against it."""
        try:
            connection.ensure_connection()
        except OperationalError as problem:
            raise CommandError(f"database.postgres: {' '.join(str(problem).split())}") from None

    @staticmethod
    def _missing() -> int:
        executor = MigrationExecutor(connection)
        return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
