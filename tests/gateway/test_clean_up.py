"""Connections leave nothing behind, however they end: objects and memory are counted after ten thousand of them."""

import asyncio
import gc
import itertools
import socket
import struct
from collections import Counter
from pathlib import Path

from seatcast import rest, wire
from seatcast.gateway.admission import Quotas, Visitor
from seatcast.gateway.arrival import Arrival
from seatcast.gateway.connection import Connection
from seatcast.gateway.frames import Frames
from seatcast.gateway.messages import Assembler
from seatcast.gateway.session import Session
from seatcast.gateway.websocket import WebSocket

from .conftest import UPGRADE
from .model import join

AT_ONCE = 100

BYE = b"\x88\x82\x00\x00\x00\x00\x03\xe8"

SUBSCRIBE = b'{"type":"SUBSCRIBE","tourId":"t%d"}'


def request(path):
    return UPGRADE.replace(b"GET / ", b"GET %s " % path)


def subscribe(masked):
    return b"".join(masked(1, SUBSCRIBE % n) for n in (3, 4)) + masked(1, b"nonsense")


class Client(asyncio.Protocol):
    """Sends `first`, and `then` once it is answered; `ends` says how it goes after that."""

    def __init__(self, first, then=b"", *, ends="politely"):
        self.first, self.then, self.ends = first, then, ends
        self.gone = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        transport.write(self.first)
        if self.ends == "unanswered":
            transport.abort()

    def data_received(self, data):
        if self.then:
            self.transport.write(self.then)
            self.then = b""
        if self.ends == "abruptly":
            self.transport.abort()
        elif self.ends == "told" and b"\x88" in data:
            self.transport.write(BYE)

    def connection_lost(self, error):
        self.gone.set_result(None)


