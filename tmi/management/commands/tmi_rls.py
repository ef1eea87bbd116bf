"""Turns the policies of row-level security on or off, or says which tables have them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, connection, transaction

from tmi.engines.postgres import SUPERUSER
from tmi.lib.giving_way import giving_way
from tmi.lib.rows import WEB_ROLE

TABLES = """
SELECT c.relname, c.relrowsecurity FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
WHERE c.relnamespace = 'public'::regnamespace GROUP BY 1, 2 ORDER BY 1
"""
# What the role may do is decided by the policies, row by row.
GRANTS = f"""
GRANT USAGE ON SCHEMA public TO {WEB_ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {WEB_ROLE};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {WEB_ROLE};
"""


class Command(BaseCommand):
    help = (
        "Row-level security: enable, disable or status. Web processes use it when the configuration says so."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["enable", "disable", "status"])

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "enable":
            self._make_role()
        giving_way(lambda: self._carry_out(options["what"]), connection, self.stderr.write)

    def _carry_out(self, what: str) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(TABLES)
            found = cursor.fetchall()
            if what == "status":
                for table, on in found:
                    self.stdout.write(f"{table}: {'on' if on else 'off'}")
                return
            # All locks before any row of the catalogue is changed, which an autovacuum might wait for.
            cursor.execute(f"LOCK TABLE {', '.join(table for table, _on in found)}")
            if what == "enable":
                cursor.execute(GRANTS)
            for table, _on in found:
                cursor.execute(f"ALTER TABLE {table} {what.upper()} ROW LEVEL SECURITY")
        self.stdout.write(f"row-level security: {what}d on {len(found)} tables")

    def _make_role(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_has_role(current_user, r.oid, 'MEMBER') FROM pg_roles r WHERE r.rolname = %s",
                [WEB_ROLE],
            )
            held = cursor.fetchone()
            cursor.execute("SELECT current_user")
            [own] = cursor.fetchone()
        wanted = [] if held else [f"CREATE ROLE {WEB_ROLE} NOLOGIN"]
        if held is None or not held[0]:
            wanted.append(f'GRANT {WEB_ROLE} TO "{own}"')
        if wanted:
            self._as_administrator(wanted)

    def _as_administrator(self, statements: list[str]) -> None:
        """As the superuser of the embedded engine, else as whoever is configured."""
        settings = connection.settings_dict
        try:
            if settings["HOST"].startswith("/"):
                where = {"host": settings["HOST"], "port": settings["PORT"], "dbname": settings["NAME"]}
                with psycopg.connect(**where, user=SUPERUSER, autocommit=True) as administrator:
                    for statement in statements:
                        administrator.execute(statement.encode())
                return
        except psycopg.OperationalError:
            pass  # somebody else's server behind a socket
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
        except ProgrammingError:
            told = "; ".join(statements)
            raise CommandError(f"an administrator of PostgreSQL has to run: {told}") from None
