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
from collections.abc import Sequence
from typing import Final, Literal

from msgspec import UNSET, UnsetType

from seatcast import wire
from seatcast.gateway import beyond_tours, correspondence, signing_in
from seatcast.gateway.channels import SUPPORT
from seatcast.gateway.correspondence import Resumed
from seatcast.gateway.cursor import place
from seatcast.gateway.facts import Key
from seatcast.gateway.hub import Hub
from seatcast.gateway.refusals import error_frame, mark_of, short, too_many
from seatcast.gateway.selection import choose, may_exist
from seatcast.gateway.shared import Limits, Peer, Shared, Stranger
from seatcast.message_frames import MessageEvent
from seatcast.text import LANGUAGES, Language, text
from seatcast.tokens import Identity
from seatcast.wire_messages import TypeChat

# One for everybody: each `frozenset()` is another object, of 216 bytes.
_NONE: Final[frozenset[str]] = frozenset()


class Session:
    """One client, from `open` to `close`."""

    __slots__ = ("channels", "identity", "language", "peer", "shared", "token", "told", "tours")

    def __init__(self, peer: Peer, shared: Shared) -> None:
        self.peer = peer
        self.shared = shared
        self.identity: Identity | Stranger | None = None
        """Whom the client speaks for; None for nobody in particular."""
        self.tours: frozenset[str] | None = _NONE
        """What is followed; None: everything."""
        self.channels: frozenset[str] = _NONE
        """Which channels are followed."""
        self.language: Language = LANGUAGES[0]
        self.token: str | None = None
        """Of whom the client speaks for: commands are carried out in their name. Never logged."""
        self.told = False
        """Whether any message for its user was told to it."""

    @property
    def user(self) -> str | None:
        """The id of whom the client speaks for."""
        return self.identity.user if isinstance(self.identity, Identity) else None

    @property
    def _hub(self) -> Hub:
        return self.shared.hub

    @property
    def _limits(self) -> Limits:
        return self.shared.limits

    def open(
        self,
        connection_id: str,
        *,
        identity: Identity | None = None,
        token: str | None = None,
        language: Language = LANGUAGES[0],
        tours: Sequence[str] | None = None,
        stale: wire.Stale | None = None,
        cursor: str | None = None,
        since: str | None = None,
    ) -> None:
        """Greet the client and start it off. `tours` are the ones it named in the address, None for no names;
        `cursor` says what it was told before: if that can be continued, it is told no more than what is new.
        `since` are the last messages for its user that it has: it is told first what it missed since.
        """
        self.identity = identity
        self.language = language
        if identity is None:
            self._greet(connection_id, tours, stale, cursor, UNSET if since is None else False)
            return
        self.token = token

        def greet(resumed: Resumed, missed: Sequence[MessageEvent]) -> None:
            self._greet(connection_id, tours, stale, cursor, resumed)
            correspondence.deliver(self, missed)

        correspondence.welcome_agent(self)
        correspondence.follow(self, correspondence.ids_of(since), greet, silent=True)

    def _greet(
        self,
        connection_id: str,
        tours: Sequence[str] | None,
        stale: wire.Stale | None,
        cursor: str | None,
        resumed: Resumed,
    ) -> None:
        shared = self.shared
        hub, limits = shared.hub, shared.limits
        # Before the epoch is told: others are told of a new one first, and this client not twice.
        hub.settle(self.peer)
        if self.identity is None and limits.auth_required:
            self.identity = Stranger(tours)
            refused = [error_frame("UNAUTHENTICATED", f"send AUTH within {limits.auth_seconds:g} s")]
        else:
            refused = self.choose(tours, cursor)
        news = self._news(cursor)
        self.peer.send(
            wire.Welcome(
                message=text(self.language, "gateway.welcome"),
                connection_id=connection_id,
                protocol=wire.PROTOCOL,
                server_time=shared.now(),
                heartbeat_seconds=limits.heartbeat_seconds,
                epoch=hub.truth.epoch,
                following=self.following,
                user_id=UNSET if self.user is None else self.user,
                resumed=resumed if news is None else True,
            )
        )
        if stale is not None:
            self.peer.send(stale)
        self.start(refused, news)
        beyond_tours.greet(self)

    def _news(self, cursor: str | None) -> Sequence[Key] | None:
        """Return what changed since a cursor; None where it cannot be told, so that everything has to be."""
        if cursor is None:
            return None
        truth = self._hub.truth
        known = place(truth, self.tours, cursor)
        return None if known is None else truth.history.since(known, self.tours)

    @property
    def following(self) -> Literal["all", "named"]:
        """What is followed, as the wire says it."""
        return "all" if self.tours is None else "named"

    def choose(self, tours: Sequence[str] | None, cursor: str | None = None) -> list[wire.Error]:
        """Set what is to be followed, given the names in the address; returns what cannot be."""
        limits = self._limits
        self.tours, refused = choose(
            self._hub.truth, tours, follow_all=limits.follow_all, most=limits.subscriptions, cursor=cursor
        )
        return refused

    def start(self, refused: list[wire.Error], news: Sequence[Key] | None = None) -> None:
        """Begin to follow, with the state of everything followed or with `news` alone."""
        hub, peer = self.shared.hub, self.peer
        for error in refused:
            peer.send(error)
        hub.follow(peer, self.tours)
        peer.offer(hub.truth.keys(self.tours) if news is None else news)

    def receive(self, message: bytes) -> None:
        """Act on one text message and answer it."""
        try:
            frame = wire.decode_client(message)
        except ValueError as error:
            self.peer.send(error_frame("INVALID_MESSAGE", short(str(error)), mark_of(message)))
            return
        if isinstance(frame, wire.Auth):
            signing_in.authenticate(self, frame)
        elif isinstance(self.identity, Stranger):
            self.peer.send(error_frame("UNAUTHENTICATED", "send AUTH first", frame.id))
        elif isinstance(frame, wire.Ping):
            self.peer.send(wire.Pong(server_time=self.shared.now(), id=frame.id))
        elif isinstance(frame, TypeChat):
            beyond_tours.typing(self, frame)
        elif not isinstance(frame, wire.Subscribe | wire.Unsubscribe):
            beyond_tours.command(self, frame)
        elif isinstance(frame.channel, str):
            if isinstance(frame, wire.Subscribe):
                self._resume(frame)
            else:
                beyond_tours.leave(self, frame.channel, frame.id)
        elif isinstance(frame.tour_id, str):
            if isinstance(frame, wire.Subscribe):
                self._resume(frame)
            else:
                self._unsubscribe(frame.tour_id, frame.id)

    def _resume(self, frame: wire.Subscribe) -> None:
        """Act on a SUBSCRIBE, once it is known what was missed if it asks for that."""

        def subscribe(resumed: Resumed, missed: Sequence[MessageEvent]) -> None:
            if isinstance(frame.channel, str):
                beyond_tours.enter(self, frame.channel, frame.id, resumed)
            elif isinstance(frame.tour_id, str):
                self._subscribe(frame.tour_id, frame.id, resumed)
            correspondence.deliver(self, missed)

        if frame.since is UNSET:
            subscribe(UNSET, ())
        else:
            if frame.channel == SUPPORT:
                # Before it is followed: what it brings is told from where the client was.
                correspondence.welcome_agent(self)
            correspondence.follow(self, correspondence.ids_of(frame.since), subscribe)

    def refuse(self, message: bytes, wait_seconds: float) -> None:
        """Answer a message that comes too soon after others, and is not acted on."""
        self.peer.send(
            wire.Error(
                message=wire.ERROR_MESSAGES["RATE_LIMITED"],
                code="RATE_LIMITED",
                id=mark_of(message),
                retry_after_ms=math.ceil(wait_seconds * 1_000),
            )
        )

    def _subscribe(self, tour_id: str, id: wire.RequestId | UnsetType, resumed: Resumed) -> None:
        # The first name narrows a connection that follows everything.
        names = frozenset() if self.tours is None else self.tours
        if not may_exist(self._hub.truth, tour_id):
            self.peer.send(error_frame("NOT_FOUND", f"no tour {tour_id!r}", id))
            return
        if tour_id not in names:
            if len(names) >= self._limits.subscriptions:
                self.peer.send(too_many(self._limits.subscriptions, id))
                return
            # Before following less: what changed earlier in this turn is still owed.
            self._hub.follow(self.peer, names | {tour_id})
            if self.tours is None:
                # What waits of this tour stays: that a departure of it was closed is in no state to start from.
                self.peer.keep(tour_id)
            self.tours = names | {tour_id}
        else:
            self._hub.settle(self.peer)
        self.peer.send(wire.Subscribed(tour_id=tour_id, id=id, resumed=resumed))
        self.peer.offer(self._hub.truth.keys(frozenset((tour_id,))))

    def _unsubscribe(self, tour_id: str, id: wire.RequestId | UnsetType) -> None:
        if self.tours is None:
            reason = "this connection follows everything and names no tour"
            self.peer.send(error_frame("NOT_FOUND", reason, id))
            return
        if tour_id in self.tours:
            left = self.tours - {tour_id}
            self._hub.follow(self.peer, left)
            self.peer.drop(tour_id)
            self.tours = left
        self.peer.send(wire.Unsubscribed(tour_id=tour_id, id=id))

    def close(self) -> None:
        """The client is gone, or going: it is told nothing more."""
        self._hub.unfollow(self.peer)
        correspondence.leave(self)
        beyond_tours.close(self)
