"""One WebSocket over a real socket, whatever is said over it: turns, closing, and peers that do not behave."""

import asyncio
import contextlib
import itertools
import socket

import pytest

from seatcast.gateway import backlog
from seatcast.gateway.addresses import Addresses
from seatcast.gateway.admission import Visitor
from seatcast.gateway.arrival import Arrival, Door, Upgrade
from seatcast.gateway.frames import CLOSE, PING, PONG, TEXT
from seatcast.gateway.messages import Bounds
from seatcast.gateway.websocket import FRAMES_AT_ONCE, MAX_IGNORED_BYTES, WebSocket

from ..client_frames import masked as client_frame


class Owner:
    """Notes what it hears, and in which turn of the loop."""

    def __init__(self, fail_on):
        self.heard, self.turns, self.closed, self.gone = [], [], None, asyncio.Event()
        self.turn = 0
        self.fail_on = fail_on

    def tick(self):
        self.turn += 1
        if not self.gone.is_set():
            asyncio.get_running_loop().call_soon(self.tick)

    def opening(self, websocket):
        self.websocket = websocket
        if self.fail_on == "opening":
            raise RuntimeError("secret-4711")

    def opened(self):
        if self.fail_on == "opened":
            raise RuntimeError("secret-4711")

    def admits(self, message):
        self.turns.append(self.turn)
        return True

    def receive(self, message):
        if message.data == self.fail_on:
            raise RuntimeError("secret-4711")
        self.heard.append(message.data)

    def close(self, code, reason, why):
        self.closed = self.closed or (code, reason, why)
        self.websocket.close(code, reason)

    def pause_writing(self):
        """What it sends waits."""

    def resume_writing(self):
        self.websocket.listen()

    def lost(self):
        self.gone.set()


