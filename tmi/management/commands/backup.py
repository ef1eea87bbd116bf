"""Writes everything that the instance has stored into one file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tmi.backup import ArchiveError, save


class Command(BaseCommand):
    help = "Writes one archive of everything, as it is at one moment; people can go on working."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", metavar="FILE", type=Path, help="a new file; it holds everything, guard it"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            made = save(path)
        except ArchiveError as problem:
            raise CommandError(str(problem)) from None
        size = path.stat().st_size / 1e6
        self.stdout.write(f"{path}: {made.rows} rows of {len(made.tables)} tables, {size:.1f} MB")
        self.stdout.write(
            "Keep the configuration and its auth.encryption_keys elsewhere: they are not in it."
        )
