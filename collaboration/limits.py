"""How much somebody may send: buckets that fill up again with time."""

from __future__ import annotations

import time
from collections import deque

# So many bursts beyond the limit within so many seconds are no accident.
BURSTS_BEYOND, WITHIN_SECONDS = 10, 10.0


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
    """The edits of one person at one diagram, in however many tabs."""

    def __init__(self, rate: float, burst: int) -> None:
        self.bucket = Bucket(rate, burst)
        self._burst = burst
        self._refused: deque[float] = deque()

    def take(self) -> bool:
        """Whether one more edit is within the limit."""
        if self.bucket.take():
            return True
        self._refused.append(time.monotonic())
        return False

    def is_flood(self) -> bool:
        """Whether so much beyond the limit has come lately that the sender is to be cut off."""
        while self._refused and self._refused[0] < time.monotonic() - WITHIN_SECONDS:
            self._refused.popleft()
        return len(self._refused) >= BURSTS_BEYOND * self._burst
