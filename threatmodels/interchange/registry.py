"""The one door for files from outside: recognises a file, reads it, and lets no other error out."""

from __future__ import annotations

import logging
from collections.abc import Callable

from threatmodels.interchange import (
    csv_threats,
    drawio,
    drawio_write,
    otm,
    otm_write,
    pytm,
    threagile,
    threat_composer,
    threat_dragon,
    threat_dragon_write,
    tm7,
    tm_bom,
    tm_bom_write,
    tmi,
    xlsx_threats,
)
from threatmodels.interchange.document import Document, count
from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.limits import Limits
from threatmodels.interchange.recognise import TITLES, recognise_source
from threatmodels.interchange.report import Reading
from threatmodels.interchange.source import Source

logger = logging.getLogger(__name__)

# By the kinds of `recognise.TITLES`. A writer gives the bytes of a file.
READERS: dict[str, Callable[[Source], Reading]] = {
    threat_dragon.KIND: threat_dragon.read,
    tm7.KIND: tm7.read,
    otm.KIND: otm.read,
    tm_bom.KIND: tm_bom.read,
    drawio.KIND: drawio.read,
    pytm.KIND: pytm.read,
    threagile.KIND: threagile.read,
    threat_composer.KIND: threat_composer.read,
    tmi.KIND: tmi.read,
    csv_threats.KIND: csv_threats.read,
    xlsx_threats.KIND: xlsx_threats.read,
}
WRITERS: dict[str, Callable[[Document], bytes]] = {
    threat_dragon.KIND: threat_dragon_write.write,
    otm.KIND: otm_write.write,
    tm_bom.KIND: tm_bom_write.write,
    drawio.KIND: drawio_write.write,
    tmi.KIND: tmi.write,
    csv_threats.KIND: csv_threats.write,
    xlsx_threats.KIND: xlsx_threats.write,
}

# Media type and ending of what each writer makes.
FILES: dict[str, tuple[str, str]] = {
    tmi.KIND: ("application/json", "tmi.json"),
    threat_dragon.KIND: ("application/json", "threat-dragon.json"),
    otm.KIND: ("application/json", "otm.json"),
    tm_bom.KIND: ("application/json", "tm-bom.json"),
    drawio.KIND: ("application/vnd.jgraph.mxfile", "drawio"),
    csv_threats.KIND: ("text/csv; charset=utf-8", "csv"),
    xlsx_threats.KIND: ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
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
    counts = count(document)
    elements = sum(counts.values()) - counts["diagrams"]
    if elements > limits.max_elements:
        raise UnreadableFile(
            f"The file has {elements} elements, threats, notes and other entries;"
            f" {limits.max_elements} are allowed."
        )
