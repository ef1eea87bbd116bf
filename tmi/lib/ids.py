"""Primary keys that sort by creation time."""

import uuid

import uuid_utils.compat

# The id of no row: what a malformed id is looked up as, and not found.
NO_ID = uuid.UUID("ffffffff-ffff-ffff-ffff-ffffffffffff")


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562)."""
    return uuid_utils.compat.uuid7()


def parse_id(text: object) -> uuid.UUID | None:
    """The UUID that `text` spells in its usual form of 36 characters, else None."""
    if isinstance(text, uuid.UUID):
        return text
    if not isinstance(text, str) or len(text) != 36:
        return None
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
