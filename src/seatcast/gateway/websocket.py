"""One WebSocket after its handshake, as RFC 6455 has it, whatever is said over it.

Bytes become messages; pings are answered, and not while the peer does not read; a CLOSE is answered; who breaks
the protocol is sent a CLOSE and not listened to any more. A peer may send what it likes: only a few of its frames
are worked on before it is another's turn, and it is not read from while some wait, or while it does not read itself.
The end of the connection comes from the peer, or from the server's sweep soon after.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final, Protocol

import structlog

from seatcast.gateway.backlog import Backlog
from seatcast.gateway.frames import PING, PONG, Frames, Violation
from seatcast.gateway.hub import Way
from seatcast.gateway.messages import Assembler, Bounds, Kind, Message, close_frame, frame
from seatcast.gateway.metrics import End
from seatcast.wire import CloseCode

log = structlog.get_logger(__name__)

FRAMES_AT_ONCE: Final = 4
"""Frames of one peer worked on before it is another's turn."""

MAX_IGNORED_BYTES: Final = 256 * 1024
"""Of a peer that is not listened to any more, what is read all the same, to see it end the connection itself."""


class Owner(Protocol):
    """Whose WebSocket it is."""

    def opening(self, websocket: WebSocket) -> None:
        """The handshake succeeds: what is written now leaves together with its answer."""

    def opened(self) -> None:
        """The handshake was answered."""

    def admits(self, message: Message) -> bool:
        """Return whether a message, ping or pong is acted on; asked before all else. Whoever refuses also
        answers, and closes and shuns who keeps on.
        """

    def receive(self, message: Message) -> None:
        """Act on a TEXT or BINARY message."""

    def close(self, code: int, reason: str, why: End) -> None:
        """The peer has closed, broken the protocol, or run into an error of ours: call `WebSocket.close`."""

    def pause_writing(self) -> None:
        """The peer does not take what was written. What it sends is not acted on until `WebSocket.listen`."""

    def resume_writing(self) -> None:
        """The peer has taken everything that was written."""

    def lost(self) -> None:
        """The connection is no more."""


