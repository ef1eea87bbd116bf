"""How much somebody may send: buckets that fill up again with time."""

from __future__ import annotations

import time
from collections import deque

# So many bursts beyond the limit within so many seconds are no accident.
BURSTS_BEYOND, WITHIN_SECONDS = 10, 10.0
# Whoever is refused waits at least so long: longer than their other edits are on the way.
LEAST_WAIT_SECONDS = 0.2


class Bucket:
    """Holds up to `size` tokens and gains `rate` of them a second."""

    __slots__ = ("left", "rate", "seen", "size")

    def __init__(self, rate: float, size: float) -> None:
        self.rate, self.size = rate, size
        self.left = float(size)
        self.seen = time.monotonic()

    def take(self) -> bool:
        """Takes a token, if there is one."""
        now = time.monotonic()
        self.left = min(self.size, self.left + (now - self.seen) * self.rate)
        self.seen = now
        if self.left < 1:
            return False
        self.left -= 1
        return True

    def wait_seconds(self) -> float:
        """Until there is a token again."""
        return max(0.0, (1 - self.left) / self.rate)


class EditLimit:
    """The edits of one person at one diagram, in however many tabs.

    After one that was refused none is taken until its wait is over: those that are on their way already would
    overtake it.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self.bucket = Bucket(rate, burst)
        self._burst = burst
        self._waits_until = 0.0
        self._refused: deque[float] = deque()

    def take(self, *, edit: bool = True) -> bool:
        """Whether one more is within the limit; what is no `edit` overtakes none and waits for none."""
        if not (edit and self._pausing()) and self.bucket.take():
            return True
        if edit:
            self.pause(self.bucket.wait_seconds())
        self._refused.append(time.monotonic())
        return False

    def pause(self, seconds: float) -> None:
        """Refuses edits for so long, unless they are refused already."""
        if not self._pausing():
            self._waits_until = time.monotonic() + max(seconds, LEAST_WAIT_SECONDS)

    def wait_seconds(self) -> float:
        """Until what was refused may come again."""
        return max(self._pausing(), self.bucket.wait_seconds())

    def _pausing(self) -> float:
        return max(0.0, self._waits_until - time.monotonic())

    def is_flood(self) -> bool:
        """Whether so much beyond the limit has come lately that the sender is to be cut off."""
        while self._refused and self._refused[0] < time.monotonic() - WITHIN_SECONDS:
            self._refused.popleft()
        return len(self._refused) >= BURSTS_BEYOND * self._burst
