"""Who is let in, and how much of what he says is acted on. Pure: no loop, no sockets, a clock that is handed in.

Counted are handshakes and sockets by address, connections and messages by user, messages of the anonymous and
control frames by connection. An anonymous client gets a new bucket of messages with each connection, and pays
for it with a handshake; whoever was closed for sending too much pays for `FINE` of them.

All of it is counted by one process: several gateways, or workers, allow that much each.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from seatcast.gateway.addresses import Address
from seatcast.gateway.limits import UNLIMITED, Buckets, Rate

HANDSHAKES_PER_ADDRESS: Final = 200
"""A second. As many people as that may share an address, of a hotel, an office or a mobile network."""

CONNECTIONS_PER_ADDRESS: Final = 2_000
CONNECTIONS_PER_USER: Final = 100

BURST_SECONDS: Final = 10
"""So much of a rate may come at once: after a restart everybody behind one address comes back together."""

CONTROLS_PER_MESSAGE: Final = 10
"""Control frames, which cost less, for each message that a client may send."""

SPARE_SOCKETS: Final = 64
"""Past a limit, so many more are still told why they are refused; beyond, sockets are just dropped."""

FINE: Final = 100
"""Handshakes that an address pays when a client of it is closed with 4429, which costs us as much."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """The limits; 0 is none. None is the default, which does not count connections from this machine itself:
    these are tests, or come through a proxy that was not named, behind which is everybody.
    """

    messages_per_minute: int = 100
    """Of a user, or of an anonymous connection."""
    handshakes_per_address: int | None = None
    """A second, `BURST_SECONDS` of them at once."""
    connections_per_address: int | None = None
    connections_per_user: int | None = None


class TurnedAway(NamedTuple):
    """Why a handshake is refused, when to try again, and whether the socket is not worth an answer."""

    reason: Literal["address rate", "address connections", "full"]
    seconds: float
    silently: bool


class Visitor:
    """One socket, from its first moment to its end. `peer` is who is at the other end of it, perhaps a proxy."""

    __slots__ = ("address", "away", "controls", "messages", "patience", "peer", "user")

    def __init__(self, peer: Address) -> None:
        self.peer = peer
        self.address: Address | None = None
        """The client's; None while a proxy has not told it."""
        self.away: TurnedAway | None = None
        self.user: str | None = None
        # When its own buckets will be full: of messages while anonymous, of control frames, of refusals.
        self.messages = self.controls = self.patience = 0.0


class Admission:
    """Everybody who is here, and what the limits remember of those who were.

    `most_sockets` is for everybody together; `clock` is in seconds.
    """

    def __init__(self, quotas: Quotas, most_sockets: int, clock: Callable[[], float]) -> None:
        self._quotas = quotas
        self._clock = clock
        messages = quotas.messages_per_minute
        self._messages = _rate(messages / 60, messages)
        self._controls = _rate(messages / 60 * CONTROLS_PER_MESSAGE, messages * CONTROLS_PER_MESSAGE)
        self._user_messages = Buckets(self._messages)
        handshakes = _given(quotas.handshakes_per_address, HANDSHAKES_PER_ADDRESS)
        self._handshakes = Buckets(_rate(handshakes, handshakes * BURST_SECONDS))
        self._answers = Buckets(self._handshakes.rate)
        self._most_per_address = _given(quotas.connections_per_address, CONNECTIONS_PER_ADDRESS) or math.inf
        self._most_per_user = _given(quotas.connections_per_user, CONNECTIONS_PER_USER) or math.inf
        self._most_sockets = most_sockets
        self.sockets = 0
        self._per_address: dict[str, int] = {}
        self._per_user: dict[str, int] = {}

    # The way in

    def arrive(self, peer: Address) -> Visitor:
        """Count a new socket; its visitor knows whether it is turned away."""
        visitor = Visitor(peer)
        self.sockets += 1
        past = self.sockets - self._most_sockets
        if past > 0:
            visitor.away = TurnedAway("full", 2, past > SPARE_SOCKETS)
        elif not peer.trusted:
            visitor.away = self._knock(visitor, peer)
        return visitor

    def ask(self, visitor: Visitor, client: Address) -> TurnedAway | None:
        """Return why the visitor's handshake is refused, if it is. Behind a proxy it is counted only now."""
        if visitor.address is None and visitor.away is None:
            visitor.away = self._knock(visitor, client)
        return visitor.away

    def _knock(self, visitor: Visitor, address: Address) -> TurnedAway | None:
        """Count a handshake and a socket of this address."""
        visitor.address = address
        counted = address.counted
        here = self._per_address[counted] = self._per_address.get(counted, 0) + 1
        free = address.local and self._quotas.handshakes_per_address is None
        if not free and self._handshakes.rate is not UNLIMITED:
            now = self._clock()
            if wait := self._handshakes.take(counted, now):
                return TurnedAway("address rate", wait, self._answers.take(counted, now) > 0)
        past = here - self._most_per_address
        if past > 0 and not (address.local and self._quotas.connections_per_address is None):
            return TurnedAway("address connections", BURST_SECONDS, past > SPARE_SOCKETS)
        return None

    def sign_in(self, visitor: Visitor, user: str) -> bool:
        """Count a connection of this user, and no longer of another; return whether he may have one more."""
        if visitor.user == user:
            return True
        self._sign_out(visitor)
        local = visitor.address is None or visitor.address.local
        most = math.inf if local and self._quotas.connections_per_user is None else self._most_per_user
        here = self._per_user.get(user, 0)
        if here >= most:
            return False
        self._per_user[user] = here + 1
        visitor.user = user
        return True

    def leave(self, visitor: Visitor) -> None:
        """The socket is gone. Once for each `arrive`."""
        self.sockets -= 1
        self._sign_out(visitor)
        if visitor.address is not None:
            _count_down(self._per_address, visitor.address.counted)

    def _sign_out(self, visitor: Visitor) -> None:
        if visitor.user is not None:
            _count_down(self._per_user, visitor.user)
            visitor.user = None

    # What he says

    def message(self, visitor: Visitor) -> float:
        """Return 0 for a message to act on, the seconds to wait for one that is refused, and infinity where
        so many were refused that the connection is to be closed.
        """
        rate, now = self._messages, self._clock()
        if visitor.user is not None:
            wait = self._user_messages.take(visitor.user, now)
        elif not (wait := rate.wait(visitor.messages, now)):
            visitor.messages = rate.take(visitor.messages, now)
        return wait and self._refuse(visitor, wait, now)

    def control(self, visitor: Visitor) -> float:
        """As `message`, of a ping or pong."""
        rate, now = self._controls, self._clock()
        if wait := rate.wait(visitor.controls, now):
            return self._refuse(visitor, wait, now)
        visitor.controls = rate.take(visitor.controls, now)
        return 0.0

    def _refuse(self, visitor: Visitor, wait: float, now: float) -> float:
        # As many refusals as messages are allowed: a client that listens to the first of them is never closed.
        rate = self._messages
        if not rate.wait(visitor.patience, now):
            visitor.patience = rate.take(visitor.patience, now)
            return wait
        if visitor.address is not None:
            self._handshakes.drain(visitor.address.counted, now, FINE)
        return math.inf


def _rate(per_second: float, burst: float) -> Rate:
    return Rate(per_second, burst) if burst else UNLIMITED


def _given(number: int | None, default: int) -> int:
    return default if number is None else number


def _count_down(counts: dict[str, int], key: str) -> None:
    left = counts[key] - 1
    if left:
        counts[key] = left
    else:
        del counts[key]
