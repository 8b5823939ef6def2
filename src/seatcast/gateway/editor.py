"""One client of a shared document: a room's peer over its WebSocket, which speaks y-websocket's protocol.

Its close codes are y-websocket's: 4400 to 4499 mean that it need not come back, everything else that it should.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from seatcast.domain import MAX_DOCUMENT_BYTES, MAX_UPDATE_BYTES
from seatcast.gateway.admission import Admission, Visitor
from seatcast.gateway.auth import Rejected
from seatcast.gateway.frames import BINARY
from seatcast.gateway.handshake import Accepted
from seatcast.gateway.limits import Rate
from seatcast.gateway.messages import Bounds, Kind, Message, frame
from seatcast.gateway.metrics import End
from seatcast.gateway.rooms import Room
from seatcast.gateway.websocket import WebSocket
from seatcast.rights import NEEDS, SOCKETS, may
from seatcast.tokens import LEEWAY_SECONDS, Identity
from seatcast.wire import CloseCode
from seatcast.yjs import awareness_message, awareness_update

if TYPE_CHECKING:
    from seatcast.gateway.documents import Documents

_ACT: Final = SOCKETS["/documents/{document_id}"]

BOUNDS: Final = Bounds(max_bytes=MAX_UPDATE_BYTES + 1024, binary=True)
"""What one message may be: an update of the largest size and what is around it."""

MAX_UNREAD_BYTES: Final = 2 * MAX_DOCUMENT_BYTES
"""What may wait for a client that does not read: a whole document, and as much again of changes."""

MESSAGES: Final = Rate(per_second=200, burst=2_000)
"""Stock clients send back what they are told of each other's cursors: a crowd's messages are many."""

KEEP_ALIVE_SECONDS: Final = 10.0
"""y-websocket gives a connection up over which nothing came for 30 s, and pings it does not see."""

SLOW_SECONDS: Final = 20.0
"""How long a client may take nothing at all of what waits for it."""

_ALIVE: Final = awareness_message(awareness_update([]))


class Editor:
    """One client. `identity` says for whom its token speaks, or why it is closed as soon as it is connected."""

    __slots__ = (
        "_admission",
        "_documents",
        "_identity",
        "_messages",
        "closing",
        "counts",
        "document_id",
        "expires",
        "paused",
        "room",
        "sent",
        "socket",
        "token",
        "visitor",
    )

    socket: WebSocket

    def __init__(
        self,
        documents: Documents,
        admission: Admission,
        visitor: Visitor,
        accepted: Accepted,
        identity: Identity | Rejected | None,
    ) -> None:
        self._documents = documents
        self._admission = admission
        self._identity = identity
        self._messages = 0.0
        self.visitor = visitor
        self.document_id = accepted.document or ""
        self.token = accepted.token or ""
        self.counts = accepted.saved
        self.room: Room | None = None
        self.expires: float | None = None
        """When its token ends, on the clock of the tokens; None: never."""
        self.closing: float | None = None
        """Since when it is being closed."""
        self.paused: float | None = None
        """Since when the client does not take what was written."""
        self.sent = 0.0
        """When something was last written, on the loop's clock."""

    # From the WebSocket

    def opening(self, websocket: WebSocket) -> None:
        """Let the client in, or send it away."""
        self.socket = websocket
        self._documents.connected(self)
        identity = self._identity
        if isinstance(identity, Rejected):
            self.close(identity.code, identity.reason)
        elif identity is None:
            self.close(CloseCode.UNAUTHENTICATED, "token: missing")
        elif not may(identity, _ACT):
            self.close(CloseCode.FORBIDDEN, f"this takes the role {NEEDS[_ACT]}")
        elif not self._admission.sign_in(self.visitor, identity.user):
            self.close(CloseCode.TRY_AGAIN_LATER, "too many connections")
        else:
            self.expires = identity.expires
            self.room = self._documents.enter(self)

    def opened(self) -> None:
        """Nothing has to be done."""

    def admits(self, message: Message) -> bool:
        """Return whether the limits let a message be acted on; whoever keeps on is closed."""
        if message.kind in (Kind.PING, Kind.PONG):
            wait = self._admission.control(self.visitor)
        else:
            now = self._documents.clock()
            wait = MESSAGES.wait(self._messages, now)
            self._messages = MESSAGES.take(self._messages, now)
            wait = math.inf if wait else 0.0
        if wait == math.inf:
            # A change that is left out would be missing in those that follow: better begin anew.
            self.close(CloseCode.TRY_AGAIN_LATER, "too many messages")
            self.socket.shun()
        return not wait

    def receive(self, message: Message) -> None:
        """Act on a message."""
        if message.kind is not Kind.BINARY:
            self.close(CloseCode.UNSUPPORTED_DATA, "binary messages expected")
        elif self.room is not None:
            self.room.receive(self, message.data)

    def pause_writing(self) -> None:
        """The client does not read: what is written waits, up to a bound."""
        self.paused = self._documents.clock()

    def resume_writing(self) -> None:
        """The client reads again."""
        self.paused = None
        self.socket.listen()

    def lost(self) -> None:
        """Leave nothing behind."""
        self._leave()
        self._admission.leave(self.visitor)
        self._documents.disconnected(self)

    # To the client

    def send(self, message: bytes) -> None:
        """Deliver a message that may not be left out; who lets too many wait is closed."""
        if self.closing is not None:
            return
        if self.paused is not None and self.unread > MAX_UNREAD_BYTES:
            self.close(CloseCode.TRY_AGAIN_LATER, "too slow")
            return
        self.sent = self._documents.clock()
        self.socket.write(frame(BINARY, message))

    def mention(self, message: bytes) -> None:
        """Deliver a message that may be left out while the client does not read."""
        if self.paused is None:
            self.send(message)

    @property
    def unread(self) -> int:
        """How many bytes wait for the client to read."""
        return self.socket.transport.get_write_buffer_size()

    def beat(self, now: float, tokens_now: float, heartbeat: float) -> None:
        """Do what is due by these clocks: send away who is late in any way, and let a sign of life go either way."""
        if self.closing is not None:
            return
        socket = self.socket
        if self.expires is not None and tokens_now >= self.expires + LEEWAY_SECONDS:
            self.close(CloseCode.UNAUTHENTICATED, "token: expired")
        elif self.paused is not None:
            if now - self.paused > SLOW_SECONDS:
                self.close(CloseCode.TRY_AGAIN_LATER, "too slow")
        elif socket.pinged:
            if now - socket.pinged >= heartbeat:
                # Not 4408, which would keep y-websocket from coming back.
                self.close(CloseCode.TRY_AGAIN_LATER, "no pong")
        elif now - socket.seen >= heartbeat:
            socket.ping()
        if now - self.sent >= KEEP_ALIVE_SECONDS:
            self.mention(_ALIVE)

    # The end

    def _leave(self) -> None:
        room, self.room = self.room, None
        if room is not None:
            room.leave(self)

    def close(self, code: int, reason: str, why: End = "peer") -> None:
        """Begin the closing handshake; the sweep aborts it when the client does not answer."""
        if self.closing is None:
            self.closing = self._documents.clock()
            self._documents.metrics.document_closed += 1
            self._leave()
            self.socket.close(code, reason)

    def abort(self) -> None:
        """End it now."""
        self.socket.abort()
