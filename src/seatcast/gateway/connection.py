"""One client's socket: frames in, frames out, and what waits while the client does not read.

A client that is behind (its socket took no more) is written nothing. Of what it follows it is owed the newest
state: one slot per key, in bounded memory, rendered when it reads again. What may not be left out waits in a
queue of `MAX_QUEUE`, past which the connection is closed. While a client is behind its messages are not read
either, and its pings not answered, so that it cannot fill our memory with answers.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from picows import WSFrame, WSListener, WSTransport

from seatcast import wire
from seatcast.gateway import messages
from seatcast.gateway.facts import Key
from seatcast.gateway.handshake import Accepted
from seatcast.gateway.messages import Assembler, Kind, Violation, text_frame
from seatcast.gateway.session import Session
from seatcast.tokens import Identity
from seatcast.wire import CloseCode

if TYPE_CHECKING:
    from seatcast.gateway.server import Server

MAX_QUEUE: Final = 64
"""Answers that wait for a client that is behind; past it 1013."""

CHUNK_BYTES: Final = 64 * 1024
"""What a client that reads again is written at once before looking whether it still reads."""


class _Owed:
    """What waits for a client that is behind. `slots` say of each key whether it is owed as INITIAL_STATE."""

    __slots__ = ("queue", "slots", "status")

    def __init__(self) -> None:
        self.queue: list[bytes] = []
        self.status: bytes | None = None
        self.slots: dict[Key, bool] = {}


class Connection(WSListener):
    """One client. `refused` says why it is to be closed at once, with 4401, after a handshake that succeeds."""

    __slots__ = (
        "_assembler",
        "_greeting",
        "_not_reading",
        "_refused",
        "_server",
        "closing",
        "owed",
        "paused",
        "pinged",
        "seen",
        "session",
        "transport",
    )

    transport: WSTransport

    def __init__(
        self, server: Server, accepted: Accepted, identity: Identity | None, refused: str | None
    ) -> None:
        self._server = server
        self._greeting: tuple[Accepted, Identity | None] | None = (accepted, identity)
        self._refused = refused
        self._assembler = Assembler()
        self._not_reading = False
        self.session = Session(self, server.hub, server.limits, server.present)
        self.closing = False
        self.paused = False
        self.owed: _Owed | None = None
        self.seen = 0.0
        """When the client last sent anything, on the loop's clock."""
        self.pinged = 0.0
        """When the ping was sent that is not answered yet; 0 while there is none."""

    # From picows

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self.seen = self._server.clock()
        self._server.connected(self)
        greeting, self._greeting = self._greeting, None
        if self._refused is not None or greeting is None:
            self.close(CloseCode.UNAUTHENTICATED, f"token: {self._refused}", "unauthenticated")
            return
        accepted, identity = greeting
        self.session.open(
            self._server.connection_id(),
            user=None if identity is None else identity.user,
            language=accepted.language,
            tours=accepted.tours,
            stale=self._server.stale,
        )
        # After the first frames, which so leave together with the handshake's answer. From here on the first
        # byte that the kernel refuses pauses us.
        transport.underlying_transport.set_write_buffer_limits(0)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        opcode = int(cast(Any, frame.msg_type))
        if transport.is_close_frame_sent:
            # The parser looks one frame ahead: frames may follow our CLOSE. All but the peer's own are void.
            if opcode == messages.CLOSE:
                transport.disconnect()
            return
        self.seen = self._server.clock()
        if self.owed is not None and not self._not_reading:
            self._not_reading = True
            if not transport.underlying_transport.is_closing():
                transport.underlying_transport.pause_reading()
        try:
            message = self._assembler.receive(
                opcode,
                frame.get_payload_as_bytes(),
                fin=frame.fin,
                reserved=frame.rsv1 or frame.rsv2 or frame.rsv3,
            )
        except Violation as violation:
            self.close(violation.code, violation.reason, "violation")
            return
        if message is None:
            return
        if message.kind is Kind.TEXT:
            self._server.metrics.received.inc()
            self.session.receive(message.data)
        elif message.kind is Kind.PONG:
            self.pinged = 0.0
        elif message.kind is Kind.PING:
            if self.owed is None:
                transport.send_pong(message.data)
        elif message.kind is Kind.CLOSE:
            self.close(message.code, "", "peer")
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.session.close()
        self._server.disconnected(self)
        self.owed = None

    def pause_writing(self) -> None:
        self.paused = True
        if self.owed is None:
            self.owed = _Owed()

    def resume_writing(self) -> None:
        self.paused = False
        if self.owed is not None and not self.closing:
            # What changed in this turn becomes a slot too: paid now, and not told again at the turn's end.
            self._server.hub.flush()
            self._pay(self.owed)

    # To the client

    def send(self, frame: wire.ServerFrame) -> None:
        """Deliver a message that may not be left out; a client that lets too many wait is closed."""
        self.push(text_frame(wire.encode(frame)))

    def push(self, data: bytes) -> None:
        """As `send`, already framed."""
        if self.closing:
            return
        if self.owed is None:
            self.write(data)
        elif len(self.owed.queue) < MAX_QUEUE:
            self.owed.queue.append(data)
        else:
            self._server.metrics.dropped.labels("queue full").inc(MAX_QUEUE + 1)
            self.owed.queue.clear()
            self.close(CloseCode.TRY_AGAIN_LATER, "too slow", "too slow")

    def offer(self, keys: Sequence[Key]) -> None:
        """Deliver the state to start from under these keys."""
        if self.closing:
            return
        if self.owed is None:
            self.write(self._server.initial(keys))
        else:
            for key in keys:
                self.owed.slots[key] = True

    def drop(self, tour_id: str | None) -> None:
        """Owe nothing more under this tour's keys; None: under any."""
        if self.owed is None:
            return
        if tour_id is None:
            self.owed.slots.clear()
        else:
            for key in [key for key in self.owed.slots if key[0] == tour_id]:
                del self.owed.slots[key]

    def notify(self, status: bytes) -> None:
        """Deliver STALE or FRESH, of which only the last one matters."""
        if self.closing:
            return
        if self.owed is None:
            self.write(status)
        else:
            self.owed.status = status

    def write(self, data: bytes) -> None:
        """Write whole frames. What the kernel does not take waits, and pauses us."""
        transport = self.transport
        if data and not (transport.is_close_frame_sent or transport.is_disconnected):
            transport.underlying_transport.write(data)

    def _pay(self, owed: _Owed) -> None:
        """The client reads again: write what it is owed, as long as it takes it."""
        while not self.paused:
            if owed.queue or owed.status is not None:
                batch, owed.queue = owed.queue, []
                if owed.status is not None:
                    batch.append(owed.status)
                    owed.status = None
            elif owed.slots:
                batch = self._take_slots(owed)
            else:
                self.owed = None
                # It could not answer meanwhile: its heartbeat begins anew.
                self.seen, self.pinged = self._server.clock(), 0.0
                if self._not_reading and not self.transport.underlying_transport.is_closing():
                    self.transport.underlying_transport.resume_reading()
                self._not_reading = False
                return
            self.write(b"".join(batch))

    def _take_slots(self, owed: _Owed) -> list[bytes]:
        truth = self._server.hub.truth
        batch: list[bytes] = []
        size = 0
        while owed.slots and size < CHUNK_BYTES:
            key = next(iter(owed.slots))
            initial = owed.slots.pop(key)
            encoded = truth.initial(key) if initial else truth.update(key)
            if encoded is not None:
                batch.append(encoded.frame)
                size += len(encoded.frame)
        return batch

    # The end

    def close(self, code: int, reason: str, why: str) -> None:
        """Begin the closing handshake; the server's sweep aborts it when the peer does not answer.

        Answers that wait are sent first, states are not: the client will be given newer ones elsewhere.
        """
        if self.closing:
            return
        self.closing = True
        self.session.close()
        self._server.closing(self, why)
        if self.owed is not None:
            self.write(b"".join(self.owed.queue))
            self.owed = None
        self.transport.send_close(cast(Any, code), reason)

    def abort(self) -> None:
        """End it now, without what still waits to be written: a peer that does not read would keep us for ever."""
        self.transport.disconnect(False)

    def lost(self) -> bool:
        """Return whether the peer's machine no longer answers ours, although the peer may owe us nothing.

        A client that does not read cannot answer pings, but its kernel acknowledges: what matters is whether
        retransmissions or probes of a closed window stay unanswered (`struct tcp_info`, bytes 2 and 3).
        """
        sock = self.transport.underlying_transport.get_extra_info("socket")
        try:
            retransmits, probes = struct.unpack_from("2B", sock.getsockopt(_IPPROTO_TCP, _TCP_INFO, 8), 2)
        except OSError:
            return True
        return bool(retransmits > 2 or probes > 2)


_IPPROTO_TCP: Final = 6
_TCP_INFO: Final = 11
