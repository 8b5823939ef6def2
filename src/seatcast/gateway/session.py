"""One client's protocol, without sockets, loop or clock: CONTRACT 1 between WELCOME and the close.

Order of answers: WELCOME, STALE if the source is lost, then INITIAL_STATEs; SUBSCRIBED, then its
INITIAL_STATE, so that a client knows what the state answers. A tour that is known to be closed is answered with its
TOUR_CLOSED instead. While no whole catalogue was ever read (just started, or no source of snapshots) an unknown
tour may be followed: its first frame comes when it is heard of. Nothing that a client says closes its connection.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec
from msgspec import UNSET, Struct, UnsetType

from seatcast import wire
from seatcast.gateway.facts import Key
from seatcast.gateway.hub import Hub
from seatcast.text import text


@dataclass(frozen=True, slots=True)
class Limits:
    """What one session may do, and what it is told."""

    follow_all: int = 2_000
    """Departures in the catalogue up to which a new connection follows everything."""
    subscriptions: int = 500
    heartbeat_seconds: float = 20.0


class Peer(Protocol):
    """The other end: takes what the client has to be told. Told apart by identity; it is the hub's follower."""

    def __hash__(self) -> int: ...

    def send(self, frame: wire.ServerFrame) -> None:
        """Deliver a message that may not be left out, after everything sent before."""

    def offer(self, keys: Sequence[Key]) -> None:
        """Deliver the newest state under these keys, now or when the client reads again."""

    def drop(self, tour_id: str | None) -> None:
        """Deliver nothing more that waits under this tour's keys; None: under any."""


class _Identified(Struct):
    id: wire.RequestId | UnsetType = UNSET


_identified = msgspec.json.Decoder(_Identified)


class Session:
    """One client, from `open` to `close`. `now` returns the present as the wire writes it."""

    __slots__ = ("_hub", "_limits", "_now", "_peer", "tours")

    def __init__(self, peer: Peer, hub: Hub, limits: Limits, now: Callable[[], str]) -> None:
        self._peer = peer
        self._hub = hub
        self._limits = limits
        self._now = now
        self.tours: frozenset[str] | None = frozenset()
        """What is followed; None: everything."""

    def open(
        self,
        connection_id: str,
        *,
        user: str | None = None,
        language: str = "fr",
        tours: Sequence[str] | None = None,
        stale: wire.Stale | None = None,
    ) -> None:
        """Greet the client and start it off. `tours` are the ones it named in the address, None for no names."""
        # Before the epoch is told: what changed earlier in this turn may have changed it.
        self._hub.flush()
        truth = self._hub.truth
        refused: list[wire.Error] = []
        if tours is None:
            crowded = len(truth.catalogue()) > self._limits.follow_all
            self.tours = frozenset() if crowded else None
        else:
            self.tours, refused = self._named(tours)
        self._peer.send(
            wire.Welcome(
                message=text(language, "gateway.welcome"),
                connection_id=connection_id,
                protocol=wire.PROTOCOL,
                server_time=self._now(),
                heartbeat_seconds=self._limits.heartbeat_seconds,
                epoch=truth.epoch,
                following="all" if self.tours is None else "named",
                user_id=UNSET if user is None else user,
            )
        )
        if stale is not None:
            self._peer.send(stale)
        for error in refused:
            self._peer.send(error)
        self._hub.follow(self._peer, self.tours)
        self._peer.offer(truth.keys(self.tours))

    def _named(self, tours: Sequence[str]) -> tuple[frozenset[str], list[wire.Error]]:
        """Return which of the named tours can be followed, and an answer for the first of each kind that cannot."""
        named = list(dict.fromkeys(id for id in tours if 1 <= len(id) <= 128))
        refused = []
        if len(named) > self._limits.subscriptions:
            refused.append(self._too_many(UNSET))
            named = named[: self._limits.subscriptions]
        known = [id for id in named if self._may_exist(id)]
        unknown = [id for id in named if not self._may_exist(id)]
        if unknown:
            refused.append(_error("NOT_FOUND", f"no tour {', '.join(map(repr, unknown[:10]))}"))
        return frozenset(known), refused

    def _may_exist(self, tour_id: str) -> bool:
        return tour_id in self._hub.truth or not self._hub.truth.complete

    def receive(self, message: bytes) -> None:
        """Act on one text message and answer it."""
        try:
            frame = wire.decode_client(message)
        except ValueError as error:
            self._peer.send(_error("INVALID_MESSAGE", str(error)[:300], _id_of(message)))
            return
        if isinstance(frame, wire.Ping):
            self._peer.send(wire.Pong(server_time=self._now(), id=frame.id))
        elif isinstance(frame.channel, str):
            self._channel(frame, frame.channel)
        elif isinstance(frame.tour_id, str):
            if isinstance(frame, wire.Subscribe):
                self._subscribe(frame.tour_id, frame.id)
            else:
                self._unsubscribe(frame.tour_id, frame.id)

    def _channel(self, frame: wire.Subscribe | wire.Unsubscribe, channel: str) -> None:
        if channel == "metrics" or channel.startswith("document:"):
            self._peer.send(_error("FORBIDDEN", f"channel {channel!r} needs a role", frame.id))
        else:
            self._peer.send(_error("NOT_FOUND", f"no channel {channel!r}", frame.id))

    def _subscribe(self, tour_id: str, id: wire.RequestId | UnsetType) -> None:
        # The first name narrows a connection that follows everything.
        names = frozenset() if self.tours is None else self.tours
        if not self._may_exist(tour_id):
            self._peer.send(_error("NOT_FOUND", f"no tour {tour_id!r}", id))
            return
        if tour_id not in names:
            if len(names) >= self._limits.subscriptions:
                self._peer.send(self._too_many(id))
                return
            # Before following less: what changed earlier in this turn is still owed.
            self._hub.follow(self._peer, names | {tour_id})
            if self.tours is None:
                self._peer.drop(None)
            self.tours = names | {tour_id}
        else:
            self._hub.flush()
        self._peer.send(wire.Subscribed(tour_id=tour_id, id=id))
        self._peer.offer(self._hub.truth.keys(frozenset((tour_id,))))

    def _unsubscribe(self, tour_id: str, id: wire.RequestId | UnsetType) -> None:
        if self.tours is None:
            reason = "this connection follows everything and names no tour"
            self._peer.send(_error("NOT_FOUND", reason, id))
            return
        if tour_id in self.tours:
            left = self.tours - {tour_id}
            self._hub.follow(self._peer, left)
            self._peer.drop(tour_id)
            self.tours = left
        self._peer.send(wire.Unsubscribed(tour_id=tour_id, id=id))

    def _too_many(self, id: wire.RequestId | UnsetType) -> wire.Error:
        return _error("TOO_MANY_SUBSCRIPTIONS", f"at most {self._limits.subscriptions}", id)

    def close(self) -> None:
        """The client is gone, or going: it is told nothing more."""
        self._hub.unfollow(self._peer)


_Code = Literal["INVALID_MESSAGE", "FORBIDDEN", "NOT_FOUND", "TOO_MANY_SUBSCRIPTIONS"]


def _error(code: _Code, detail: str, id: wire.RequestId | UnsetType = UNSET) -> wire.Error:
    return wire.Error(message=f"{wire.ERROR_MESSAGES[code]}: {detail}", code=code, id=id)


def _id_of(message: bytes) -> wire.RequestId | UnsetType:
    """Return the mark of a request that is otherwise wrong, so that its sender knows which one."""
    try:
        return _identified.decode(message).id
    except (ValueError, RecursionError):
        return UNSET
