"""Checks a threat model for a build: exit code 1 where something passes the bar."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from accounts.models import User
from threatmodels.actions.importing import import_file
from threatmodels.checking import Findings, findings_of
from threatmodels.models import ThreatModel
from threatmodels.reports.findings import SEVERITIES, failing
from threatmodels.reports.sarif import sarif
from tmi.lib.errors import DomainError
from tmi.lib.ids import parse_id

KINDS = ("threat", "uncovered", "hygiene")


class Command(BaseCommand):
    help = (
        "Checks a threat model, by id or from a file of any kind that can be imported (nothing is stored). "
        "Exit code 0: nothing passes the bar; 1: something does; 2: it could not be checked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", metavar="ID|FILE")
        parser.add_argument("--fail-on", choices=[*SEVERITIES, "never"], default="high", help="the bar")
        parser.add_argument("--format", choices=["text", "json", "sarif"], default="text")
        parser.add_argument(
            "--only",
            action="append",
            choices=KINDS,
            help="what is looked at: open threats, rules that nobody dealt with, hygiene; repeatable",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            name, findings = _checked(options["model"])
        except DomainError as error:
            self.stderr.write(f"{options['model']}: {error.message}")
            sys.exit(2)
        wanted = options["only"] or KINDS
        findings = [one for one in findings if one.kind in wanted]
        failed = failing(findings, options["fail_on"])
        self.stdout.write(_written(options, name, findings, len(failed)))
        if failed:
            sys.exit(1)


def _checked(given: str) -> tuple[str, Findings]:
    """The name of the model and its findings. Raises DomainError where there is none."""
    pk = parse_id(given)
    if pk is not None:
        found = ThreatModel.objects.live().filter(pk=pk).first()
        if found is None:
            raise CommandError(f"There is no threat model {given}.", returncode=2)
        return found.name, findings_of(found)
    _prepare_unused_database()
    return _of_file(Path(given))


def _prepare_unused_database() -> None:
    """A machine that builds has an embedded database, and nobody who has made it ready."""
    if settings.CONFIG.embedded and not connection.introspection.table_names():
        call_command("migrate", verbosity=0, interactive=False)


def _of_file(path: Path) -> tuple[str, Findings]:
    """Imports the file in a transaction that is taken back."""
    try:
        with path.open("rb") as file, transaction.atomic():
            owner = User.objects.create(
                email="check-model@invalid", name="check_model", provider="check", is_active=False
            )
            imported = import_file(actor=owner, file=file, filename=path.name)
            findings = [replace(one, key="") for one in findings_of(imported.threat_model)]
            found = imported.threat_model.name, findings
            transaction.set_rollback(True)
    except OSError as error:
        raise CommandError(f"{given_name(path)}: {error.strerror or error}", returncode=2) from None
    return found


def given_name(path: Path) -> str:
    """The name of a file as it can be written anywhere."""
    return str(path).encode(errors="replace").decode()


def _written(options: dict[str, Any], name: str, findings: Findings, failed: int) -> str:
    if options["format"] == "sarif":
        given = options["model"]
        artifact = f"threat-models/{given}" if parse_id(given) else Path(given).as_posix()
        return sarif(findings, artifact=artifact).decode()
    if options["format"] == "json":
        listed = [
            {
                "kind": one.kind,
                "rule": one.rule,
                "severity": one.severity,
                "message": one.message,
                "diagram": one.diagram,
                "element": one.element,
                "fingerprint": one.fingerprint,
            }
            for one in findings
        ]
        told = {"model": name, "fail_on": options["fail_on"], "failed": failed, "findings": listed}
        return orjson.dumps(told, option=orjson.OPT_INDENT_2).decode()
    lines = [f"{one.severity:13} {one.kind:9} {_line(one.place)}: {_line(one.message)}" for one in findings]
    kinds = Counter(one.kind for one in findings)
    counts = (
        f"{kinds['threat']} open threats, {kinds['uncovered']} not considered, {kinds['hygiene']} of hygiene"
    )
    return "\n".join([*lines, f"{_line(name)}: {counts}; {failed} at or above {options['fail_on']}."])


def _line(text: str) -> str:
    return " ".join(text.split())
