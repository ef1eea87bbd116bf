"""A file as it came: its bytes, and its text, JSON and YAML once somebody asks."""

from __future__ import annotations

import codecs
import re
import zlib
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from threatmodels.interchange.errors import UnreadableFile
from threatmodels.interchange.json_file import load_json
from threatmodels.interchange.limits import MEBIBYTE, Limits
from threatmodels.interchange.yaml_file import load_yaml

# Longest first: the mark of UTF-32 begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
XML_ENCODING = re.compile(rb"""\s*<\?xml\s[^>]{0,100}?encoding\s*=\s*["']([\w.-]{1,40})["']""", re.ASCII)
SINGLE_BYTE = frozenset(["iso-8859-1", "iso-8859-2", "iso-8859-15", "windows-1250", "windows-1252"])
GZIP = b"\x1f\x8b"
# Each is a copy of all that follows it.
MOST_PARTS = 500


class Source:
    """One file, unpacked where it was gzipped. `text`, `json` and `yaml` raise UnreadableFile without one."""

    def __init__(self, data: bytes, filename: str, limits: Limits) -> None:
        if len(data) > limits.max_bytes:
            raise UnreadableFile(f"The file is larger than {limits.max_bytes / MEBIBYTE:g} MiB.")
        if not data.strip():
            raise UnreadableFile("The file is empty.")
        self.data = expanded(data, limits) if data.startswith(GZIP) else data
        self.filename = filename
        self.limits = limits

    @property
    def stem(self) -> str:
        """The file's name without folders and without its last ending."""
        return PurePosixPath(self.filename.replace("\\", "/")).stem

    @cached_property
    def text(self) -> str:
        """UTF-8, or UTF-16 and UTF-32 where a byte order mark or the zero bytes of ASCII give them away.

        XML may say that it is in one of a few encodings with a byte for each character.
        """
        encoding = encoding_of(self.data)
        try:
            return self.data.decode(encoding)
        except UnicodeDecodeError as error:
            name = "UTF-8" if encoding.startswith("utf") else encoding
            raise UnreadableFile(f"The file is not valid {name} text (at byte {error.start}).") from error

    @property
    def json(self) -> Any:
        return self._json[0]

    @property
    def yaml(self) -> Any:
        return self._yaml[0]

    @property
    def tree(self) -> Any:
        """The value of a file that is JSON or else YAML, as some formats allow both."""
        if not self.text.lstrip().startswith(("{", "[")):
            return self.yaml
        try:
            return self.json
        except UnreadableFile as error:
            try:
                return self.yaml
            except UnreadableFile:
                raise error from None

    @property
    def has_more_documents(self) -> bool:
        """Whether the file was read as YAML and has documents beyond the first."""
        return "_yaml" in self.__dict__ and self._yaml[1]

    @property
    def duplicate_keys(self) -> list[str]:
        """Keys that one JSON object has twice, one entry for each such object."""
        return self._json[1]

    @cached_property
    def _yaml(self) -> tuple[Any, bool]:
        return load_yaml(self.text, self.limits)

    @cached_property
    def _json(self) -> tuple[Any, list[str]]:
        return load_json(self.text, self.limits)


def expanded(data: bytes, limits: Limits) -> bytes:
    """The content of a gzipped file, which may have several parts, read no further than it may be long."""
    content = b""
    for _ in range(MOST_PARTS):
        reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            content += reader.decompress(data, limits.max_expanded_bytes + 1 - len(content))
        except zlib.error as error:
            raise UnreadableFile("The file is packed with gzip and damaged.") from error
        if len(content) > limits.max_expanded_bytes:
            raise UnreadableFile(
                f"The file unpacks to more than {limits.max_expanded_bytes / MEBIBYTE:g} MiB."
            )
        if not reader.eof:
            raise UnreadableFile("The file is packed with gzip and damaged.")
        # Tapes and disks fill up with zeros.
        data = reader.unused_data.lstrip(b"\0")
        if not data:
            return content
    raise UnreadableFile(f"The file is packed with gzip in more than {MOST_PARTS} parts.")


def encoding_of(data: bytes) -> str:
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return encoding
    first = data[:2]
    if len(first) == 2 and len(data) % 2 == 0 and first.count(0) == 1:
        return "utf-16-be" if first[0] == 0 else "utf-16-le"
    declared = XML_ENCODING.match(data)
    if declared and (name := declared[1].decode().lower()) in SINGLE_BYTE:
        return name
    return "utf-8"
