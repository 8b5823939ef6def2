"""A WebSocket client that notes when each seat count of a tour arrives, and one booking's way to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench import load


class _Update(msgspec.Struct, rename="camel"):
    """What is read of any frame; other fields and types pass by."""

    type: str
    tour_id: str = ""
    available_seats: int = -1


_decode = msgspec.json.Decoder(_Update).decode


class Follower(WSListener):
    """Remembers the last seat count of each tour, and the moment any frame last came."""

    def __init__(self) -> None:
        self.seats: dict[str, int] = {}
        self.frames = 0
        self.last_frame = 0.0
        self._awaited: tuple[str, int] | None = None
        self._arrival: asyncio.Future[float] | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            return
        now = time.perf_counter()
        update = _decode(frame.get_payload_as_memoryview())
        if update.type not in ("AVAILABILITY_UPDATE", "INITIAL_STATE"):
            return
        self.seats[update.tour_id] = update.available_seats
        self.frames += 1
        self.last_frame = now
        arrival = self._arrival
        if arrival and not arrival.done() and self._awaited == (update.tour_id, update.available_seats):
            arrival.set_result(now)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_exception(ConnectionError("the gateway closed the follower's connection"))

    def expect(self, tour: str, seats: int) -> asyncio.Future[float]:
        """Return what will be the `time.perf_counter()` of the first frame that says so."""
        self._awaited = (tour, seats)
        self._arrival = asyncio.get_running_loop().create_future()
        return self._arrival

    def disconnect(self) -> None:
        """Leave; what is still expected will not come."""
        if self._arrival is not None:
            self._arrival.cancel()
        self._transport.disconnect()


@asynccontextmanager
async def following(port: int) -> AsyncIterator[Follower]:
    """Connect a follower to a gateway on a local port."""
    follower = Follower()
    await ws_connect(lambda: follower, f"ws://127.0.0.1:{port}/", enable_auto_pong=True)
    try:
        yield follower
    finally:
        follower.disconnect()


class Booker(asyncio.Protocol):
    """One keep-alive HTTP connection that has at most one request under way."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]

    def send(self, request: bytes) -> asyncio.Future[tuple[int, bytes]]:
        """Send a request; the result is its status and body."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        answer = load.parse(self._buffer)
        if answer is not None and self._answer is not None:
            status, body, size = answer
            self._buffer = self._buffer[size:]
            self._answer.set_result((status, body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the server closed the connection"))

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()


@asynccontextmanager
async def booking(port: int) -> AsyncIterator[Booker]:
    """Open a booker's connection to a tour service on a local port."""
    _, booker = await asyncio.get_running_loop().create_connection(Booker, "127.0.0.1", port)
    try:
        yield booker
    finally:
        booker.close()