@contextlib.asynccontextmanager
async def connected(upgrade, fail_on=None):
    """A client's reader and writer after its handshake, and the owner at the other end."""
    owner = Owner(fail_on)
    door = Door(
        arrive=lambda address: Visitor(Addresses().of(address)), judge=lambda *_: Upgrade(owner), bounds=Bounds(),
        expect=lambda *_: None, gone=lambda _: None, leave=lambda _: None,
    )  # fmt: skip
    listening = await asyncio.get_running_loop().create_server(lambda: Arrival(door), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
    try:
        async with asyncio.timeout(20):
            writer.write(upgrade)
            await reader.readuntil(b"\r\n\r\n")
            yield reader, writer, owner
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        listening.close()
        await asyncio.wait_for(owner.gone.wait(), 10)


async def test_a_burst_is_worked_off_a_few_frames_at_a_time(upgrade, masked, eventually, monkeypatch):
    """Those who sent more share a part of each turn, here none but for the first of them."""
    monkeypatch.setattr(backlog, "BACKLOG_SECONDS", 1e-9)
    async with connected(upgrade) as (_, writer, owner):
        owner.tick()
        writer.write(b"".join(masked(TEXT, b"%d" % n) for n in range(1_000)))
        await eventually(lambda: len(owner.heard) == 1_000)
    assert owner.heard == [b"%d" % n for n in range(1_000)]
    assert max(map(owner.turns.count, set(owner.turns))) <= 2 * FRAMES_AT_ONCE
    assert len(set(owner.turns)) >= 1_000 // FRAMES_AT_ONCE // 2


async def test_who_is_not_listened_to_is_not_read_from(upgrade, masked, eventually):
    """Only so much of what it sends waits here; the rest on its own side."""
    async with connected(upgrade) as (_, writer, owner):
        owner.websocket.pause_writing()
        block = masked(TEXT, b"x" * 1_000) * 100
        writer.write(block)
        await eventually(lambda: not owner.websocket._reading)
        for _ in range(200):
            writer.write(block)
        held = len(owner.websocket._frames._data)
        await asyncio.sleep(0.05)
        assert len(owner.websocket._frames._data) == held
        assert owner.heard == []
        owner.websocket.resume_writing()
        await eventually(lambda: len(owner.heard) == 20_100)
        assert owner.websocket._reading


async def test_pings_are_answered_and_not_while_the_peer_does_not_read(upgrade, masked, frames, eventually):
    async with connected(upgrade) as (reader, writer, owner):
        writer.write(masked(PING, b"1"))
        assert await frames(reader, 1) == [(PONG, b"1")]
        owner.websocket.pause_writing()
        writer.write(masked(PING, b"2") + masked(PING, b"3"))
        await eventually(lambda: not owner.websocket._reading)
        assert len(owner.turns) == 1
        owner.websocket.resume_writing()
        assert await frames(reader, 2) == [(PONG, b"2"), (PONG, b"3")]


@pytest.mark.parametrize("more", [b"", b"\xff" * 100_000])
async def test_a_violation_is_told_and_then_the_stream_ends(upgrade, masked, frames, more):
    """Also to a peer that had more to say: the connection is not reset under the CLOSE."""
    async with connected(upgrade) as (reader, writer, owner):
        writer.write(masked(TEXT, b"good") + masked(TEXT, b"bad", reserved=1) + masked(TEXT, b"void") + more)
        assert await frames(reader, 1) == [(CLOSE, b"\x03\xeareserved bit set")]
        assert await reader.read() == b""
        assert owner.heard == [b"good"]
        assert owner.closed == (1002, "reserved bit set", "violation")


async def test_who_goes_on_after_a_violation_is_ignored_and_then_not_even_read(upgrade, masked, eventually):
    async with connected(upgrade) as (_, writer, owner):
        writer.write(b"\x81\x00")
        await eventually(lambda: owner.closed)
        block = masked(TEXT, b"x" * 1_000) * 100
        for _ in range(100):
            writer.write(block)
        await eventually(lambda: not owner.websocket._reading)
        assert owner.websocket._ignored < MAX_IGNORED_BYTES * 2
        assert owner.heard == []
        owner.websocket.abort()


async def test_a_close_is_answered_once_whatever_follows_it(upgrade, masked, frames):
    """A second CLOSE behind the first changes nothing (Autobahn 7.1.2), nor do other frames, lawful or not."""
    async with connected(upgrade) as (reader, writer, owner):
        writer.write(
            masked(CLOSE, b"\x03\xe8")
            + masked(CLOSE, b"\x03\xe9")
            + masked(PING, b"")
            + masked(TEXT, b"\xff", reserved=7)
        )
        assert await frames(reader, 1) == [(CLOSE, b"\x03\xe8")]
        assert await reader.read() == b""
        assert (owner.heard, owner.closed) == ([], (1000, "", "peer"))


async def test_after_our_close_only_the_peers_own_counts(upgrade, masked, frames):
    async with connected(upgrade) as (reader, writer, owner):
        owner.close(1012, "restarting", "drain")
        assert await frames(reader, 1) == [(CLOSE, b"\x03\xf4restarting")]
        writer.write(masked(TEXT, b"void") + masked(PING, b"") + masked(CLOSE, b"\x03\xf4"))
        assert await reader.read() == b""
        assert owner.heard == []


async def test_nothing_is_written_after_our_close(upgrade, frames):
    async with connected(upgrade) as (reader, writer, owner):
        owner.close(1000, "", "peer")
        owner.websocket.write(b"\x81\x01x")
        owner.websocket.close(1001, "")
        owner.websocket.ping()
        writer.write_eof()
        assert await reader.read() == b"\x88\x02\x03\xe8"


async def test_who_floods_after_our_close_is_not_listened_to(upgrade, masked, eventually):
    async with connected(upgrade) as (_, writer, owner):
        owner.close(1012, "restarting", "drain")
        writer.write(masked(TEXT, b"{}") * 10_000)
        await eventually(lambda: owner.websocket._ignored is not None)
        assert owner.turns == []
        assert owner.websocket._frames._data == b""
        owner.websocket.abort()


@pytest.mark.parametrize("where", ["opening", "opened", b"trap"])
async def test_an_error_of_ours_closes_without_its_text(upgrade, masked, frames, where):
    async with connected(upgrade, where) as (reader, writer, owner):
        writer.write(masked(TEXT, b"trap") + masked(TEXT, b"void"))
        assert await frames(reader, 1) == [(CLOSE, b"\x03\xf3")]
        assert await reader.read() == b""
        assert owner.closed == (1011, "", "error")
        assert owner.heard == []


async def test_a_lost_connection_cannot_be_written_to(upgrade):
    """Its file descriptor may be somebody else's by then."""
    async with connected(upgrade) as (_, writer, owner):
        writer.transport.abort()
        await owner.gone.wait()
        owner.websocket.write(b"x")
        owner.websocket.ping()
        with pytest.raises(OSError, match="Bad file descriptor"):
            owner.websocket.send(b"x")


class Transport(asyncio.Transport):
    """Takes everything; whether it is read from can be asked."""

    def __init__(self, sock):
        super().__init__({"socket": sock})
        self.reading = True

    def write(self, data):
        pass

    def set_write_buffer_limits(self, high=None, low=None):
        pass

    def is_closing(self):
        return False

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True


async def test_what_many_send_at_once_is_worked_on_in_several_turns(monkeypatch):
    """By a clock that goes on by half a millisecond whenever it is asked."""
    moments = itertools.count()
    monkeypatch.setattr(backlog.time, "perf_counter", lambda: next(moments) / 2_000)
    monkeypatch.setattr(backlog, "BACKLOG_SECONDS", 0.002)
    turns, owners, transports = backlog.Backlog(), [Owner(None) for _ in range(40)], []
    with socket.socket() as sock:
        for owner in owners:
            transports.append(Transport(sock))
            made = WebSocket(owner, transports[-1], Bounds(), turns)
            made.start(b"", b"")
            made.data_received(client_frame(TEXT, b"hello"))

        def done():
            return sum(bool(owner.heard) for owner in owners)

        # Whoever has to wait is not read from meanwhile.
        assert done() == sum(transport.reading for transport in transports) == 4
        while (before := done()) < len(owners):
            await asyncio.sleep(0)
            assert done() - before <= 5
        assert all(transport.reading for transport in transports)
        # The next turn has time again.
        made.data_received(client_frame(TEXT, b"again"))
        assert owners[-1].heard == [b"hello", b"again"]
        for owner in owners:
            owner.websocket.connection_lost(None)
