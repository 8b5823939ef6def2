"""How often: token buckets, without clock, loop or sockets. `now` is any clock that never goes back, in seconds.

A bucket holds `burst` tokens and regains `per_second` of them. It is kept as one number, the moment at which it
will be full again: a moment that has passed is a full bucket, the same as none, and may be forgotten.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

MOST_BUCKETS: Final = 65_536
"""Buckets of their own that keys of one kind have at most; about 15 MB at the worst."""

SHARED_BUCKETS: Final = 1_024
"""Buckets that the keys past `MOST_BUCKETS` share."""

_ROUNDING: Final = 1e-4
"""Seconds by which sums of fractions may be wrong; that much too early is early enough."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, `per_second` for ever; both more than 0."""

    per_second: float
    burst: float

    def wait(self, full_at: float, now: float) -> float:
        """Return in how many seconds the bucket holds a token; 0 when it does."""
        seconds = full_at - now - (self.burst - 1) / self.per_second
        return seconds if seconds > _ROUNDING else 0.0

    def take(self, full_at: float, now: float, tokens: float = 1.0) -> float:
        """Return when the bucket will be full without these tokens. Less than nothing is never in it."""
        taken = max(full_at, now) + tokens / self.per_second
        return min(taken, now + self.burst / self.per_second + _ROUNDING)


UNLIMITED: Final = Rate(math.inf, 1)


class Buckets:
    """One bucket for each key, in bounded memory.

    No key ever gets more than `burst + per_second * t` tokens in any `t` seconds, whatever the others do. A bucket
    is forgotten only when it is full, so crowding a table does not refill anybody's. Keys that find the table
    crowded share `shared` buckets by their hash, which is secret: they may get less than their due, until
    buckets in the table are full again.
    """

    def __init__(self, rate: Rate, *, most: int = MOST_BUCKETS, shared: int = SHARED_BUCKETS) -> None:
        self.rate = rate
        self._most = most
        # The one that was taken from longest ago is first.
        self._own: OrderedDict[str, float] = OrderedDict()
        self._shared = [0.0] * shared

    def __len__(self) -> int:
        return len(self._own)

    def take(self, key: str, now: float) -> float:
        """Take a token and return 0, or take nothing and return in how many seconds there is one."""
        wait = self.rate.wait(self._full_at(key), now)
        if not wait:
            self.drain(key, now, 1.0)
        return wait

    def drain(self, key: str, now: float, tokens: float) -> None:
        """Take that many tokens, or all that there are."""
        full_at = self.rate.take(self._full_at(key), now, tokens)
        if key in self._own:
            self._own.move_to_end(key)
        else:
            self._forget_full(now)
            if len(self._own) >= self._most:
                self._shared[self._place(key)] = full_at
                return
        self._own[key] = full_at

    def _full_at(self, key: str) -> float:
        # A key that had to share has no more left now than what it shared had.
        own = self._own.get(key)
        return self._shared[self._place(key)] if own is None else own

    def _place(self, key: str) -> int:
        return hash(key) % len(self._shared)

    def _forget_full(self, now: float) -> None:
        """Forget full buckets, at most two for each new one: the table shrinks, and nobody waits for it."""
        for _ in range(2):
            first = next(iter(self._own), None)
            if first is None or self._own[first] > now:
                return
            del self._own[first]
