"""What a migration must not do to a table that people use: lock it for long, or break the version before.

The rules are those of PostgreSQL's lock modes (ALTER TABLE, CREATE INDEX, in its manual), and of a rolling
restart: for a while the old program runs on the new tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

NAME = r'(?:ONLY\s+)?"?(\w+)"?'
MADE = re.compile(rf"CREATE TABLE (?:IF NOT EXISTS )?{NAME}", re.I)
ALTERED = re.compile(rf"ALTER TABLE (?:IF EXISTS )?{NAME}\s+(.*)", re.I | re.S)
INDEXED = re.compile(rf'CREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?(?:IF NOT EXISTS )?"?\w+"? ON {NAME}', re.I)
GONE = re.compile(rf"DROP TABLE (?:IF EXISTS )?{NAME}", re.I)
UNSAFE = {
    "checks every row while nobody can write: NOT VALID first, VALIDATE in a second migration": re.compile(
        r"ADD CONSTRAINT (?:(?!NOT VALID).)*$", re.I | re.S
    ),
    "writes every row anew while nobody can read: a new column, filled in batches": re.compile(
        r"ALTER COLUMN \S+ (?:SET DATA )?TYPE", re.I
    ),
    "reads every row while nobody can write: a CHECK that is validated first": re.compile(
        r"ALTER COLUMN \S+ SET NOT NULL", re.I
    ),
    "has no value for the rows that are there, nor for those of the version before": re.compile(
        r"ADD COLUMN (?:(?!DEFAULT).)*NOT NULL(?:(?!DEFAULT).)*$", re.I | re.S
    ),
    "is still read by the version before: a later release drops it": re.compile(
        r"DROP COLUMN|RENAME (?:COLUMN|TO)", re.I
    ),
}


def problems(statements: Iterable[str]) -> list[str]:
    """What is wrong with the statements of one migration; tables that it makes itself are empty."""
    found: list[str] = []
    new: set[str] = set()
    for statement in map(plain, statements):
        if made := MADE.match(statement):
            new.add(made[1])
        elif indexed := INDEXED.match(statement):
            if indexed[2] not in new and not indexed[1]:
                found.append(f"{indexed[2]}: an index without CONCURRENTLY keeps everybody from writing")
        elif gone := GONE.match(statement):
            found.append(f"{gone[1]}: is still read by the version before: a later release drops it")
        elif (altered := ALTERED.match(statement)) and altered[1] not in new:
            found += [f"{altered[1]}: {why}" for why, rule in UNSAFE.items() if rule.search(altered[2])]
    return found


def plain(statement: str) -> str:
    """Without comments, in one line."""
    return " ".join(re.sub(r"--[^\n]*", "", statement).split())
