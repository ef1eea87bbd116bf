"""One file with every row of an instance: written from one snapshot, read whole or not at all."""

from tmi.backup.archive import ArchiveError, Manifest
from tmi.backup.load import load
from tmi.backup.save import save

__all__ = ["ArchiveError", "Manifest", "load", "save"]