def clients(masked):
    """Every kind of client in turn, for ever. Few are behind: these are sent the whole catalogue."""
    named, bye = request(b"/?tours=t1,t2"), BYE
    for turn in itertools.count():
        yield lambda: Client(named, bye)
        yield lambda: Client(named, subscribe(masked) + bye)
        yield lambda: Client(request(b"/?tours=t5"), ends="abruptly")
        yield lambda: Client(named, subscribe(masked), ends="abruptly")
        yield lambda: Client(named[:60], ends="unanswered")
        yield lambda: Client(named, ends="unanswered")
        yield lambda: Client(request(b"/?token=nonsense"), ends="told")
        yield lambda: Client(request(b"/nowhere"))
        yield lambda: Client(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
        if turn % 5 == 0:
            yield Behind
        else:
            yield lambda: Client(named, masked(2, b"binary") + bye, ends="told")


class Behind:
    """A client that reads nothing of what it is sent, through a small buffer, until it vanishes."""

    def __init__(self, port):
        self.gone = asyncio.get_running_loop().create_future()
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(UPGRADE)

    def vanish(self):
        self.socket.close()
        self.gone.set_result(None)


async def connect(port, maker):
    if maker is Behind:
        return Behind(port)
    _, client = await asyncio.get_running_loop().create_connection(maker, "127.0.0.1", port)
    return client


async def visit(house, makers, number, *, changing=True):
    """Let that many clients come and go, some at once, while facts change or do not."""
    for version in range(number // AT_ONCE):
        made = [await connect(house.port, maker) for maker in itertools.islice(makers, AT_ONCE)]
        if changing:
            await asyncio.sleep(0.02)
            change(house, version)
            house.server.hub.flush()
        for client in made:
            if isinstance(client, Behind):
                client.vanish()
        async with asyncio.timeout(20):
            await asyncio.gather(*(client.gone for client in made))


def change(house, version):
    for n in range(6):
        house.change(f"t{n}", version + 2, version % 10)


def counted(house):
    """How many objects there are of each type, and the resident memory in KiB."""
    for n in range(6):
        # A frame is kept once it was asked for, until its tour changes: here they all are.
        assert house.truth.initial((f"t{n}", None))
        assert house.truth.update((f"t{n}", None))
    gc.collect()
    types = Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.get_objects())
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return types, pages * 4


async def test_ten_thousand_connections_leave_nothing_behind(house, masked, eventually):
    async with house(quotas=Quotas(messages_per_minute=0, handshakes_per_address=0)).open() as h:
        rows = [
            rest.Tour(id=f"t{n}", name="a long name " * 40, available_seats=5, version=1) for n in range(600)
        ]
        join(h.truth, rest.Snapshot("e1", rows))
        makers = clients(masked)
        # What is kept once and for all, however many come, is made by the first of them.
        await visit(h, makers, 1_000)
        await eventually(lambda: not h.server.admission.sockets)
        before, memory = counted(h)
        await visit(h, makers, 10_000)
        await eventually(lambda: not h.server.admission.sockets)
        after, grown = counted(h)

        server = h.server
        for left in (server.connections, server.unfinished, server.deadlines):
            assert not left
        for left in (server.hub._place, server.hub._groups, server.hub._by_tour, server.hub._late):
            assert not left
        assert not server.admission._per_address
        assert not server.admission._per_user
        ours = {name: number for name, number in (after - before).items() if name.startswith("seatcast.")}
        assert ours == {}
        # The interpreter's own caches move a little; one object per ten connections would be ours.
        assert (after - before).total() < 1_000, (after - before).most_common(10)
        assert grown - memory < 5 * 1_024

        # Every kind of client has come: what was counted is what this test is about.
        closed = server.metrics.closed
        assert all(closed[reason] > 500 for reason in ("peer", "gone", "unauthenticated", "violation"))
        assert server.metrics.handshakes == sum(closed.values())
        assert server.metrics.handshakes_refused["path"] > 500
        assert server.metrics.dropped["gone"] > 500  # of those who were behind


async def test_connections_are_freed_when_they_end_without_the_garbage_collector(house, masked, eventually):
    """It comes round seldom (`cli_run.py`), and stops everybody while it does."""
    ours = (Arrival, WebSocket, Connection, Session, Frames, Assembler, Visitor)

    def left():
        return Counter(type(one) for one in gc.get_objects() if isinstance(one, ours))

    async with house(quotas=Quotas(messages_per_minute=0, handshakes_per_address=0)).open() as h:
        h.read(*((f"t{n}", 1, 5) for n in range(20)))
        gc.collect()
        gc.disable()
        try:
            await visit(h, clients(masked), 2 * AT_ONCE)
            await eventually(lambda: not h.server.admission.sockets)
            assert h.metrics.handshakes > AT_ONCE
            # The last one to be served may still be held by the loop.
            assert left().total() <= 5, left()
        finally:
            gc.enable()


async def test_a_herd_costs_one_snapshot_and_no_encoding(house, monkeypatch):
    """A thousand newcomers are sent the same bytes; a change in between makes them anew once."""
    encoded = Counter()
    encode = wire.encode

    def counting(frame):
        encoded[type(frame).__name__] += 1
        return encode(frame)

    monkeypatch.setattr(wire, "encode", counting)
    async with house(quotas=Quotas(messages_per_minute=0, handshakes_per_address=0)).open() as h:
        h.read(*((f"t{n}", 1, 5) for n in range(20)))

        async def herd():
            made = h.server.initial(h.truth.catalogue())[0]
            makers = (lambda: Client(UPGRADE, BYE) for _ in range(1_000))
            await visit(h, makers, 1_000, changing=False)
            # The very same bytes, not only equal ones.
            assert h.server.initial(h.truth.catalogue())[0] is made

        await herd()
        assert encoded["InitialState"] == 20
        assert encoded["Welcome"] >= 1_000
        h.change("t7", 2, 4)
        h.server.hub.flush()
        await herd()
        assert encoded["InitialState"] == 21
        assert h.metrics.snapshots == {"joined": 0, "failed": 0}
