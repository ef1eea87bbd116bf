"""The one door for files from outside: recognises a file, reads it, and lets no other error out."""

from __future__ import annotations

import logging
from collections.abc import Callable

from threatmodels.interchange import threat_dragon, threat_dragon_write
from threatmodels.interchange.document import Document
from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.limits import Limits
from threatmodels.interchange.recognise import TITLES, recognise_source
from threatmodels.interchange.report import Reading
from threatmodels.interchange.source import Source

logger = logging.getLogger(__name__)

# By the kinds of `recognise.TITLES`. A writer gives the bytes of a file.
READERS: dict[str, Callable[[Source], Reading]] = {
    threat_dragon.KIND: threat_dragon.read,
}
WRITERS: dict[str, Callable[[Document], bytes]] = {
    threat_dragon.KIND: threat_dragon_write.write,
}


def read(data: bytes, *, filename: str = "", limits: Limits | None = None) -> Reading:
    """The threat model in a file of any kind that can be read, with the report about it.

    Raises UnreadableFile with one sentence for a person, and nothing else.
    """
    source = Source(data, filename, limits or Limits())
    try:
        kind = recognise_source(source)
        reading = _reader_of(kind)(source)
    except UnreadableFile:
        raise
    except Exception as error:
        # A reader that fails is a mistake of ours: the log has it, the person gets an answer.
        logger.exception("A file could not be read", extra={"bytes": len(data)})
        raise UnreadableFile("The file could not be read.") from error
    _refuse_crowd(reading.document, source.limits)
    return reading


def readable_kinds() -> list[str]:
    """What can be read, as a person calls it."""
    return [TITLES[kind] for kind in READERS]


def _reader_of(kind: str) -> Callable[[Source], Reading]:
    if kind in READERS:
        return READERS[kind]
    what = f"This is a file of the kind {TITLES[kind]}." if kind else "The kind of the file is not known."
    raise UnreadableFile(f"{what} Kinds that can be read: {'; '.join(readable_kinds())}.")


def _refuse_crowd(document: Document, limits: Limits) -> None:
    elements = len(document.threats) + len(document.assets) + sum(len(d.cells) for d in document.diagrams)
    if elements > limits.max_elements:
        raise UnreadableFile(
            f"The file has {elements} elements and threats; {limits.max_elements} are allowed."
        )
