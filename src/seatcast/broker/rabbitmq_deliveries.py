"""Deliveries, taken out of the byte stream that RabbitMQ sends, before aiormq sees them.

A delivery that goes through aiormq costs two queues, two tasks and five turns of the event loop: a third of what a
gateway does for one fact, and most of what limits how many facts a second it can take. Everything else of AMQP
0-9-1 stays aiormq's: it is given the same stream without our consumer's deliveries.

Frames and methods as in the AMQP 0-9-1 specification, 2.3.5 and 1.8.3.13 (`basic.deliver`). Sans I/O: `Deliveries`
knows bytes, `tap` puts it into a connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from struct import Struct
from typing import Any, Final, cast

from pamqp import decode

from seatcast.broker import Delivery

_FRAME: Final = Struct(">BHI")
_CONTENT: Final = Struct(">HHQH")
_METHOD, _HEADER, _BODY, _END = 1, 2, 3, 0xCE
_DELIVER: Final = bytes((0, 60, 0, 60))
_CONTENT_TYPE, _CONTENT_ENCODING, _HEADERS = 0x8000, 0x4000, 0x2000

HEARTBEAT: Final = bytes((8, 0, 0, 0, 0, 0, 0, _END))
HEARTBEAT_SECONDS: Final = 1.0

_MOST_KEYS: Final = 100
"""Routing keys that are kept decoded; there are a handful."""


class Deliveries:
    """Splits what the server sends on one connection. `deliver` gets the tag and the message of each delivery.

    `clock` returns seconds. Only deliveries to the consumer that `take` names are taken.
    """

    def __init__(self, deliver: Callable[[int, Delivery], None], clock: Callable[[], float]) -> None:
        self._method = b"none yet"
        self._deliver = deliver
        self._clock = clock
        self._rest = b""
        self._broken = False
        self._keys: dict[bytes, str] = {}
        # Of the delivery being put together.
        self._channel = -1
        self._tag = 0
        self._key = ""
        self._missing = 0
        self._body: list[bytes] = []
        self._traceparent: str | None = None
        self._passed_at = 0.0

    def take(self, consumer: str) -> None:
        """Take what is delivered to a consumer tag, from now on."""
        tag = consumer.encode()
        self._method = _DELIVER + bytes((len(tag),)) + tag

    def receive(self, data: bytes) -> bytes:
        """Take what has arrived, in pieces of any size, and return the part of it that is not ours, whole frames.

        A stream that is not AMQP is returned as it is: whoever reads it says what is wrong with it.
        """
        if self._broken:
            return data
        if self._rest:
            data = self._rest + data
        passed = []
        at, size = 0, len(data)
        while size - at >= 8:
            kind, channel, length = _FRAME.unpack_from(data, at)
            start = at + 7
            end = start + length
            if kind > 8 or (end < size and data[end] != _END):
                self._broken = True
                passed.append(data[at:])
                at = size
                break
            if end >= size:
                break
            if channel == self._channel and kind in (_BODY, _HEADER):
                if kind == _HEADER:
                    self._describe(data, start, end)
                else:
                    self._body.append(data[start:end])
                    self._missing -= length
                if self._missing <= 0:
                    self._complete()
            elif kind == _METHOD and data.startswith(self._method, start):
                self._begin(channel, data, start + len(self._method))
            else:
                passed.append(data[at : end + 1])
            at = end + 1
        self._rest = data[at:]
        return self._alive(b"".join(passed), at > 0)

    def _alive(self, passed: bytes, frames: bool) -> bytes:
        """While deliveries come, RabbitMQ sends no heartbeats, and aiormq would think that nothing comes at all."""
        now = self._clock()
        if passed:
            self._passed_at = now
        elif frames and now - self._passed_at >= HEARTBEAT_SECONDS:
            self._passed_at = now
            return HEARTBEAT
        return passed

    def _begin(self, channel: int, data: bytes, at: int) -> None:
        self._channel = channel
        self._tag = int.from_bytes(data[at : at + 8], "big")
        at += 9  # and whether it was delivered before
        at += 1 + data[at]  # the exchange
        name = data[at + 1 : at + 1 + data[at]]
        key = self._keys.get(name)
        if key is None:
            key = name.decode(errors="replace")
            if len(self._keys) < _MOST_KEYS:
                self._keys[name] = key
        self._key = key

    def _describe(self, data: bytes, start: int, end: int) -> None:
        _, _, self._missing, flags = _CONTENT.unpack_from(data, start)
        self._traceparent = None
        if not flags & _HEADERS or data.find(b"traceparent", start, end) < 0:
            return
        at = start + _CONTENT.size
        for flag in (_CONTENT_TYPE, _CONTENT_ENCODING):
            if flags & flag:
                at += 1 + data[at]
        try:
            _, headers = decode.field_table(data[at:end])
        except ValueError:
            return  # somebody else's headers: the event counts
        traceparent = headers.get("traceparent")
        self._traceparent = traceparent if isinstance(traceparent, str) else None

    def _complete(self) -> None:
        self._channel = -1
        body, self._body = self._body, []
        whole = body[0] if len(body) == 1 else b"".join(body)
        self._deliver(self._tag, Delivery(self._key, whole, self._traceparent))


class _Tap(asyncio.Protocol):
    """Stands between a transport and the protocol that aiormq reads from."""

    def __init__(self, inner: asyncio.Protocol, deliveries: Deliveries) -> None:
        self._inner = inner
        self._deliveries = deliveries
        self.connection_made = inner.connection_made  # type: ignore[method-assign]
        self.connection_lost = inner.connection_lost  # type: ignore[method-assign]
        self.eof_received = inner.eof_received  # type: ignore[method-assign]
        self.pause_writing = inner.pause_writing  # type: ignore[method-assign]
        self.resume_writing = inner.resume_writing  # type: ignore[method-assign]

    def data_received(self, data: bytes) -> None:
        others = self._deliveries.receive(data)
        if others:
            self._inner.data_received(others)


def tap(writer: asyncio.StreamWriter, deliveries: Deliveries) -> None:
    """Let a stream's incoming bytes go through `deliveries`, from now on."""
    transport = cast(Any, writer.transport)
    transport.set_protocol(_Tap(transport.get_protocol(), deliveries))
