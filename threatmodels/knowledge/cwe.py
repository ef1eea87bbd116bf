"""The weaknesses of CWE by number and name, from a list that comes along."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

LIST = Path(__file__).with_name("cwe.tsv")


@dataclass(frozen=True, slots=True)
class Weakness:
    number: int
    name: str

    @property
    def id(self) -> str:
        return f"CWE-{self.number}"


@lru_cache(maxsize=1)
def weaknesses() -> dict[int, Weakness]:
    """All of them, by number."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return {int(number): Weakness(int(number), name) for number, name in rows}


def search(words: str, most: int = 20) -> list[Weakness]:
    """Those whose name holds all words, or whose number begins as typed; what begins so comes first."""
    wanted = words.lower().removeprefix("cwe-").split()
    if not wanted:
        return []
    found = [one for one in weaknesses().values() if _fits(one, wanted)]
    return sorted(found, key=lambda one: (not one.name.lower().startswith(wanted[0]), one.number))[:most]


def _fits(one: Weakness, wanted: list[str]) -> bool:
    name = one.name.lower()
    return all(word in name or str(one.number).startswith(word) for word in wanted)
