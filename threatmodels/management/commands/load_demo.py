"""Loads the demo threat model."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from accounts.actions.demo import demo_user
from accounts.models import AuditEntry, User
from threatmodels.actions.importing import store_document
from threatmodels.demo.loader import demo_document
from threatmodels.models import ThreatModel

# What the history calls this import.
KIND = "demo"


class Command(BaseCommand):
    help = "Gives the demo user the demo threat model, once: one that was changed or deleted since stays so."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--again", action="store_true", help="add a fresh copy beside what is there")

    def handle(self, *args: Any, **options: Any) -> None:
        made = _load(again=options["again"])
        if made is None:
            self.stdout.write("the demo threat model was loaded before; --again adds a fresh copy")
        else:
            self.stdout.write(f"demo threat model {made.pk} ({made.name}) loaded for {made.owner.email}")


@transaction.atomic
def _load(*, again: bool) -> ThreatModel | None:
    """The copy that was made; None where there is or was one. A second process waits for the first."""
    user = User.objects.select_for_update().get(pk=demo_user().pk)
    if _was_loaded(user) and not again:
        return None
    return store_document(demo_document(), actor=user, kind=KIND)


def _was_loaded(user: User) -> bool:
    """History tells it: it outlives every change, transfer and deletion."""
    imports = AuditEntry.objects.filter(entity_type=ThreatModel.kind, action="import", actor=user)
    return imports.filter(changes__kind__1=KIND).exists()
