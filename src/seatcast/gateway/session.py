"""One client's protocol, without sockets, loop or clock: CONTRACT 1 between WELCOME and the close.

Order of answers: WELCOME, STALE if the source is lost, then INITIAL_STATEs; SUBSCRIBED, then its
INITIAL_STATE, so that a client knows what the state answers. A tour that is known to be closed is answered with its
TOUR_CLOSED instead. While no whole catalogue was ever read (just started, or no source of snapshots) an unknown
tour may be followed: its first frame comes when it is heard of. Nothing that a client says closes its connection.

Where authentication is required and the handshake brought no token, WELCOME comes all the same, then an ERROR
UNAUTHENTICATED as the answer to everything but a valid AUTH; until then the client follows nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, Protocol

import msgspec
from msgspec import UNSET, Struct, UnsetType

from seatcast import wire
from seatcast.domain import iso
from seatcast.gateway.cursor import place
from seatcast.gateway.facts import Key
from seatcast.gateway.hub import Hub
from seatcast.gateway.selection import choose, error_frame, may_exist, too_many
from seatcast.rights import NEEDS, Act, may
from seatcast.text import text
from seatcast.tokens import Identity, InvalidToken, KeysUnavailable

RETRY_AUTH_MS: Final = 2_000
"""When to send AUTH again if the key of its token could not be had."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one session may do, and what it is told."""

    follow_all: int = 2_000
    """Departures in the catalogue up to which a new connection follows everything."""
    subscriptions: int = 500
    heartbeat_seconds: float = 20.0
    auth_required: bool = False
    """Whether a client without a token follows nothing and has to send AUTH."""
    auth_seconds: float = 5.0
    """How long such a client may take."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all sessions of a gateway have in common, and each keeps in one place."""

    hub: Hub
    limits: Limits
    now: Callable[[], str]
    """Returns the present as the wire writes it."""
    verify: Callable[[str], Identity]
    """Returns whom a token speaks for, or raises `InvalidToken` or `KeysUnavailable`."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody who has to say who they are first. `tours` is what they asked to follow then."""

    tours: Sequence[str] | None


class Peer(Protocol):
    """The other end: takes what the client has to be told. Told apart by identity; it is the hub's follower."""

    def __hash__(self) -> int: ...

    def send(self, frame: wire.ServerFrame) -> None:
        """Deliver a message that may not be left out, after everything sent before."""

    def offer(self, keys: Sequence[Key]) -> None:
        """Deliver the newest state under these keys, now or when the client reads again."""

    def drop(self, tour_id: str | None) -> None:
        """Deliver nothing more that waits under this tour's keys; None: under any."""

    def identified(self) -> bool:
        """AUTH changed whom the session speaks for, or until when; return False where it was closed for it."""


class _Identified(Struct):
    id: wire.RequestId | UnsetType = UNSET


_identified = msgspec.json.Decoder(_Identified)


