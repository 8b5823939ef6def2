"""A connection before it is a WebSocket: one HTTP request is read, and answered or handed over.

A peer has a few seconds and a few kilobytes for its request. After an answer it is for the peer to close, so that it
reads the answer in peace; the server's sweep does it soon after.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, NamedTuple, cast

from seatcast.gateway.admission import Visitor
from seatcast.gateway.backlog import Backlog
from seatcast.gateway.messages import CLOSE_SECONDS, Bounds
from seatcast.gateway.request import (
    MAX_HEAD_BYTES,
    Fields,
    Refused,
    Request,
    parse,
    response,
    switching,
    too_large,
)
from seatcast.gateway.websocket import MAX_IGNORED_BYTES, Owner, WebSocket

HANDSHAKE_SECONDS: Final = 5.0
"""How long a request may take to arrive."""


class Answer(NamedTuple):
    """The answer to a request that wants no WebSocket, or does not get one."""

    status: HTTPStatus
    body: bytes
    fields: Fields = ()


class Upgrade(NamedTuple):
    """The answer to a handshake that succeeds: whose the WebSocket will be."""

    owner: Owner
    fields: Fields = ()
    bounds: Bounds | None = None
    """None: the door's."""


@dataclass(frozen=True, slots=True)
class Door:
    """What arrivals need of the server.

    `judge` gives every request its answer, also one that could not be read, and does not raise.
    """

    arrive: Callable[[str], Visitor]
    """Told of every socket the peer's address, before anything else."""
    judge: Callable[[Request | Refused, Visitor], Answer | Upgrade]
    bounds: Bounds
    expect: Callable[[Arrival, float], None]
    """Aborts an arrival that is not gone after so many seconds."""
    gone: Callable[[Arrival], None]
    """Told when an arrival is lost, or is none any more."""
    leave: Callable[[Visitor], None]
    """Told when one is lost before its handshake succeeded."""
    backlog: Backlog = field(default_factory=Backlog)


class Arrival(asyncio.Protocol):
    """The protocol of a connection until its request is answered."""

    __slots__ = ("_door", "_head", "_ignored", "_transport", "_visitor")

    _transport: asyncio.Transport
    _visitor: Visitor

    def __init__(self, door: Door) -> None:
        self._door = door
        self._head = b""
        # None while the request is awaited; then how many bytes came after it.
        self._ignored: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        # There is none if the peer is gone already.
        address = transport.get_extra_info("peername") or ("",)
        self._visitor = self._door.arrive(address[0])
        if self._visitor.away is not None and self._visitor.away.silently:
            self._transport.abort()
            return
        self._door.expect(self, HANDSHAKE_SECONDS)

    def connection_lost(self, error: Exception | None) -> None:
        self._door.gone(self)
        self._door.leave(self._visitor)

    def data_received(self, data: bytes) -> None:
        if self._ignored is not None:
            self._ignored += len(data)
            if self._ignored > MAX_IGNORED_BYTES:
                self._transport.pause_reading()
            return
        self._head += data
        end = self._head.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES)
        if end >= 0:
            self._answer(parse(self._head[: end + 4]), self._head[end + 4 :])
        elif len(self._head) >= MAX_HEAD_BYTES:
            self._answer(too_large(), b"")
        elif not self._head[:1].isalpha():
            # Not HTTP, perhaps TLS: its sender need not wait for the end of its time.
            self._answer(parse(self._head), b"")

    def _answer(self, request: Request | Refused, rest: bytes) -> None:
        answer = self._door.judge(request, self._visitor)
        self._head = b""
        if isinstance(answer, Upgrade) and isinstance(request, Request):
            websocket = WebSocket(
                answer.owner, self._transport, answer.bounds or self._door.bounds, self._door.backlog
            )
            self._transport.set_protocol(websocket)
            self._door.gone(self)
            websocket.start(switching(request.headers["Sec-WebSocket-Key"], answer.fields), rest)
        elif isinstance(answer, Answer):
            self._ignored = 0
            bodiless = isinstance(request, Request) and request.method == "HEAD"
            self._transport.write(response(answer.status, answer.body, answer.fields, bodiless=bodiless))
            self._transport.write_eof()
            self._door.expect(self, CLOSE_SECONDS)

    @property
    def late(self) -> bool:
        """Whether the request has not arrived yet."""
        return self._ignored is None

    def abort(self) -> None:
        """End it now."""
        self._transport.abort()
