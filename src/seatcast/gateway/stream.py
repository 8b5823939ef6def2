"""One client of Server-Sent Events: what it is told, in which bytes, and nothing of how they are sent.

An event's data is the message that a WebSocket would have brought; none has a name, so `onmessage` gets them all.
Whenever the client has been given everything, the last event has the cursor as its id: a browser that reconnects
sends it as `Last-Event-ID`, and is told what is new. Whoever writes takes when the client reads: until then the newest
state of each departure waits (`slots.py`), not a backlog.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import UNSET

from seatcast import wire
from seatcast.gateway.cursor import cursor
from seatcast.gateway.facts import Key
from seatcast.gateway.session import Session
from seatcast.gateway.shared import Shared, Stranger
from seatcast.gateway.slots import Owed, Slot
from seatcast.tokens import Identity

HEARTBEAT = b":\n\n"
"""A comment: tells proxies and half-dead networks that the stream lives, and the client nothing."""


def event(payload: bytes) -> bytes:
    """Return a message as an event. JSON has no line feeds of its own."""
    return b"data: " + payload + b"\n\n"


def _with_id(event: bytes, id: bytes) -> bytes:
    return b"%sid: %s\n\n" % (event[:-1], id)


def beginning(payload: bytes) -> bytes:
    """Return a message after which everything is told anew, as an event that takes the client's cursor away.

    Should the stream break halfway, it would otherwise be continued from where nothing is left to go on from.
    """
    return _with_id(event(payload), b"")


class Stream:
    """A client, which is its session's `Peer` and the hub's follower. `wake` is called when there is something to take."""

    __slots__ = ("_clock", "_first", "_owed", "_shared", "_wake", "closing", "session")

    def __init__(
        self, shared: Shared, clock: Callable[[], float], wake: Callable[[], None], retry_ms: int
    ) -> None:
        self._shared = shared
        self._clock = clock
        self._wake = wake
        self._owed = Owed()
        # How long a browser waits before it comes back from a break that nobody announced.
        self._first = b"retry: %d\n\n" % retry_ms
        self.session = Session(self, shared)
        self.closing = False
        """Whether nothing more is to be told, and the stream ends once everything is taken."""

    @property
    def identity(self) -> Identity | Stranger | None:
        """Whom the client speaks for."""
        return self.session.identity

    # From the session and the hub

    def send(self, frame: wire.ServerFrame) -> None:
        anew = isinstance(frame, wire.Welcome) and frame.resumed is UNSET
        data = (beginning if anew else event)(wire.encode(frame))
        if not self.closing and not self._owed.push(data):
            self.close()
        self._wake()

    def offer(self, keys: Sequence[Key]) -> None:
        self._owed.offer(keys, self._clock())
        self._wake()

    def drop(self, tour_id: str) -> None:
        """Never asked: a stream cannot say UNSUBSCRIBE."""

    def keep(self, tour_id: str) -> None:
        """Never asked: a stream cannot say SUBSCRIBE."""

    def identified(self) -> bool:
        """Never asked: a stream cannot say AUTH."""
        return True

    def updated(self, keys: Sequence[Key], slot: Slot) -> int:
        """Take note that these keys changed. Returns how many changes of theirs the client will never see."""
        self._wake()
        return self._owed.update(keys, slot)

    def restarted(self, reset: bytes, keys: Sequence[Key]) -> None:
        """Versions start anew, from the state of these keys."""
        self._owed.drop(None)
        self.notify("versions", reset)
        self.offer(keys)

    def notify(self, kind: str, notice: bytes) -> int:
        """Tell what everybody is told, an event, in place of an earlier one of its kind. Returns how many that were."""
        self._wake()
        return self._owed.notify(kind, notice) or 0

    # To the client

    def take(self) -> tuple[bytes, int]:
        """Return what to write next and how many messages that are; nothing if the client has been told everything."""
        # What changed earlier in this turn is known to the cursor, so it has to be among what is owed.
        self._shared.hub.settle(self)
        events = self._owed.take(self._render)
        # Not at the end, when states that it was owed were left out.
        if events and not self._owed and not self.closing:
            events[-1] = _with_id(events[-1], self._cursor())
        first, self._first = self._first, b""
        return first + b"".join(events), len(events)

    def _render(self, key: Key, initial: bool) -> bytes | None:
        encoded = self._shared.hub.truth.frame(key, initial=initial)
        return None if encoded is None else event(encoded.payload)

    def _cursor(self) -> bytes:
        return cursor(self._shared.hub.truth, self.session.tours).encode()

    # The end

    def leave(self, after_ms: int) -> None:
        """Tell the client to come back later, and end."""
        self._owed.drop(None)
        self._first = b"retry: %d\n\n" % after_ms
        self.send(wire.Reconnect(after_ms=after_ms))
        self.close()

    def close(self) -> None:
        """Tell nothing more than what waits; states do not: the client will be given newer ones elsewhere."""
        self._owed.drop(None)
        self.closing = True
        self.session.close()
        self._wake()
