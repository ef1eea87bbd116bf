"""Reads an archive into an instance that nobody has used."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tmi.backup import ArchiveError, load


class Command(BaseCommand):
    help = "Restores an archive of `backup` into an empty instance, whole or not at all, and migrates it."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument(
            "--without-keys",
            action="store_true",
            help="restore although its encryption keys are not configured; what they encrypt is lost",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            made = load(options["file"], without_keys=options["without_keys"])
        except ArchiveError as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(f"{made.rows} rows of {len(made.tables)} tables restored, as of {made.made_at}")
        self.stdout.write("A server that runs on this instance has to be restarted now.")
