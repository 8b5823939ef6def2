"""One client: its session over its WebSocket, and what waits while it does not read.

A client that is behind (its socket took no more) is written nothing: `slots.py` has what it is owed, in bounded
memory. Of what may not be left out only so much waits, past which the connection is closed. While a client is
behind its messages are not read either, and its pings not answered, so that it cannot fill our memory with
answers.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from seatcast import wire
from seatcast.gateway.admission import Visitor
from seatcast.gateway.auth import Rejected
from seatcast.gateway.facts import Key
from seatcast.gateway.handshake import Accepted
from seatcast.gateway.messages import Kind, Message, text_frame
from seatcast.gateway.metrics import Drop, End
from seatcast.gateway.session import Session
from seatcast.gateway.slots import Owed
from seatcast.gateway.websocket import WebSocket
from seatcast.tokens import Identity
from seatcast.wire import CloseCode

if TYPE_CHECKING:
    from seatcast.gateway.server import Server


class Connection:
    """One client. `identity` says for whom its token speaks, or why it is closed as soon as it is connected."""

    __slots__ = (
        "_greeting",
        "_server",
        "closing",
        "owed",
        "paused",
        "session",
        "socket",
        "visitor",
    )

    socket: WebSocket

    def __init__(
        self, server: Server, visitor: Visitor, accepted: Accepted, identity: Identity | Rejected | None
    ) -> None:
        self._server = server
        self.visitor = visitor
        self._greeting: tuple[Accepted, Identity | Rejected | None] | None = (accepted, identity)
        self.session = Session(self, server.shared)
        self.closing = False
        self.paused = False
        self.owed: Owed | None = None
        """What waits while the client is behind; None while it is not."""

    # From the WebSocket

    def opening(self, websocket: WebSocket) -> None:
        """Greet the client, or send it away."""
        self.socket = websocket
        self._server.connected(self)
        assert self._greeting is not None  # noqa: S101 - for the type checker: it opens once
        (accepted, identity), self._greeting = self._greeting, None
        if isinstance(identity, Rejected):
            self.close(*identity)
            return
        if isinstance(identity, Identity) and not self._signs_in(identity):
            return
        self.session.open(
            self._server.connection_id(),
            identity=identity,
            token=accepted.token,
            language=accepted.language,
            tours=accepted.tours,
            stale=self._server.stale,
            since=accepted.since,
        )
        self.identified()

    def opened(self) -> None:
        """Be told of changes by the shortest way, unless the first frames were already too many."""
        self._route()

    def _route(self) -> None:
        direct = self.owed is None and not self.closing
        self._server.hub.route(self, self.socket.send if direct else None)

    def admits(self, message: Message) -> bool:
        """Return whether the limits let a message, ping or pong be acted on; whoever keeps on is closed."""
        admission, control = self._server.admission, message.kind in (Kind.PING, Kind.PONG)
        wait = admission.control(self.visitor) if control else admission.message(self.visitor)
        if not wait:
            return True
        self._server.metrics.client_messages_refused["control" if control else "message"] += 1
        if wait == math.inf:
            self.close(CloseCode.RATE_LIMITED, "rate limit exceeded", "rate limited")
            self.socket.shun()
        elif not control:
            self.session.refuse(message.data, wait)
        return False

    def receive(self, message: Message) -> None:
        """Act on a message."""
        self._server.metrics.client_messages += 1
        self.session.receive(message.data)

    def lost(self) -> None:
        """Leave nothing behind."""
        self.session.close()
        self._server.disconnected(self)
        self._forgo("gone")
        self.closing = True
        # These know it in turn: apart, all of them are freed now and not when the collector comes round.
        del self.session, self.socket

    def pause_writing(self) -> None:
        """Owe from now on what is to be told."""
        self.paused = True
        if self.owed is None:
            self.owed = Owed()
            self._route()

    def resume_writing(self) -> None:
        """Pay what is owed."""
        self.paused = False
        if self.owed is not None and not self.closing:
            # What changed lately becomes a slot too: paid now, and not told again with the next flush.
            self._server.hub.settle(self)
            self._pay(self.owed)

    def identified(self) -> bool:
        """AUTH changed whom the session speaks for, or until when; return whether it may go on."""
        identity = self.session.identity
        if isinstance(identity, Identity) and not self._signs_in(identity):
            return False
        self._server.watch(self)
        return True

    def _signs_in(self, identity: Identity) -> bool:
        if self._server.admission.sign_in(self.visitor, identity.user):
            return True
        self.close(CloseCode.TRY_AGAIN_LATER, "too many connections", "user connections")
        return False

    # To the client

    def send(self, frame: wire.ServerFrame) -> None:
        """Deliver a message that may not be left out; a client that lets too many wait is closed."""
        self.push(text_frame(wire.encode(frame)))

    def push(self, data: bytes, frames: int = 1) -> None:
        """As `send`, already framed; several frames count as one message."""
        if self.closing:
            return
        if self.owed is None:
            self.tell(data, frames)
        elif not self.owed.push(data):
            self._give_up(self.owed)

    def offer(self, keys: Sequence[Key]) -> None:
        """Deliver the state to start from under these keys."""
        if self.closing:
            return
        if self.owed is None:
            self.tell(*self._server.initial(keys))
        else:
            self.owed.offer(keys, self._server.clock())

    def drop(self, tour_id: str | None, why: Drop = "unsubscribed") -> None:
        """Owe nothing more under this tour's keys; None: under any."""
        if self.owed is not None:
            self._server.metrics.dropped[why] += self.owed.drop(tour_id)

    def keep(self, tour_id: str) -> None:
        """Owe nothing more under any other tour's keys."""
        if self.owed is not None:
            self._server.metrics.dropped["unsubscribed"] += self.owed.keep(tour_id)

    def notify(self, kind: str, notice: bytes) -> None:
        """Deliver what everybody is told, and of which only the last of a kind matters."""
        if self.closing:
            return
        if self.owed is None:
            self.tell(notice, 1)
        else:
            replaced = self.owed.notify(kind, notice)
            if replaced is None:
                self._give_up(self.owed)
            else:
                self._server.metrics.conflated += replaced

    def _give_up(self, owed: Owed) -> None:
        """Too much waits that may not be left out."""
        self._server.metrics.dropped["queue full"] += len(owed.answers) + 1
        owed.answers.clear()
        self.close(CloseCode.TRY_AGAIN_LATER, "too slow", "too slow")

    def hold(self, *, silent: bool) -> None:
        """Read nothing more from the client until `release`; and tell it nothing, if `silent`."""
        self.socket.behind = True
        if silent:
            self.owed = Owed()

    def release(self, tell: Callable[[], None], *, silent: bool) -> None:
        """Go on, after `hold`, with what `tell` tells. It is not called for a client that is gone."""
        if self.closing:
            return
        waiting = self.owed if silent else None
        if silent:
            self.owed = Owed() if self.paused else None
        tell()
        if waiting is not None:
            for answer in waiting.answers:
                self.push(answer)
            for kind, notice in waiting.notices.items():
                self.notify(kind, notice)
        if self.owed is None and not self.closing:
            self._route()
            self.socket.listen()

    def tell(self, data: bytes, frames: int) -> None:
        """Write so many whole frames to a client that is not behind."""
        self._server.metrics.frames += frames
        self._server.metrics.frame_bytes += len(data)
        self.socket.write(data)

    def _pay(self, owed: Owed) -> None:
        """The client reads again: write what it is owed, as long as it takes it."""
        while not self.paused:
            frames = owed.take(self._server.render)
            if not frames:
                self.owed = None
                self._route()
                self.socket.listen()
                return
            self.tell(b"".join(frames), len(frames))

    def _forgo(self, why: Drop) -> None:
        """Owe nothing any more: the client is gone, or going."""
        if self.owed is not None:
            self._server.metrics.dropped[why] += len(self.owed)
        self.owed = None

    # The end

    def close(self, code: int, reason: str, why: End) -> None:
        """Begin the closing handshake; the server's sweep aborts it when the peer does not answer.

        Answers that wait are sent first, states are not: the client will be given newer ones elsewhere.
        """
        if self.closing:
            return
        self.closing = True
        self.session.close()
        self._server.closing(self, why)
        if self.owed is not None:
            self.tell(b"".join(self.owed.answers), len(self.owed.answers))
            self.owed.answers.clear()
            self._forgo("closing")
        self.socket.close(code, reason)

    def abort(self, why: End = "gone") -> None:
        """End it now, without what still waits to be written: a peer that does not read would keep us for ever."""
        if not self.closing:
            self.closing = True
            self._server.metrics.closed[why] += 1
        self.socket.abort()

    def unreachable(self) -> bool:
        """Return whether the peer's machine no longer answers ours, although the peer may owe us nothing.

        A client that does not read cannot answer pings, but its kernel acknowledges: what matters is whether
        retransmissions or probes of a closed window stay unanswered (`struct tcp_info`, bytes 2 and 3).
        """
        sock = self.socket.transport.get_extra_info("socket")
        try:
            retransmits, probes = struct.unpack_from("2B", sock.getsockopt(_IPPROTO_TCP, _TCP_INFO, 8), 2)
        except OSError:
            return True
        return bool(retransmits > 2 or probes > 2)


_IPPROTO_TCP: Final = 6
_TCP_INFO: Final = 11
