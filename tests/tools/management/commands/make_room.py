"""A threat model with people who are signed in and diagrams of so many cells; prints what opens them."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from accounts.actions.session import start_session
from accounts.models import User
from accounts.tokens import access_token
from threatmodels.actions.access import Grant, grant_access
from threatmodels.actions.diagram import create_diagram
from threatmodels.actions.threat_model import create_threat_model


class Command(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--writers", type=int, default=1, help="the first one is the owner")
        parser.add_argument("--readers", type=int, default=0)
        parser.add_argument("--cells", type=int, nargs="+", default=[0], help="one diagram for each number")

    @transaction.atomic
    def handle(self, *_args: Any, **options: Any) -> None:
        writers = [_person(f"Writer {number}") for number in range(options["writers"])]
        readers = [_person(f"Reader {number}") for number in range(options["readers"])]
        model = create_threat_model(actor=writers[0], name="Room")
        for role, people in (("writer", writers[1:]), ("reader", readers)):
            for person in people:
                grant_access(model, actor=writers[0], grant=Grant(role, user=person))
        diagrams = [
            create_diagram(threat_model=model, actor=writers[0], name=f"{number} cells", cells=_cells(number))
            for number in options["cells"]
        ]
        told = {
            "threat_model_id": str(model.pk),
            "diagrams": [str(diagram.pk) for diagram in diagrams],
            "writers": [access_token(start_session(person)) for person in writers],
            "readers": [access_token(start_session(person)) for person in readers],
        }
        self.stdout.write(json.dumps(told))


def _person(name: str) -> User:
    email = f"{uuid.uuid4().hex}@example.org"
    return User.objects.create(email=email, name=name, email_verified=True)


def _cells(amount: int) -> list[dict[str, Any]]:
    """Boxes in rows of a hundred."""
    return [
        {
            "id": str(uuid.UUID(int=number + 1)),
            "type": "process",
            "properties": {"label": f"Box {number}", "description": "What it does."},
            "position": {"x": number % 100 * 200, "y": number // 100 * 120},
            "size": {"width": 140, "height": 80},
        }
        for number in range(amount)
    ]
