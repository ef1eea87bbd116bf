"""Threat models to start from: files of our own format, each a small model that can be made one's own."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from threatmodels.interchange.document import Document
from threatmodels.interchange.limits import Limits
from threatmodels.interchange.registry import read

FOLDER = Path(__file__).parent
# In the order in which they are offered.
NAMES = ("web-application", "mobile-back-end", "data-pipeline", "llm-application", "iot")


@lru_cache(maxsize=1)
def starters() -> dict[str, Document]:
    """All of them by name. They are shared: nobody changes one in place."""
    return {name: _read(FOLDER / f"{name}.json") for name in NAMES}


def _read(file: Path) -> Document:
    data = file.read_bytes()
    return read(data, filename=file.name, limits=Limits(max_bytes=len(data))).document
