"""A threat model in a running instance, with people who are signed in and diagrams to edit together."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.tools.rest import Diagram, Person
from tmi.config import BASE_DIR


@dataclass(frozen=True)
class Room:
    """The first writer is the owner."""

    diagrams: list[Diagram]
    writers: list[Person]
    readers: list[Person]

    @property
    def diagram(self) -> Diagram:
        return self.diagrams[0]


def make_room(
    url: str, env: Mapping[str, str], *, writers: int = 1, readers: int = 0, cells: Sequence[int] = (0,)
) -> Room:
    """Makes them in the instance of this environment; one diagram for each number of cells."""
    amounts = ["--writers", writers, "--readers", readers, "--cells", *cells]
    done = subprocess.run(
        [sys.executable, "manage.py", "make_room", *map(str, amounts)],
        cwd=BASE_DIR,
        env={**env, "DJANGO_SETTINGS_MODULE": "tests.tools.settings"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    told = json.loads(done.stdout)
    return Room(
        [Diagram(told["threat_model_id"], one) for one in told["diagrams"]],
        [Person(url, token) for token in told["writers"]],
        [Person(url, token) for token in told["readers"]],
    )
