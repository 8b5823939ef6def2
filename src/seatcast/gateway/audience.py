"""Everybody who waits for something over plain HTTP: streams and waiting polls, as the outlet of a hub of their own.

The hub decides who is told what. Here it is only noted, and they are woken: each writes for itself, as fast as its
client reads.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import cast

from seatcast import wire
from seatcast.gateway.facts import Key
from seatcast.gateway.hub import Follower, Hub, Way
from seatcast.gateway.metrics import Metrics
from seatcast.gateway.slots import Slot
from seatcast.gateway.stream import Stream, beginning, event
from seatcast.tokens import Identity


class Waiting:
    """A poll that waits for news. `wake` is called when it is to look whether there are any."""

    __slots__ = ("_wake", "identity", "over")

    def __init__(self, wake: Callable[[], None], identity: Identity | None) -> None:
        self._wake = wake
        self.identity = identity
        self.over = False
        """Whether it is to be answered even if there are none."""

    def updated(self, keys: Sequence[Key], slot: Slot) -> int:
        self._wake()
        return 0

    def restarted(self, reset: bytes, keys: Sequence[Key]) -> None:
        self._wake()

    def notify(self, kind: str, notice: bytes) -> int:
        """An answer says whether the source is lost, so it is given when that changes."""
        if kind == "source":
            self.end()
        return 0

    def end(self) -> None:
        """Have it answered now."""
        self.over = True
        self._wake()


class Audience:
    """Streams and waiting polls. `soon` calls its argument at the end of this turn of the loop."""

    def __init__(
        self,
        beside: Hub,
        metrics: Metrics,
        clock: Callable[[], float],
        soon: Callable[[Callable[[], None]], object],
    ) -> None:
        self.hub = Hub(self, beside=beside)
        self._metrics = metrics
        self._clock = clock
        self._soon = soon
        self.here: dict[Stream | Waiting, None] = {}
        self.changes = 0
        """Another number whenever somebody came or left."""

    def enter(self, one: Stream | Waiting) -> None:
        """Count somebody in; following is another matter."""
        self.here[one] = None
        self._count(one, 1)

    def leave(self, one: Stream | Waiting) -> None:
        """Forget somebody; nothing of them stays."""
        self.hub.unfollow(one)
        del self.here[one]
        self._count(one, -1)

    def _count(self, one: Stream | Waiting, difference: int) -> None:
        self.changes += 1
        if isinstance(one, Stream):
            self._metrics.streams += difference
        else:
            self._metrics.polls_waiting += difference

    # From the hub

    def wake(self) -> None:
        self._soon(self.hub.flush)

    def updated(self, followers: Collection[Follower], keys: Sequence[Key]) -> None:
        slot = Slot(False, self._clock())
        for one in cast(Collection[Stream | Waiting], followers):
            self._metrics.conflated += one.updated(keys, slot)

    def spread(self, ways: Mapping[Way, Follower], keys: Sequence[Key]) -> None:
        """Never asked: nobody here has a way."""

    def restarted(self, followers: Collection[Follower], keys: Sequence[Key]) -> None:
        reset = beginning(wire.encode(wire.Reset(epoch=self.hub.truth.epoch)))
        for one in cast(Collection[Stream | Waiting], followers):
            one.restarted(reset, keys)

    # To everybody

    def broadcast(self, frame: wire.Stale | wire.Fresh | wire.RandomNumber) -> None:
        """Tell everybody what is no fact about a tour."""
        # What is known comes first: FRESH means that everything before it is current.
        self.hub.flush()
        notice = event(wire.encode(frame))
        for one in self.here:
            self._metrics.conflated += one.notify(frame.kind, notice)

    def send_away(self, after_ms: Callable[[], int]) -> None:
        """Have polls answered and streams ended, each of which is told when to come back."""
        for one in self.here:
            if isinstance(one, Stream):
                one.leave(after_ms())
            else:
                one.end()
