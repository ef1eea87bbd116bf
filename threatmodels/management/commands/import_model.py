"""Imports files of other tools from the command line."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from threatmodels.actions.importing import Imported, import_file
from threatmodels.interchange.registry import readable_kinds
from tmi.lib.errors import DomainError, ValidationFailed

# A file can break a rule in a thousand places; nobody reads more than this in one line.
MOST_REASONS = 5


class Command(BaseCommand):
    help = (
        "Makes a threat model of each file, whole or not at all; a broken one does not keep the others out. "
        f"Kinds, recognised by content: {'; '.join(readable_kinds())}."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", metavar="FILE", nargs="+")
        parser.add_argument("--owner", metavar="EMAIL", required=True, help="whose threat models they become")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = _owner(options["owner"])
        imported = [self._import(name, owner) for name in options["files"]]
        if not all(imported):
            sys.exit(1)

    def _import(self, name: str, owner: User) -> bool:
        """Whether the file was stored; says what was made of it, or what is wrong."""
        try:
            with Path(name).open("rb") as file:
                imported = import_file(actor=owner, file=file, filename=Path(name).name)
        except OSError as error:
            self.stderr.write(f"{_one_line(name)}: {error.strerror or error}")
        except DomainError as error:
            self.stderr.write(f"{_one_line(name)}: {_reason(error)}")
        else:
            self._tell(name, imported)
            return True
        return False

    def _tell(self, name: str, imported: Imported) -> None:
        report = imported.report
        counts = ", ".join(f"{number} {plural}" for plural, number in report.counts.items() if number)
        made = f"{report.kind}, threat model {imported.threat_model.pk}"
        self.stdout.write(f"{_one_line(name)}: {made}: {counts or 'nothing in it'}")
        for warning in report.warnings:
            self.stdout.write(f"  {_one_line(warning)}")


def _owner(email: str) -> User:
    """The active account of an address; the local one where several identity providers know it."""
    found = User.objects.active().with_email(email)
    people = list(found.local()) or list(found)
    if not people:
        raise CommandError(f"--owner: there is no active account with the email address {email}.")
    if len(people) > 1:
        raise CommandError(f"--owner: several accounts have the email address {email}, and none is local.")
    return people[0]


def _reason(error: DomainError) -> str:
    """All that is wrong in one line; what is wrong with the file as a whole needs no field."""
    if not isinstance(error, ValidationFailed):
        return _one_line(error.message)
    listed = [e.reason if e.field == "file" else f"{e.field}: {e.reason}" for e in error.errors]
    more = len(listed) - MOST_REASONS
    return _one_line(" ".join(listed[:MOST_REASONS])) + (f" And {more} more." if more > 0 else "")


def _one_line(text: str) -> str:
    """Without line breaks, and without the half characters that names of files can have."""
    return " ".join(text.encode(errors="replace").decode().split())