class WebSocket(asyncio.Protocol):
    """The protocol that takes over a transport once its handshake is answered."""

    __slots__ = (
        "_assembler",
        "_backlog",
        "_frames",
        "_ignored",
        "_opening",
        "_owner",
        "_reading",
        "_socket",
        "_waiting",
        "behind",
        "closing",
        "pinged",
        "seen",
        "send",
        "transport",
    )

    def __init__(self, owner: Owner, transport: asyncio.Transport, bounds: Bounds, backlog: Backlog) -> None:
        self._owner = owner
        self._backlog = backlog
        self._frames = Frames(bounds.max_bytes)
        self._assembler = Assembler(bounds)
        self._reading = True
        self._waiting = False
        # None while the peer is listened to; then how many of its bytes were ignored.
        self._ignored: int | None = None
        self.transport = transport
        # What is written before the connection is open leaves with the handshake's answer, in one piece.
        self._opening: list[bytes] | None = None
        # The transport's own file descriptor, which is the transport's to close; for send() the family does not matter.
        sock: Any = transport.get_extra_info("socket")
        self._socket = socket.SocketType(socket.AF_INET, socket.SOCK_STREAM, 0, sock.fileno())
        self.send: Way = self._socket.send
        """The shortest way to the kernel, past the transport: only for whoever is open, not behind and not closing."""
        self.closing = False
        """Our CLOSE was sent."""
        self.behind = False
        """The peer does not read, or has not been given yet what waited for it."""
        self.seen = backlog.time()
        """When the peer last sent anything, on the loop's clock."""
        self.pinged = 0.0
        """When the ping was sent that is not answered yet; 0 while there is none."""

    def start(self, answer: bytes, data: bytes) -> None:
        """Begin, once this is the transport's protocol: `answer` goes to the handshake, `data` is what came after it."""
        # From here on the first byte that the kernel refuses pauses us.
        self.transport.set_write_buffer_limits(0)
        opening = self._opening = [answer]
        try:
            try:
                self._owner.opening(self)
            finally:
                self._opening = None
                # As one piece also here: for several, uvloop makes a request of libuv, and a turn of the loop.
                self.transport.write(b"".join(opening))
            self._owner.opened()
        except Exception:
            log.exception("A connection failed")
            self._end(CloseCode.INTERNAL_ERROR, "", "error")
        if data:
            self.data_received(data)

    # From the loop

    def data_received(self, data: bytes) -> None:
        if self._ignored is not None:
            self._ignored += len(data)
            self._regulate()
            return
        self.seen = self._backlog.time()
        self._frames.feed(data)
        if self._waiting:
            return
        if self._backlog.admits():
            self.work()
        else:
            self._wait()
            self._regulate()

    def pause_writing(self) -> None:
        self.behind = True
        self._owner.pause_writing()

    def resume_writing(self) -> None:
        self._owner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self._ignored = MAX_IGNORED_BYTES
        # By the time somebody could use it, the file descriptor may be another's.
        self._socket.detach()
        self._owner.lost()

    # From the peer

    def listen(self) -> None:
        """Act on what the peer sends, again: it has been given what waited for it."""
        # It could not answer meanwhile: its heartbeat begins anew.
        self.behind, self.seen, self.pinged = False, self._backlog.time(), 0.0
        self._wait()

    def _wait(self) -> None:
        if not self._waiting:
            self._waiting = True
            self._backlog.add(self)

    def work(self) -> None:
        """Act on the frames that are there: a few, then the others' turn."""
        self._waiting = False
        try:
            for _ in range(FRAMES_AT_ONCE):
                if self.behind or self._ignored is not None:
                    break
                piece = self._frames.next()
                if piece is None:
                    break
                message = self._assembler.receive(piece)
                if message is not None:
                    self._act(message)
            else:
                if self.closing:
                    # It had our CLOSE and goes on: its own is not worth waiting for.
                    self.shun()
                self._wait()
        except Violation as violation:
            self._end(violation.code, violation.reason, "violation")
        except Exception:
            log.exception("A connection failed")
            self._end(CloseCode.INTERNAL_ERROR, "", "error")
        self._regulate()

    def _act(self, message: Message) -> None:
        kind = message.kind
        if kind is Kind.CLOSE:
            self._end(message.code, "", "peer")
        elif self.closing or not self._owner.admits(message):
            return
        elif kind is Kind.PING:
            self.write(frame(PONG, message.data))
        elif kind is Kind.PONG:
            self.pinged = 0.0
        else:
            self._owner.receive(message)

    def _regulate(self) -> None:
        """Read from the peer, or do not."""
        reading = not (self.behind or self._waiting or (self._ignored or 0) >= MAX_IGNORED_BYTES)
        if reading is not self._reading and not self.transport.is_closing():
            self._reading = reading
            (self.transport.resume_reading if reading else self.transport.pause_reading)()

    # To the peer

    def write(self, frames: bytes) -> None:
        """Write whole frames. What the kernel does not take waits, and pauses us."""
        if self._opening is not None:
            self._opening.append(frames)
        elif frames and not (self.closing or self.transport.is_closing()):
            self.transport.write(frames)

    def ping(self) -> None:
        """Ask for a sign of life."""
        self.pinged = self._backlog.time()
        self.write(frame(PING, b""))

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake, or answer the peer's. Nothing is written after it."""
        if not self.closing:
            self.write(close_frame(code, reason))
            self.closing = True

    def shun(self) -> None:
        """Listen to the peer no more, after `close`: it sees the end of the stream, and has to end its own.

        Closing outright with bytes unread would make the kernel reset the connection, and the peer lose the CLOSE.
        """
        if self._ignored is None:
            self._ignored = 0
            self._frames.forget()
            if not self.transport.is_closing():
                self.transport.write_eof()
            self._regulate()

    def abort(self) -> None:
        """End it now, without what still waits to be written."""
        self.transport.abort()

    def _end(self, code: int, reason: str, why: End) -> None:
        self._owner.close(code, reason, why)
        self.shun()
