"""One open socket of a person, as its room sees it: what may be sent to it, and what it may send."""

from __future__ import annotations

import time
from uuid import UUID

from collaboration.limits import Bucket
from threatmodels.access import Place
from threatmodels.roles import Role
from tmi.config_schema import Collaboration
from tmi.lib import metrics
from tmi.server.wire import Wire

TOO_SLOW = 1013
MALFORMED = 4400
SIGNED_OUT = 4401
NOT_ALLOWED = 4403
NOT_FOUND = 4404
INACTIVE = 4408
SESSION_ENDED = 4410
TOO_LARGE = 4413
TOO_MANY = 4429

MOST_MALFORMED = 20
# All messages of one connection; drawing by hand stays far below.
MESSAGES_PER_SECOND, MESSAGES_AT_ONCE = 500, 3000


class Connection:
    """A person's socket at a diagram. Used from the event loop only."""

    __slots__ = (
        "closed",
        "heard",
        "largest",
        "limits",
        "listing",
        "malformed",
        "messages",
        "met",
        "name",
        "place",
        "role",
        "session_id",
        "wire",
    )

    def __init__(
        self, place: Place, name: str, role: Role, session_id: UUID, *, wire: Wire, limits: Collaboration
    ) -> None:
        self.place, self.name, self.role, self.session_id = place, name, role, session_id
        self.wire, self.limits = wire, limits
        # The largest message of those that may still wait.
        self.largest = 0
        self.messages = Bucket(MESSAGES_PER_SECOND, MESSAGES_AT_ONCE)
        self.malformed = 0
        self.heard = time.monotonic()
        self.closed = False
        # The list of participants that it was sent last.
        self.listing: object = None
        # Whom that list named on coming in, until the next comings and goings are told.
        self.met: frozenset[UUID] | None = None

    @property
    def user_id(self) -> UUID:
        return self.place.user_id

    def send(self, frames: bytes) -> None:
        """What must arrive; who does not take it is closed and comes back for it."""
        if self.closed:
            return
        size, waiting = len(frames), self.wire.write(frames)
        if size > self.largest or waiting <= size:
            self.largest = size
        # One message is as large as the diagram may be; who is slow lets several wait.
        if waiting > self.limits.slow_close_bytes + self.largest:
            self.close(TOO_SLOW)

    def send_presence(self, frames: bytes) -> None:
        """What is worth nothing a moment later: dropped while other things wait."""
        if not self.closed and self.wire.waiting() <= self.limits.slow_presence_bytes:
            self.wire.write(frames)

    def close(self, code: int) -> None:
        if not self.closed:
            self.closed = True
            metrics.CLOSES.labels(code).inc()
            self.wire.close(code)