class Session:
    """One client, from `open` to `close`."""

    __slots__ = ("_peer", "_shared", "identity", "tours")

    def __init__(self, peer: Peer, shared: Shared) -> None:
        self._peer = peer
        self._shared = shared
        self.identity: Identity | Stranger | None = None
        """Whom the client speaks for; None for nobody in particular."""
        self.tours: frozenset[str] | None = frozenset()
        """What is followed; None: everything."""

    @property
    def _hub(self) -> Hub:
        return self._shared.hub

    @property
    def _limits(self) -> Limits:
        return self._shared.limits

    def open(
        self,
        connection_id: str,
        *,
        identity: Identity | None = None,
        language: str = "fr",
        tours: Sequence[str] | None = None,
        stale: wire.Stale | None = None,
        cursor: str | None = None,
    ) -> None:
        """Greet the client and start it off. `tours` are the ones it named in the address, None for no names;
        `cursor` says what it was told before: if that can be continued, it is told no more than what is new.
        """
        # Before the epoch is told: others are told of a new one first, and this client not twice.
        self._hub.settle(self._peer)
        self.identity = identity
        if identity is None and self._limits.auth_required:
            self.identity = Stranger(tours)
            refused = [error_frame("UNAUTHENTICATED", f"send AUTH within {self._limits.auth_seconds:g} s")]
        else:
            refused = self._choose(tours, cursor)
        news = self._news(cursor)
        self._peer.send(
            wire.Welcome(
                message=text(language, "gateway.welcome"),
                connection_id=connection_id,
                protocol=wire.PROTOCOL,
                server_time=self._shared.now(),
                heartbeat_seconds=self._limits.heartbeat_seconds,
                epoch=self._hub.truth.epoch,
                following=self._following,
                user_id=UNSET if identity is None else identity.user,
                resumed=UNSET if news is None else True,
            )
        )
        if stale is not None:
            self._peer.send(stale)
        self._start(refused, news)

    def _news(self, cursor: str | None) -> Sequence[Key] | None:
        """Return what changed since a cursor; None where it cannot be told, so that everything has to be."""
        truth = self._hub.truth
        known = place(truth, self.tours, cursor)
        return None if known is None else truth.history.since(known, self.tours)

    @property
    def _following(self) -> Literal["all", "named"]:
        return "all" if self.tours is None else "named"

    def _choose(self, tours: Sequence[str] | None, cursor: str | None = None) -> list[wire.Error]:
        """Set what is to be followed, given the names in the address; returns what cannot be."""
        limits = self._limits
        self.tours, refused = choose(
            self._hub.truth, tours, follow_all=limits.follow_all, most=limits.subscriptions, cursor=cursor
        )
        return refused

    def _start(self, refused: list[wire.Error], news: Sequence[Key] | None = None) -> None:
        """Begin to follow, with the state of everything followed or with `news` alone."""
        for error in refused:
            self._peer.send(error)
        self._hub.follow(self._peer, self.tours)
        self._peer.offer(self._hub.truth.keys(self.tours) if news is None else news)

    def receive(self, message: bytes) -> None:
        """Act on one text message and answer it."""
        try:
            frame = wire.decode_client(message)
        except ValueError as error:
            self._peer.send(error_frame("INVALID_MESSAGE", _short(str(error)), _id_of(message)))
            return
        if isinstance(frame, wire.Auth):
            self._authenticate(frame)
        elif isinstance(self.identity, Stranger):
            self._peer.send(error_frame("UNAUTHENTICATED", "send AUTH first", frame.id))
        elif isinstance(frame, wire.Ping):
            self._peer.send(wire.Pong(server_time=self._shared.now(), id=frame.id))
        elif isinstance(frame.channel, str):
            self._channel(frame, frame.channel)
        elif isinstance(frame.tour_id, str):
            if isinstance(frame, wire.Subscribe):
                self._subscribe(frame.tour_id, frame.id)
            else:
                self._unsubscribe(frame.tour_id, frame.id)

    def refuse(self, message: bytes, wait_seconds: float) -> None:
        """Answer a message that comes too soon after others, and is not acted on."""
        self._peer.send(
            wire.Error(
                message=wire.ERROR_MESSAGES["RATE_LIMITED"],
                code="RATE_LIMITED",
                id=_id_of(message),
                retry_after_ms=math.ceil(wait_seconds * 1_000),
            )
        )

    def _authenticate(self, frame: wire.Auth) -> None:
        """Take the client for whom its token speaks for. A token that is refused changes nothing."""
        try:
            identity = self._shared.verify(frame.token)
        except InvalidToken as error:
            self._peer.send(error_frame("UNAUTHENTICATED", f"token: {error}", frame.id))
            return
        except KeysUnavailable as unavailable:
            detail = f"{wire.ERROR_MESSAGES['INTERNAL']}: token: {unavailable}"
            self._peer.send(
                wire.Error(message=detail, code="INTERNAL", id=frame.id, retry_after_ms=RETRY_AUTH_MS)
            )
            return
        before = self.identity
        if isinstance(before, Identity) and identity.user != before.user:
            # What was delivered, and what counts against its limits, was the other's.
            self._peer.send(error_frame("FORBIDDEN", "this connection belongs to another user", frame.id))
            return
        self.identity = identity
        if not self._peer.identified():
            return
        self._hub.settle(self._peer)
        refused = self._choose(before.tours) if isinstance(before, Stranger) else []
        expires = identity.expires
        self._peer.send(
            wire.Authenticated(
                user_id=identity.user,
                following=self._following,
                expires_at=UNSET if expires is None else iso(datetime.fromtimestamp(expires, UTC)),
                id=frame.id,
            )
        )
        if isinstance(before, Stranger):
            self._start(refused)

    def _channel(self, frame: wire.Subscribe | wire.Unsubscribe, channel: str) -> None:
        """Refuse a channel: by role, and where the role is there because nothing is told on it yet."""
        act = _act(channel)
        known = None if isinstance(self.identity, Stranger) else self.identity
        if act is None or may(known, act):
            self._peer.send(error_frame("NOT_FOUND", f"no channel {channel!r}", frame.id))
        else:
            self._peer.send(
                error_frame("FORBIDDEN", f"channel {channel!r} needs the role {NEEDS[act]}", frame.id)
            )

    def _subscribe(self, tour_id: str, id: wire.RequestId | UnsetType) -> None:
        # The first name narrows a connection that follows everything.
        names = frozenset() if self.tours is None else self.tours
        if not may_exist(self._hub.truth, tour_id):
            self._peer.send(error_frame("NOT_FOUND", f"no tour {tour_id!r}", id))
            return
        if tour_id not in names:
            if len(names) >= self._limits.subscriptions:
                self._peer.send(too_many(self._limits.subscriptions, id))
                return
            # Before following less: what changed earlier in this turn is still owed.
            self._hub.follow(self._peer, names | {tour_id})
            if self.tours is None:
                self._peer.drop(None)
            self.tours = names | {tour_id}
        else:
            self._hub.settle(self._peer)
        self._peer.send(wire.Subscribed(tour_id=tour_id, id=id))
        self._peer.offer(self._hub.truth.keys(frozenset((tour_id,))))

    def _unsubscribe(self, tour_id: str, id: wire.RequestId | UnsetType) -> None:
        if self.tours is None:
            reason = "this connection follows everything and names no tour"
            self._peer.send(error_frame("NOT_FOUND", reason, id))
            return
        if tour_id in self.tours:
            left = self.tours - {tour_id}
            self._hub.follow(self._peer, left)
            self._peer.drop(tour_id)
            self.tours = left
        self._peer.send(wire.Unsubscribed(tour_id=tour_id, id=id))

    def close(self) -> None:
        """The client is gone, or going: it is told nothing more."""
        self._hub.unfollow(self._peer)


def _act(channel: str) -> Act | None:
    """Return what following a channel takes; None for one that does not exist."""
    if channel == "metrics":
        return "follow metrics"
    return "edit documents" if channel.startswith("document:") and channel != "document:" else None


def _short(detail: str) -> str:
    """Return a text of bounded size that keeps its end, where the field is named."""
    return detail if len(detail) <= 300 else f"{detail[:200]}...{detail[-90:]}"


def _id_of(message: bytes) -> wire.RequestId | UnsetType:
    """Return the mark of a request that is otherwise wrong, so that its sender knows which one."""
    try:
        return _identified.decode(message).id
    except (ValueError, RecursionError):
        return UNSET
