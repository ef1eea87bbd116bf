"""What can be wrong with a file that somebody brings."""

from __future__ import annotations

from tmi.lib.errors import FieldError, ValidationFailed


class UnreadableFile(ValidationFailed):
    """The file cannot be read at all; `message` is one sentence for the person who brought it."""

    def __init__(self, message: str) -> None:
        super().__init__([FieldError("file", message)], message)
