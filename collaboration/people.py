"""Who is at a diagram, in this process and in the others; pure but for the clock that is handed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from threatmodels.roles import Role

# A process that has been silent for so long is gone; each speaks several times in that time.
SILENT_SECONDS = 4.0

# Told apart by people with any colour vision, on light and dark ground.
COLORS = (
    "#0969da",
    "#bf5700",
    "#1a7f37",
    "#8250df",
    "#cf222e",
    "#0e7c86",
    "#9a6700",
    "#bf3989",
    "#4d5aaf",
    "#57606a",
    "#6f7d00",
    "#a0522d",
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the diagram, with all their tabs. `joined_at` as messages have it, so that it sorts."""

    name: str
    role: Role
    joined_at: str
    connections: int


People = Mapping[UUID, Person]


class Elsewhere:
    """The people of the other processes, as those tell of them again and again."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[float, People]] = {}

    def heard(self, process: str, people: People, now: float) -> None:
        if people:
            self._of[process] = (now, people)
        else:
            self._of.pop(process, None)

    def forget_silent(self, now: float) -> bool:
        """Drops the people of processes that no longer speak; whether there were any."""
        silent = [process for process, (seen, _) in self._of.items() if now - seen > SILENT_SECONDS]
        for process in silent:
            del self._of[process]
        return bool(silent)

    def keep(self, now: float) -> None:
        """Nothing can be heard at the moment, so nobody counts as silent."""
        self._of = {process: (now, people) for process, (_, people) in self._of.items()}

    def __bool__(self) -> bool:
        return bool(self._of)

    def people(self) -> Iterable[People]:
        return [people for _, people in self._of.values()]


def merged(groups: Iterable[People]) -> dict[UUID, Person]:
    """Everybody once, longest present first."""
    found: dict[UUID, Person] = {}
    for group in groups:
        for user_id, person in group.items():
            known = found.get(user_id)
            found[user_id] = person if known is None else _together(known, person)
    return dict(sorted(found.items(), key=lambda item: (item[1].joined_at, item[0])))


def _together(one: Person, other: Person) -> Person:
    first = min(one, other, key=lambda person: person.joined_at)
    return Person(first.name, first.role, first.joined_at, one.connections + other.connections)


def colors(people: People) -> dict[UUID, str]:
    """A colour for each, which depends on who was there before, and is the same in all processes."""
    given: dict[UUID, str] = {}
    used: set[str] = set()
    for user_id in people:
        wanted = user_id.int % len(COLORS)
        turned = COLORS[wanted:] + COLORS[:wanted]
        given[user_id] = next((color for color in turned if color not in used), turned[0])
        used.add(given[user_id])
    return given


def longest_writer(people: People) -> UUID | None:
    """Who becomes host when there is none: the writer who has been here longest."""
    return next((user_id for user_id, person in people.items() if person.role >= Role.WRITER), None)


def packed(people: People) -> list[list[Any]]:
    """The form in which processes tell each other."""
    return [[str(user_id), *asdict(person).values()] for user_id, person in people.items()]


def unpacked(rows: Iterable[list[Any]]) -> dict[UUID, Person]:
    """What `packed` made."""
    return {
        UUID(user_id): Person(name, Role(role), joined_at, connections)
        for user_id, name, role, joined_at, connections in rows
    }
