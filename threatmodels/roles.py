"""The three roles and their order."""

from __future__ import annotations

from enum import IntEnum


class Role(IntEnum):
    """A higher role may do all that a lower one may."""

    READER = 1
    WRITER = 2
    OWNER = 3

    @classmethod
    def named(cls, name: str) -> Role:
        return cls[name.upper()]

    @property
    def label(self) -> str:
        """The name in the database and the API."""
        return self.name.lower()
